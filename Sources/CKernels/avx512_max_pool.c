// Max pooling.
#if defined(__x86_64__)
#include "avx512.h"

TK_TARGET_AVX512 static void max_pool_u8(const tk_max_pool *m, size_t p0, size_t p1) {
  for (size_t p = p0; p < p1; p++)
    for (size_t c = 0; c < m->channels; c += 64) {
      const __mmask64 mask = tk_mask64(m->channels - c);
      __m512i max = _mm512_setzero_si512();
      for (size_t t = 0; t < m->taps; t++) {
        const uint8_t *row = tk_row_u8(m->rows[p * m->taps + t], m->row_offset, m->pad_row);
        max = _mm512_max_epu8(max, _mm512_maskz_loadu_epi8(mask, row + c));
      }
      _mm512_mask_storeu_epi8((uint8_t *)m->c + p * m->ldc + c, mask, max);
    }
}

TK_TARGET_AVX512 static void max_pool_f32(const tk_max_pool *m, size_t p0, size_t p1) {
  for (size_t p = p0; p < p1; p++)
    for (size_t c = 0; c < m->channels; c += 16) {
      const __mmask16 mask = tk_mask16(m->channels - c);
      __m512 max = _mm512_set1_ps(-__builtin_inff());
      for (size_t t = 0; t < m->taps; t++) {
        const float *row = tk_row_f32(m->rows[p * m->taps + t], m->row_offset, m->pad_row);
        const __m512 x = _mm512_maskz_loadu_ps(mask, row + c);
        // maxps gives its second operand where one is NaN: x passes, and then stays.
        const __mmask16 nan = _mm512_cmp_ps_mask(max, max, _CMP_UNORD_Q);
        max = _mm512_mask_max_ps(max, (__mmask16)~nan, max, x);
      }
      _mm512_mask_storeu_ps((float *)m->c + p * m->ldc + c, mask, max);
    }
}

void tk_install_avx512_max_pool(tk_kernels *k) {
  k->max_pool_u8 = max_pool_u8;
  k->max_pool_f32 = max_pool_f32;
}
#endif
