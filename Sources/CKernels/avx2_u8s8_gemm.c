// Integer matrix product: register tiles of up to 6 rows by 8 columns.
//
// vpmaddubsw saturates its 16-bit pair sums (255 * -128 twice does not fit), so both sides are
// widened to int16 and multiplied with vpmaddwd, whose pair sums are exact in int32.
#if defined(__x86_64__)
#include "avx2_sums.h"

// Rows are int16 here, four of them one broadcast of 64 bits.
TK_INLINE_AVX2 void multiply(const tk_u8_tile *t, const int rows) {
  __m256i pairs[6][2];  // sums of even and odd pairs of k, for 4 columns each
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) pairs[r][0] = pairs[r][1] = _mm256_setzero_si256();
  const uint8_t *a0 = t->taps[0] + t->offset, *a3 = a0 + 3 * t->lda;  // always brought together
  const int8_t *b = t->b;
  for (size_t k = 0; k < t->groups; k++, a0 += 8, a3 += 8, b += TK_PANEL * 4) {
    const __m256i left = _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)b));
    const __m256i right = _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(b + 16)));
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      int64_t four;
      memcpy(&four, (r < 3 ? a0 : a3) + r % 3 * t->lda, sizeof four);
      const __m256i value = _mm256_set1_epi64x(four);
      pairs[r][0] = _mm256_add_epi32(pairs[r][0], _mm256_madd_epi16(value, left));
      pairs[r][1] = _mm256_add_epi32(pairs[r][1], _mm256_madd_epi16(value, right));
    }
  }
  tk_sums_avx2 acc;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
    acc[r] = _mm256_permute4x64_epi64(_mm256_hadd_epi32(pairs[r][0], pairs[r][1]), 0xD8);
  tk_finish_avx2(t, acc, rows);
}

#define MULTIPLY(rows) \
  TK_TARGET_AVX2 static void multiply_##rows(const tk_u8_tile *t) { multiply(t, rows); }
MULTIPLY(1) MULTIPLY(2) MULTIPLY(3) MULTIPLY(4) MULTIPLY(5) MULTIPLY(6)

static void (*const multipliers[6])(const tk_u8_tile *) = {
    multiply_1, multiply_2, multiply_3, multiply_4, multiply_5, multiply_6};

static void sweep(tk_u8_tile *t, size_t rows) {
  while (t->column < t->end) {
    multipliers[rows - 1](t);
    const size_t next = t->column % TK_PANEL + 8;
    t->b += next < TK_PANEL ? 8 * 4 : (ptrdiff_t)t->panel_stride - (TK_PANEL - 8) * 4;
    t->column += 8;
  }
}

TK_TARGET_AVX2 static void widen(const uint8_t *from, size_t n, void *to) {
  for (size_t i = 0; i < n; i += 16) {
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(from + i));
    _mm256_storeu_si256((__m256i *)((uint16_t *)to + i), _mm256_cvtepu8_epi16(bytes));
  }
}

static void u8s8_gemm(const tk_u8s8_gemm *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  static const tk_u8_method method = {6, 2, widen, tk_sum_bytes_avx2, sweep};
  tk_u8s8_gemm_by(&method, g, m0, m1, n0, n1);
}

void tk_install_avx2_u8s8_gemm(tk_kernels *k) { k->u8s8_gemm = u8s8_gemm; }
#endif
