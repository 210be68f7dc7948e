// Float matrix product: register tiles of up to 6 rows by half a panel, one row by a whole one.
#if defined(__aarch64__)
#include "neon.h"
#include "tile.h"

typedef float32x4_t sums[6][8];

TK_INLINE_NEON void finish(const tk_f32_tile *t, sums acc, const int rows, const int v) {
  const tk_f32_gemm *g = t->g;
  const size_t n = t->column + (size_t)v * 4, left = n < t->end ? t->end - n : 0;
  if (left == 0) return;
  const bool biased = g->bias;
  const float32x4_t bias = biased ? tk_load_floats_neon(g->bias + n, left) : vdupq_n_f32(0);
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    const size_t row = t->row + (size_t)r;
    float32x4_t sum = acc[r][v];
    if (biased) sum = vaddq_f32(sum, bias);
    if (g->residual)
      sum = vaddq_f32(sum, tk_load_floats_neon(g->residual + row * g->ldr + n, left));
    tk_store_floats_neon(g->c + row * g->ldc + n, tk_clamp_neon(sum, g->lo, g->hi), left);
  }
}

// `vectors` of 4 columns, from a panel's start or middle.
TK_INLINE_NEON void multiply(const tk_f32_tile *t, const int rows, const int vectors) {
  sums acc;
  float *partial = t->partial;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++)
      acc[r][v] = t->first ? vdupq_n_f32(0) : vld1q_f32(partial + r * t->partial_stride + v * 4);
  const float *b = t->b;
  for (size_t tap = 0; tap < t->tap_count; tap++) {
    const float *a = t->taps[tap] + t->offset;
    for (size_t k = 0; k < t->depth; k++, a++, b += TK_PANEL) {
      float32x4_t column[8];
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) column[v] = vld1q_f32(b + v * 4);
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        const float32x4_t value = vld1q_dup_f32(a + (size_t)r * t->lda);
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) acc[r][v] = vfmaq_f32(acc[r][v], value, column[v]);
      }
    }
  }
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    if (t->last)
      finish(t, acc, rows, v);
    else
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) vst1q_f32(partial + r * t->partial_stride + v * 4, acc[r][v]);
  }
}

typedef void (*multiplier)(const tk_f32_tile *);

#define MULTIPLY(rows, vectors) \
  static void multiply_##rows##_##vectors(const tk_f32_tile *t) { multiply(t, rows, vectors); }
MULTIPLY(1, 4) MULTIPLY(2, 4) MULTIPLY(3, 4) MULTIPLY(4, 4) MULTIPLY(5, 4) MULTIPLY(6, 4)
MULTIPLY(1, 8)

static const multiplier half_panel[6] = {multiply_1_4, multiply_2_4, multiply_3_4,
                                         multiply_4_4, multiply_5_4, multiply_6_4};

static void sweep(tk_f32_tile *t, size_t rows) {
  while (t->column < t->end) {
    const size_t within = t->column % TK_PANEL;
    const bool whole = rows == 1 && within == 0;
    (whole ? multiply_1_8 : half_panel[rows - 1])(t);
    const size_t step = whole ? TK_PANEL : TK_PANEL / 2, next = within + step;
    t->b += (ptrdiff_t)(next / TK_PANEL * t->panel_stride + next % TK_PANEL) - (ptrdiff_t)within;
    t->column += step;
    t->partial += step;
  }
}

static void f32_gemm(const tk_f32_gemm *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  static const tk_f32_method method = {6, sweep};
  tk_f32_gemm_by(&method, g, m0, m1, n0, n1);
}

void tk_install_neon_f32_gemm(tk_kernels *k) { k->f32_gemm = f32_gemm; }
#endif
