// Matrix product with packed 4-bit weights: register tiles of up to four rows by 16 columns; bytes with
// dot products of four, or the scalar kernel where there are none.
#if defined(__aarch64__)
#include "neon.h"
#include "q4_gemm.h"

#define TK_TARGET_DOT __attribute__((target("dotprod")))

enum { ROWS = 4, COLUMNS = 16 };

typedef float32x4_t sums[ROWS][4];
typedef int32x4_t integers[ROWS][4];

TK_INLINE_NEON void clear(sums s, const int rows) {
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < 4; v++) s[r][v] = vdupq_n_f32(0);
}

TK_INLINE_NEON void finish(const tk_q4_tile *t, sums total, const int rows) {
  const tk_q4_gemm *g = t->g;
#pragma clang loop unroll(full)
  for (int v = 0; v < 4; v++) {
    const size_t n = t->column + (size_t)v * 4, left = t->end > n ? t->end - n : 0;
    if (left == 0) return;
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      float32x4_t sum = total[r][v];
      if (g->bias) sum = vaddq_f32(sum, tk_load_floats_neon(g->bias + n, left));
      tk_store_floats_neon(g->c + (t->row + (size_t)r) * g->ldc + n,
                           tk_clamp_neon(sum, g->lo, g->hi), left);
    }
  }
}

// Adds the products of k number `place` of a word to the sums of a group.
TK_INLINE_NEON void add_products(const uint8_t *b, const float *zeros, const float *a, size_t lda,
                                 const int place, sums sum, const int rows) {
  float32x4_t weight[4];
#pragma clang loop unroll(full)
  for (int v = 0; v < 4; v++) {
    const int32x4_t right = vdupq_n_s32(place < 4 ? -place * 8 : 28 - place * 8);
    const uint32x4_t word = vshlq_u32(vreinterpretq_u32_u8(vld1q_u8(b + v * 16)), right);
    const float32x4_t code = vcvtq_f32_u32(vandq_u32(word, vdupq_n_u32(15)));
    weight[v] = vsubq_f32(code, zeros ? vld1q_f32(zeros + v * 4) : vdupq_n_f32(8));
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    const float32x4_t value = vdupq_n_f32(a[(size_t)r * lda + (size_t)place]);
#pragma clang loop unroll(full)
    for (int v = 0; v < 4; v++) sum[r][v] = vfmaq_f32(sum[r][v], value, weight[v]);
  }
}

TK_INLINE_NEON void multiply_floats(const tk_q4_tile *t, const int rows) {
  const size_t k = t->g->k;
  const bool zeros = t->g->has_zeros;
  const float *a = t->a;
  const uint8_t *b = t->b + t->column % TK_PANEL * 4;
  sums total;
  clear(total, rows);
  for (size_t k0 = 0; k0 < k; k0 += t->group) {
    const float *const scales = (const float *)b;
    b += TK_Q4_FLOATS * (zeros ? 2 : 1);
    sums sum;
    clear(sum, rows);
    for (size_t w = tk_q4_words(k0, tk_min(k, k0 + t->group)); w > 0; w--) {
#pragma clang loop unroll(full)
      for (int place = 0; place < TK_Q4_WORD; place++)
        add_products(b, zeros ? scales + TK_PANEL : NULL, a, t->lda, place, sum, rows);
      a += TK_Q4_WORD;
      b += TK_Q4_LINE;
    }
#pragma clang loop unroll(full)
    for (int v = 0; v < 4; v++)
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++)
        total[r][v] = vfmaq_f32(total[r][v], sum[r][v], vld1q_f32(scales + v * 4));
  }
  finish(t, total, rows);
}

TK_INLINE_NEON int8x16_t four(const int8_t *a) {
  int32_t bytes;
  memcpy(&bytes, a, sizeof bytes);
  return vreinterpretq_s8_s32(vdupq_n_s32(bytes));
}

// The sums of a block: `words` of codes from a and b on.
TK_TARGET_DOT TK_INLINE_NEON void add_block(const int8_t *a, size_t lda, const uint8_t *b,
                                            size_t words, integers sum, const int rows) {
  for (; words > 0; words--, a += TK_Q4_WORD, b += TK_Q4_LINE) {
    int8x16_t low[4], high[4];
#pragma clang loop unroll(full)
    for (int v = 0; v < 4; v++) {
      const uint8x16_t word = vld1q_u8(b + v * 16);
      low[v] = vreinterpretq_s8_u8(vandq_u8(word, vdupq_n_u8(15)));
      high[v] = vreinterpretq_s8_u8(vshrq_n_u8(word, 4));
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      const int8_t *const codes = a + (size_t)r * lda;
      const int8x16_t first = four(codes), second = four(codes + 4);
#pragma clang loop unroll(full)
      for (int v = 0; v < 4; v++)
        sum[r][v] = vdotq_s32(vdotq_s32(sum[r][v], low[v], first), high[v], second);
    }
  }
}

TK_TARGET_DOT TK_INLINE_NEON void multiply_codes(const tk_q4_tile *t, const int rows) {
  const size_t k = t->g->k, size = t->g->block;
  const bool zeros = t->g->has_zeros;
  const int8_t *a = t->a;
  const uint8_t *b = t->b + t->column % TK_PANEL * 4;
  const float *factors = t->scales;
  const int32_t *starts = t->starts;
  sums total;
  clear(total, rows);
  for (size_t k0 = 0; k0 < k; k0 += t->group) {
    const size_t end = tk_min(k, k0 + t->group);
    const float *const scales = (const float *)b;
    b += TK_Q4_FLOATS * (zeros ? 2 : 1);
    for (size_t start = k0; start < end; start += size, factors++, starts++) {
      const size_t words = tk_q4_words(start, tk_min(end, start + size));
      integers sum;
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (int v = 0; v < 4; v++)
          sum[r][v] = vdupq_n_s32(zeros ? 0 : starts[(size_t)r * t->blocks]);
      add_block(a, t->lda, b, words, sum, rows);
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        const float factor = factors[(size_t)r * t->blocks];
        const float less = (float)starts[(size_t)r * t->blocks] * 0.125f;
#pragma clang loop unroll(full)
        for (int v = 0; v < 4; v++) {
          float32x4_t exact = vcvtq_f32_s32(sum[r][v]);
          if (zeros)
            exact = vfmaq_f32(exact, vld1q_f32(scales + TK_PANEL + v * 4), vdupq_n_f32(less));
          const float32x4_t scale = vmulq_f32(vdupq_n_f32(factor), vld1q_f32(scales + v * 4));
          total[r][v] = vfmaq_f32(total[r][v], scale, exact);
        }
      }
      a += words * TK_Q4_WORD;
      b += words * TK_Q4_LINE;
    }
  }
  finish(t, total, rows);
}

typedef void (*multiplier)(const tk_q4_tile *);

#define MULTIPLY(rows)                                                                          \
  static void floats_##rows(const tk_q4_tile *t) { multiply_floats(t, rows); }                  \
  TK_TARGET_DOT static void codes_##rows(const tk_q4_tile *t) { multiply_codes(t, rows); }
MULTIPLY(1) MULTIPLY(2) MULTIPLY(3) MULTIPLY(4)

static const multiplier floats[ROWS] = {floats_1, floats_2, floats_3, floats_4};
static const multiplier codes[ROWS] = {codes_1, codes_2, codes_3, codes_4};

static void sweep(tk_q4_tile *t, multiplier by) {
  while (t->column < t->end) {
    by(t);
    t->column += COLUMNS;
    if (t->column % TK_PANEL == 0) t->b += t->panel_stride;
  }
}

static void sweep_floats(tk_q4_tile *t, size_t rows) { sweep(t, floats[rows - 1]); }
static void sweep_codes(tk_q4_tile *t, size_t rows) { sweep(t, codes[rows - 1]); }

static void q4_gemm(const tk_q4_gemm *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  static const tk_q4_method method = {ROWS, ROWS, sweep_floats, sweep_codes};
  if (g->block > 0 && !tk_neon_has_dot())
    tk_table_for(TK_SCALAR)->q4_gemm(g, m0, m1, n0, n1);
  else
    tk_q4_gemm_by(&method, g, m0, m1, n0, n1);
}

void tk_install_neon_q4(tk_kernels *k) { k->q4_gemm = q4_gemm; }
#endif
