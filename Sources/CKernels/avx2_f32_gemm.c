// Float matrix product: register tiles of up to 6 rows by half a panel, fewer rows by more.
#if defined(__x86_64__)
#include "avx2.h"
#include "tile.h"

// A register tile of sums: 6 rows by 16 columns, or fewer rows by up to 64.
typedef __m256 sums[6][8];

TK_INLINE_AVX2 void finish(const tk_f32_tile *t, sums acc, const int rows, const int v) {
  const tk_f32_gemm *g = t->g;
  const size_t n = t->column + (size_t)v * 8, ldc = g->ldc, ldr = g->ldr;
  const __m256i mask = tk_mask8(n < t->end ? t->end - n : 0);
  const __m256 lo = _mm256_set1_ps(g->lo), hi = _mm256_set1_ps(g->hi);
  const bool biased = g->bias;
  const __m256 bias = biased ? _mm256_maskload_ps(g->bias + n, mask) : lo;
  const float *residual = g->residual ? g->residual + t->row * ldr + n : NULL;
  float *c = g->c + t->row * ldc + n;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++, c += ldc) {
    __m256 sum = acc[r][v];
    if (biased) sum = _mm256_add_ps(sum, bias);
    if (residual) sum = _mm256_add_ps(sum, _mm256_maskload_ps(residual + r * ldr, mask));
    _mm256_maskstore_ps(c, mask, tk_clamp_avx2(sum, lo, hi));
  }
}

// `vectors` of 8 columns, from a panel's start or middle.
TK_INLINE_AVX2 void multiply(const tk_f32_tile *t, const int rows, const int vectors) {
  sums acc;
  float *partial = t->partial;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++)
      acc[r][v] = t->first ? _mm256_setzero_ps()
                           : _mm256_loadu_ps(partial + r * t->partial_stride + v * 8);
  const float *b = t->b;
  for (size_t tap = 0; tap < t->tap_count; tap++) {
    const float *a0 = t->taps[tap] + t->offset, *a3 = a0 + 3 * t->lda;
    for (size_t k = 0; k < t->depth; k++, a0++, a3++, b += TK_PANEL) {
      __m256 column[8];
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++)
        column[v] = _mm256_load_ps(b + v / 4 * t->panel_stride + v % 4 * 8);
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        const __m256 value = _mm256_set1_ps((r < 3 ? a0 : a3)[r % 3 * t->lda]);
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) acc[r][v] = _mm256_fmadd_ps(value, column[v], acc[r][v]);
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
        _mm256_storeu_ps(partial + r * t->partial_stride + v * 8, acc[r][v]);
  }
}

typedef void (*multiplier)(const tk_f32_tile *);

#define MULTIPLY(rows, vectors)                                                  \
  TK_TARGET_AVX2 static void multiply_##rows##_##vectors(const tk_f32_tile *t) { \
    multiply(t, rows, vectors);                                                  \
  }
MULTIPLY(1, 2) MULTIPLY(2, 2) MULTIPLY(3, 2) MULTIPLY(4, 2) MULTIPLY(5, 2) MULTIPLY(6, 2)
MULTIPLY(2, 4) MULTIPLY(1, 8)

static const multiplier half_panel[6] = {multiply_1_2, multiply_2_2, multiply_3_2,
                                         multiply_4_2, multiply_5_2, multiply_6_2};

// Goes on by `vectors` of 8 columns, to the middle or the start of a panel.
static void advance(tk_f32_tile *t, size_t vectors) {
  const size_t within = t->column % TK_PANEL, next = within + vectors * 8;
  t->b += (ptrdiff_t)(next / TK_PANEL * t->panel_stride + next % TK_PANEL) - (ptrdiff_t)within;
  t->column += vectors * 8;
  t->partial += vectors * 8;
}

static void sweep(tk_f32_tile *t, size_t rows) {
  while (t->column < t->end) {
    const size_t left = t->end - t->column;
    if (rows == 1 && left > 48) {
      multiply_1_8(t);
      advance(t, 8);
    } else if (rows == 2 && left > 16 && t->column % TK_PANEL == 0) {
      multiply_2_4(t);
      advance(t, 4);
    } else {
      half_panel[rows - 1](t);
      advance(t, 2);
    }
  }
}

static void f32_gemm(const tk_f32_gemm *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  static const tk_f32_method method = {6, sweep};
  tk_f32_gemm_by(&method, g, m0, m1, n0, n1);
}

void tk_install_avx2_f32_gemm(tk_kernels *k) { k->f32_gemm = f32_gemm; }
#endif
