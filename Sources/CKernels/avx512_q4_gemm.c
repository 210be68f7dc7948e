// Matrix product with packed 4-bit weights: register tiles of up to 10 rows by 32 columns, one or two
// rows by up to 128. Floats meet weights that a table of 16 numbers makes of codes; bytes meet them in
// dot products of four.
#if defined(__x86_64__)
#include <string.h>

#include "avx512.h"
#include "q4_gemm.h"

enum {
  // Rows of a tile whose sums leave registers for the weights; bytes have two sums, of the block and
  // of all blocks.
  FLOAT_ROWS = 10,
  CODE_ROWS = 6,
  // Bytes ahead of those in use that are brought from memory, where each is used once or twice.
  AHEAD = 4096,
};

typedef __m512 sums[FLOAT_ROWS][8];

// The columns of vector v that exist.
TK_INLINE_AVX512 __mmask16 columns(const tk_q4_tile *t, const int v) {
  const size_t n = t->column + (size_t)v * 16;
  return tk_mask16(n < t->end ? t->end - n : 0);
}

TK_INLINE_AVX512 void clear(sums s, const int rows, const int vectors) {
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) s[r][v] = _mm512_setzero_ps();
}

TK_INLINE_AVX512 void finish(const tk_q4_tile *t, sums total, const int rows, const int vectors) {
  const tk_q4_gemm *g = t->g;
  const size_t ldc = g->ldc;
  const __m512 lo = _mm512_set1_ps(g->lo), hi = _mm512_set1_ps(g->hi);
  const bool biased = g->bias;
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    const size_t n = t->column + (size_t)v * 16;
    const __mmask16 mask = columns(t, v);
    const __m512 bias = biased ? _mm512_maskz_loadu_ps(mask, g->bias + n) : lo;
    float *c = g->c + t->row * ldc + n;
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++, c += ldc) {
      const __m512 sum = biased ? _mm512_add_ps(total[r][v], bias) : total[r][v];
      _mm512_mask_storeu_ps(c, mask, tk_clamp_avx512(sum, lo, hi));
    }
  }
}

// The numbers that codes stand for: less 8 where there are no zero points.
TK_INLINE_AVX512 __m512 code_table(const bool zeros) {
  const __m512 codes = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return zeros ? codes : _mm512_sub_ps(codes, _mm512_set1_ps(8));
}

// Adds the products of k number `place` of a word to the sums of a group.
TK_INLINE_AVX512 void add_products(const tk_q4_tile *t, const uint8_t *b, const float *a,
                                   const __m512 *zero, const __m512 table, const int place,
                                   sums sum, const int rows, const int vectors, const bool zeros) {
  __m512 weight[8];
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    const __m512i word = _mm512_load_si512(b + v / 2 * t->panel_stride + v % 2 * 64);
    const __m512i code = _mm512_srli_epi32(word, place < 4 ? place * 8 : place * 8 - 28);
    weight[v] = _mm512_permutexvar_ps(code, table);  // by the low four bits
    if (zeros) weight[v] = _mm512_sub_ps(weight[v], zero[v]);
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    const __m512 value = _mm512_set1_ps(a[r * t->lda + place]);
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++)
      sum[r][v] = _mm512_fmadd_ps(value, weight[v], sum[r][v]);
  }
}

// Brings weights from memory early where they are used once or twice.
TK_INLINE_AVX512 void fetch_ahead(const tk_q4_tile *t, const uint8_t *b, const int vectors) {
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++)
    _mm_prefetch((const char *)b + v / 2 * t->panel_stride + v % 2 * 64 + AHEAD, _MM_HINT_T0);
}

TK_INLINE_AVX512 void multiply_floats(const tk_q4_tile *t, const int rows, const int vectors,
                                      const bool zeros) {
  const __m512 table = code_table(zeros);
  const size_t k = t->g->k;
  const float *a = t->a;
  const uint8_t *b = t->b;
  sums total;
  clear(total, rows, vectors);
  for (size_t k0 = 0; k0 < k; k0 += t->group) {
    const uint8_t *const scales = b;
    __m512 zero[8];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++)
      if (zeros)
        zero[v] = _mm512_load_ps(b + v / 2 * t->panel_stride + TK_Q4_FLOATS + v % 2 * 64);
    b += TK_Q4_FLOATS * (zeros ? 2 : 1);
    sums sum;
    clear(sum, rows, vectors);
    for (size_t w = tk_q4_words(k0, tk_min(k, k0 + t->group)); w > 0; w--) {
      if (vectors > 2) fetch_ahead(t, b, vectors);
#pragma clang loop unroll(full)
      for (int place = 0; place < TK_Q4_WORD; place++)
        add_products(t, b, a, zero, table, place, sum, rows, vectors, zeros);
      a += TK_Q4_WORD;
      b += TK_Q4_LINE;
    }
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      const __m512 scale = _mm512_load_ps(scales + v / 2 * t->panel_stride + v % 2 * 64);
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) total[r][v] = _mm512_fmadd_ps(sum[r][v], scale, total[r][v]);
    }
  }
  finish(t, total, rows, vectors);
}

TK_INLINE_AVX512 __m512i four(const int8_t *a) {
  int32_t bytes;
  memcpy(&bytes, a, sizeof bytes);
  return _mm512_set1_epi32(bytes);
}

typedef __m512i integers[CODE_ROWS][8];

// The sums of a block: `words` of codes from a and b on.
TK_INLINE_AVX512 void add_block(const tk_q4_tile *t, const int8_t *a, const uint8_t *b,
                                size_t words, integers sum, const int rows, const int vectors) {
  const __m512i mask = _mm512_set1_epi8(15);
  const int8_t *a3 = a + 3 * t->lda;
  for (; words > 0; words--, a += TK_Q4_WORD, a3 += TK_Q4_WORD, b += TK_Q4_LINE) {
    __m512i low[8], high[8];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      const __m512i word = _mm512_load_si512(b + v / 2 * t->panel_stride + v % 2 * 64);
      low[v] = _mm512_and_si512(word, mask);
      high[v] = _mm512_and_si512(_mm512_srli_epi16(word, 4), mask);
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      const int8_t *codes = (r < 3 ? a : a3) + r % 3 * t->lda;
      const __m512i first = four(codes);
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++)
        sum[r][v] = _mm512_dpbusd_epi32(sum[r][v], low[v], first);
      const __m512i second = four(codes + 4);
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++)
        sum[r][v] = _mm512_dpbusd_epi32(sum[r][v], high[v], second);
    }
  }
}

TK_INLINE_AVX512 void multiply_codes(const tk_q4_tile *t, const int rows, const int vectors,
                                     const bool zeros) {
  const size_t k = t->g->k, size = t->g->block;
  const int8_t *a = t->a;
  const uint8_t *b = t->b;
  const float *scales = t->scales;
  const int32_t *starts = t->starts;
  sums total;
  clear(total, rows, vectors);
  for (size_t k0 = 0; k0 < k; k0 += t->group) {
    const size_t end = tk_min(k, k0 + t->group);
    const uint8_t *const group = b;
    b += TK_Q4_FLOATS * (zeros ? 2 : 1);
    for (size_t start = k0; start < end; start += size, scales++, starts++) {
      const size_t words = tk_q4_words(start, tk_min(end, start + size));
      integers sum;
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++)
          sum[r][v] = _mm512_set1_epi32(zeros ? 0 : starts[r * t->blocks]);
      add_block(t, a, b, words, sum, rows, vectors);
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        const __m512 factor = _mm512_set1_ps(scales[r * t->blocks]);
        const __m512 less = _mm512_set1_ps((float)starts[r * t->blocks] * 0.125f);
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
          const uint8_t *const at = group + v / 2 * t->panel_stride + v % 2 * 64;
          __m512 exact = _mm512_cvtepi32_ps(sum[r][v]);
          if (zeros) exact = _mm512_fmadd_ps(_mm512_load_ps(at + TK_Q4_FLOATS), less, exact);
          const __m512 scale = _mm512_mul_ps(factor, _mm512_load_ps(at));
          total[r][v] = _mm512_fmadd_ps(scale, exact, total[r][v]);
        }
      }
      a += words * TK_Q4_WORD;
      b += words * TK_Q4_LINE;
    }
  }
  finish(t, total, rows, vectors);
}

typedef void (*multiplier)(const tk_q4_tile *);

#define MULTIPLY(kind, rows, vectors)                                                     \
  TK_TARGET_AVX512 static void kind##_##rows##_##vectors(const tk_q4_tile *t) {           \
    multiply_##kind(t, rows, vectors, false);                                             \
  }                                                                                       \
  TK_TARGET_AVX512 static void kind##_##rows##_##vectors##_zeros(const tk_q4_tile *t) {   \
    multiply_##kind(t, rows, vectors, true);                                              \
  }
MULTIPLY(floats, 1, 2) MULTIPLY(floats, 2, 2) MULTIPLY(floats, 3, 2) MULTIPLY(floats, 4, 2)
MULTIPLY(floats, 5, 2) MULTIPLY(floats, 6, 2) MULTIPLY(floats, 7, 2) MULTIPLY(floats, 8, 2)
MULTIPLY(floats, 9, 2) MULTIPLY(floats, 10, 2)
MULTIPLY(floats, 1, 4) MULTIPLY(floats, 2, 4) MULTIPLY(floats, 1, 8)
MULTIPLY(codes, 1, 2) MULTIPLY(codes, 2, 2) MULTIPLY(codes, 3, 2) MULTIPLY(codes, 4, 2)
MULTIPLY(codes, 5, 2) MULTIPLY(codes, 6, 2)
MULTIPLY(codes, 1, 4) MULTIPLY(codes, 2, 4) MULTIPLY(codes, 1, 8)

// Tiles by their panels and rows: with few rows several panels at once keep enough sums in flight.
typedef struct {
  multiplier one_panel[FLOAT_ROWS], two_panels[2], four_panels[1];
} multipliers;

static const multipliers floats[2] = {
    {{floats_1_2, floats_2_2, floats_3_2, floats_4_2, floats_5_2, floats_6_2, floats_7_2,
      floats_8_2, floats_9_2, floats_10_2},
     {floats_1_4, floats_2_4},
     {floats_1_8}},
    {{floats_1_2_zeros, floats_2_2_zeros, floats_3_2_zeros, floats_4_2_zeros, floats_5_2_zeros,
      floats_6_2_zeros, floats_7_2_zeros, floats_8_2_zeros, floats_9_2_zeros, floats_10_2_zeros},
     {floats_1_4_zeros, floats_2_4_zeros},
     {floats_1_8_zeros}}};

static const multipliers codes[2] = {
    {{codes_1_2, codes_2_2, codes_3_2, codes_4_2, codes_5_2, codes_6_2},
     {codes_1_4, codes_2_4},
     {codes_1_8}},
    {{codes_1_2_zeros, codes_2_2_zeros, codes_3_2_zeros, codes_4_2_zeros, codes_5_2_zeros,
      codes_6_2_zeros},
     {codes_1_4_zeros, codes_2_4_zeros},
     {codes_1_8_zeros}}};

static void sweep(tk_q4_tile *t, size_t rows, const multipliers *by) {
  while (t->column < t->end) {
    const size_t left = (t->end - t->column + TK_PANEL - 1) / TK_PANEL;
    const size_t panels = rows == 1 && left >= 4 ? 4 : rows <= 2 && left >= 2 ? 2 : 1;
    (panels == 4 ? by->four_panels : panels == 2 ? by->two_panels : by->one_panel)[rows - 1](t);
    t->b += panels * t->panel_stride;
    t->column += panels * TK_PANEL;
  }
}

static void sweep_floats(tk_q4_tile *t, size_t rows) { sweep(t, rows, &floats[t->g->has_zeros]); }
static void sweep_codes(tk_q4_tile *t, size_t rows) { sweep(t, rows, &codes[t->g->has_zeros]); }

static void q4_gemm(const tk_q4_gemm *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  static const tk_q4_method method = {FLOAT_ROWS, CODE_ROWS, sweep_floats, sweep_codes};
  tk_q4_gemm_by(&method, g, m0, m1, n0, n1);
}

void tk_install_avx512_q4(tk_kernels *k) { k->q4_gemm = q4_gemm; }
#endif
