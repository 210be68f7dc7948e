// Counts by magnitude for AVX-512: zeros are squeezed out of vectors of bins.
#if defined(__x86_64__)
#include "avx512.h"

// The bins of up to 16 values; those of zeros left out, the number of others returned.
TK_INLINE_AVX512 size_t bins_of(__m512 x, __mmask16 valid, __m512 scale, __m512i middle,
                                int32_t *bins) {
  const __m512 magnitude = _mm512_abs_ps(x);
  const __m512i distance = _mm512_cvttps_epi32(_mm512_mul_ps(magnitude, scale));
  const __m512i below = _mm512_sub_epi32(_mm512_sub_epi32(middle, _mm512_set1_epi32(1)), distance);
  const __mmask16 kept = _mm512_mask_cmp_ps_mask(valid, x, _mm512_setzero_ps(), _CMP_NEQ_OQ);
  const __mmask16 above = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ);
  const __m512i bin = _mm512_mask_add_epi32(below, above, middle, distance);
  _mm512_storeu_si512(bins, _mm512_maskz_compress_epi32(kept, bin));
  return (size_t)__builtin_popcount(kept);
}

TK_TARGET_AVX512 static size_t count_magnitudes(const float *x, size_t n, float scale,
                                                uint64_t *counts, size_t bins) {
  enum { BLOCK = 512 };
  const __m512 factor = _mm512_set1_ps(scale);
  const __m512i middle = _mm512_set1_epi32((int32_t)bins);
  int32_t kept[BLOCK + 16];
  size_t counted = 0;
  for (size_t i = 0; i < n; i += BLOCK) {
    const size_t count = n - i < BLOCK ? n - i : BLOCK;
    size_t number = 0;
    for (size_t j = 0; j < count; j += 16) {
      const __mmask16 valid = tk_mask16(count - j);
      const __m512 v = _mm512_maskz_loadu_ps(valid, x + i + j);
      number += bins_of(v, valid, factor, middle, kept + number);
    }
    for (size_t j = 0; j < number; j++) counts[kept[j]]++;
    counted += number;
  }
  return n - counted;
}

void tk_install_avx512_counts(tk_kernels *k) { k->count_magnitudes = count_magnitudes; }
#endif
