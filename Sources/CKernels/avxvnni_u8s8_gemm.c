// Integer matrix product with AVX-VNNI: register tiles of up to 6 rows by 16 columns; four products
// per lane and instruction, summed exactly in int32. For processors without AVX-512.
#if defined(__x86_64__)
#include "avx2_sums.h"

#define TK_TARGET_AVXVNNI __attribute__((target("avx2,fma,f16c,avxvnni")))

enum { VECTORS = 2 };  // of 8 columns

static inline __attribute__((always_inline)) TK_TARGET_AVXVNNI void multiply(const tk_u8_tile *t,
                                                                             const int rows) {
  tk_sums_avx2 acc[VECTORS];
#pragma clang loop unroll(full)
  for (int v = 0; v < VECTORS; v++)
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) acc[v][r] = _mm256_setzero_si256();
  const int8_t *b = t->b;
  for (size_t tap = 0; tap < t->tap_count; tap++) {
    // Three rows for each pointer: base, base + stride, base + 2 * stride are one address each.
    const uint8_t *a0 = t->taps[tap] + t->offset, *a3 = a0 + 3 * t->lda;
    for (size_t k = 0; k < t->groups; k++, a0 += 4, a3 += 4, b += TK_PANEL * 4) {
      const __m256i left = _mm256_load_si256((const __m256i *)b);
      const __m256i right = _mm256_load_si256((const __m256i *)(b + 32));
      _mm_prefetch((const char *)(b + t->ahead), _MM_HINT_T1);
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        int32_t four;
        memcpy(&four, (r < 3 ? a0 : a3) + r % 3 * t->lda, sizeof four);
        const __m256i value = _mm256_set1_epi32(four);
        acc[0][r] = _mm256_dpbusd_avx_epi32(acc[0][r], value, left);
        acc[1][r] = _mm256_dpbusd_avx_epi32(acc[1][r], value, right);
      }
    }
  }
#pragma clang loop unroll(full)
  for (int v = 0; v < VECTORS; v++) {
    tk_u8_tile part = *t;
    part.column += (size_t)v * 8;
    if (part.column < t->end) tk_finish_avx2(&part, acc[v], rows);
  }
}

#define MULTIPLY(rows) \
  TK_TARGET_AVXVNNI static void multiply_##rows(const tk_u8_tile *t) { multiply(t, rows); }
MULTIPLY(1) MULTIPLY(2) MULTIPLY(3) MULTIPLY(4) MULTIPLY(5) MULTIPLY(6)

static void (*const multipliers[6])(const tk_u8_tile *) = {
    multiply_1, multiply_2, multiply_3, multiply_4, multiply_5, multiply_6};

static void sweep(tk_u8_tile *t, size_t rows) {
  enum { STEP = VECTORS * 8 };
  while (t->column < t->end) {
    multipliers[rows - 1](t);
    const size_t next = t->column % TK_PANEL + STEP;
    t->b += next < TK_PANEL ? STEP * 4 : (ptrdiff_t)t->panel_stride - (TK_PANEL - STEP) * 4;
    t->column += STEP;
  }
}

TK_TARGET_AVX2 static void copy(const uint8_t *from, size_t n, void *to) {
  for (size_t i = 0; i < n; i += 16)
    _mm_storeu_si128((__m128i *)((uint8_t *)to + i), _mm_loadu_si128((const __m128i *)(from + i)));
}

static void u8s8_gemm(const tk_u8s8_gemm *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  static const tk_u8_method method = {6, 1, copy, tk_sum_bytes_avx2, sweep};
  tk_u8s8_gemm_by(&method, g, m0, m1, n0, n1);
}

// Everything else is as with AVX2.
void tk_install_avxvnni(tk_kernels *k) {
  k->isa = TK_AVXVNNI;
  k->name = "avxvnni";
  k->u8s8_gemm = u8s8_gemm;
}
#endif
