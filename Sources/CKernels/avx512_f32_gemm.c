// Float matrix product: register tiles of up to 12 rows by 32 columns, fewer rows by more.
#if defined(__x86_64__)
#include "avx512.h"
#include "tile.h"

// A register tile of sums: 12 rows by 32 columns, or fewer rows by up to 128.
typedef __m512 sums[12][8];

// What the loop over rows needs is read before it stores: the compiler cannot know that a store
// does not change it.
TK_INLINE_AVX512 void finish(const tk_f32_tile *t, sums acc, const int rows, const int v) {
  const tk_f32_gemm *g = t->g;
  const size_t n = t->column + (size_t)v * 16, ldc = g->ldc, ldr = g->ldr;
  const __mmask16 mask = tk_mask16(n < t->end ? t->end - n : 0);
  const __m512 lo = _mm512_set1_ps(g->lo), hi = _mm512_set1_ps(g->hi);
  const bool biased = g->bias;
  const __m512 bias = biased ? _mm512_maskz_loadu_ps(mask, g->bias + n) : lo;
  const float *residual = g->residual ? g->residual + t->row * ldr + n : NULL;
  float *c = g->c + t->row * ldc + n;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++, c += ldc) {
    __m512 sum = acc[r][v];
    if (biased) sum = _mm512_add_ps(sum, bias);
    if (residual) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, residual + r * ldr));
    _mm512_mask_storeu_ps(c, mask, tk_clamp_avx512(sum, lo, hi));
  }
}

// `vectors` of 16 columns: 1, or two for each panel.
TK_INLINE_AVX512 void multiply(const tk_f32_tile *t, const int rows, const int vectors) {
  sums acc;
  float *partial = t->partial;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++)
      acc[r][v] = t->first ? _mm512_setzero_ps()
                           : _mm512_loadu_ps(partial + r * t->partial_stride + v * 16);
  const float *b = t->b;
  for (size_t tap = 0; tap < t->tap_count; tap++) {
    // Three rows for each pointer: base, base + stride, base + 2 * stride are one address each.
    const float *a0 = t->taps[tap] + t->offset, *a3 = a0 + 3 * t->lda;
    const float *a6 = a0 + 6 * t->lda, *a9 = a0 + 9 * t->lda;
    for (size_t k = 0; k < t->depth; k++, a0++, a3++, a6++, a9++, b += TK_PANEL) {
      __m512 column[8];
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++)
        column[v] = _mm512_load_ps(b + v / 2 * t->panel_stride + v % 2 * 16);
      if (vectors == 2) _mm_prefetch((const char *)(b + t->ahead), _MM_HINT_T1);
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        const float *base = r < 3 ? a0 : r < 6 ? a3 : r < 9 ? a6 : a9;
        const __m512 value = _mm512_set1_ps(base[r % 3 * t->lda]);
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) acc[r][v] = _mm512_fmadd_ps(value, column[v], acc[r][v]);
      }
    }
  }
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    if (t->last)
      finish(t, acc, rows, v);
    else
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++)
        _mm512_storeu_ps(partial + r * t->partial_stride + v * 16, acc[r][v]);
  }
}

typedef void (*multiplier)(const tk_f32_tile *);

#define MULTIPLY(rows, vectors)                                                    \
  TK_TARGET_AVX512 static void multiply_##rows##_##vectors(const tk_f32_tile *t) { \
    multiply(t, rows, vectors);                                                    \
  }
#define MULTIPLY_1_2(rows) MULTIPLY(rows, 1) MULTIPLY(rows, 2)
MULTIPLY_1_2(1) MULTIPLY_1_2(2) MULTIPLY_1_2(3) MULTIPLY_1_2(4) MULTIPLY_1_2(5) MULTIPLY_1_2(6)
MULTIPLY_1_2(7) MULTIPLY_1_2(8) MULTIPLY_1_2(9) MULTIPLY_1_2(10) MULTIPLY_1_2(11)
MULTIPLY_1_2(12)
MULTIPLY(3, 4) MULTIPLY(4, 4) MULTIPLY(1, 8) MULTIPLY(2, 8)

static const multiplier one_vector[12] = {
    multiply_1_1, multiply_2_1, multiply_3_1, multiply_4_1,  multiply_5_1,  multiply_6_1,
    multiply_7_1, multiply_8_1, multiply_9_1, multiply_10_1, multiply_11_1, multiply_12_1};
static const multiplier one_panel[12] = {
    multiply_1_2, multiply_2_2, multiply_3_2, multiply_4_2,  multiply_5_2,  multiply_6_2,
    multiply_7_2, multiply_8_2, multiply_9_2, multiply_10_2, multiply_11_2, multiply_12_2};
// With few rows several panels at once keep enough sums in flight.
static const multiplier wide[4] = {multiply_1_8, multiply_2_8, multiply_3_4, multiply_4_4};

static void sweep(tk_f32_tile *t, size_t rows) {
  const size_t broad = rows <= 2 ? 4 : rows <= 4 ? 2 : 1;
  while (t->column < t->end) {
    const bool many = broad > 1 && t->column + (broad - 1) * TK_PANEL < t->end;
    const size_t panels = many ? broad : 1;
    if (many)
      wide[rows - 1](t);
    else if (t->end - t->column <= 16)
      one_vector[rows - 1](t);
    else
      one_panel[rows - 1](t);
    t->b += panels * t->panel_stride;
    t->column += panels * TK_PANEL;
    t->partial += panels * TK_PANEL;
  }
}

static void f32_gemm(const tk_f32_gemm *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  static const tk_f32_method method = {12, sweep};
  tk_f32_gemm_by(&method, g, m0, m1, n0, n1);
}

void tk_install_avx512_f32_gemm(tk_kernels *k) { k->f32_gemm = f32_gemm; }
#endif
