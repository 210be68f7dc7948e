// Small floats with F16C, and bfloat16 by integer arithmetic.
#if defined(__x86_64__)
#include "avx2.h"

TK_TARGET_AVX2 static void f16_to_f32(const uint16_t *x, float *y, size_t n) {
  for (size_t i = 0; i < n; i += 8) {
    uint16_t block[8] = {0};
    const size_t count = tk_min(8, n - i);
    if (count < 8) memcpy(block, x + i, count * sizeof *x);
    const __m128i half = _mm_loadu_si128((const __m128i *)(count < 8 ? block : x + i));
    _mm256_maskstore_ps(y + i, tk_mask8(count), _mm256_cvtph_ps(half));
  }
}

TK_INLINE_AVX2 void store_words(uint16_t *y, __m128i words, size_t count) {
  if (count >= 8) {
    _mm_storeu_si128((__m128i *)y, words);
  } else {
    uint16_t block[8];
    _mm_storeu_si128((__m128i *)block, words);
    memcpy(y, block, count * sizeof *y);
  }
}

TK_TARGET_AVX2 static void f32_to_f16(const float *x, uint16_t *y, size_t n) {
  for (size_t i = 0; i < n; i += 8) {
    const __m256 v = _mm256_maskload_ps(x + i, tk_mask8(n - i));
    store_words(y + i, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT), n - i);
  }
}

TK_TARGET_AVX2 static void f32_to_bf16(const float *x, uint16_t *y, size_t n) {
  const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF), inf = _mm256_set1_epi32(0x7F800000);
  const __m256i one = _mm256_set1_epi32(1), half = _mm256_set1_epi32(0x7FFF);
  for (size_t i = 0; i < n; i += 8) {
    const __m256i bits = _mm256_castps_si256(_mm256_maskload_ps(x + i, tk_mask8(n - i)));
    const __m256i nan = _mm256_cmpgt_epi32(_mm256_and_si256(bits, magnitude), inf);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), one);
    const __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, half), odd);
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256i top = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
    const __m128i low = _mm256_castsi256_si128(top), high = _mm256_extracti128_si256(top, 1);
    store_words(y + i, _mm_packus_epi32(low, high), n - i);
  }
}

void tk_install_avx2_half(tk_kernels *k) {
  k->f16_to_f32 = f16_to_f32;
  k->f32_to_f16 = f32_to_f16;
  k->f32_to_bf16 = f32_to_bf16;
}
#endif
