// What the AVX2 sources share.
#ifndef TESSERA_CKERNELS_AVX2_H
#define TESSERA_CKERNELS_AVX2_H

#include <immintrin.h>
#include <string.h>

#include "internal.h"

#define TK_TARGET_AVX2 __attribute__((target("avx2,fma,f16c")))
#define TK_INLINE_AVX2 static inline __attribute__((always_inline)) TK_TARGET_AVX2

void tk_install_avx2_f32_gemm(tk_kernels *k);
void tk_install_avx2_u8s8_gemm(tk_kernels *k);
void tk_install_avx2_depthwise(tk_kernels *k);
void tk_install_avx2_float(tk_kernels *k);
void tk_install_avx2_statistics(tk_kernels *k);
void tk_install_avx2_bytes(tk_kernels *k);
void tk_install_avx2_windows(tk_kernels *k);
void tk_install_avx2_convert(tk_kernels *k);
void tk_install_avx2_half(tk_kernels *k);
void tk_install_avx2_layout(tk_kernels *k);

// The lowest `n` lanes of eight, for n up to 8 and beyond.
TK_INLINE_AVX2 __m256i tk_mask8(size_t n) {
  static const int32_t lanes[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256((const __m256i *)(lanes + 8 - (n < 8 ? n : 8)));
}

// Operands in this order let a NaN through: maxps and minps return the second where one is NaN.
TK_INLINE_AVX2 __m256 tk_clamp_avx2(__m256 x, __m256 lo, __m256 hi) {
  return _mm256_min_ps(hi, _mm256_max_ps(lo, x));
}

// round(x) for low <= x <= high after clamping, plus zero; a NaN gives the lower bound.
TK_INLINE_AVX2 __m256i tk_round_clamped_avx2(__m256 x, __m256 low, __m256 high, __m256i zero) {
  x = _mm256_min_ps(_mm256_max_ps(x, low), high);
  return _mm256_add_epi32(_mm256_cvtps_epi32(x), zero);
}

// The low bytes of eight int32 in 0...255.
TK_INLINE_AVX2 __m128i tk_bytes_of_avx2(__m256i x) {
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  return _mm_packus_epi16(words, words);
}

// The first n of eight bytes.
TK_INLINE_AVX2 void tk_store_bytes_avx2(uint8_t *to, __m128i bytes, size_t n) {
  const int64_t word = _mm_cvtsi128_si64(bytes);
  if (n >= 8) {
    memcpy(to, &word, 8);
  } else {
    for (size_t i = 0; i < n; i++) to[i] = (uint8_t)(word >> (8 * i));
  }
}

#endif
