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

// Up to 64 channels of a pixel from c on.
TK_INLINE_AVX512 void max_f32(const tk_max_pool *m, size_t p, size_t c, const int vectors) {
  __m512 max[4];
  __mmask16 mask[4], nan[4];
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    const size_t n = c + (size_t)v * 16;
    mask[v] = tk_mask16(n < m->channels ? m->channels - n : 0);
    max[v] = _mm512_set1_ps(-__builtin_inff());
    nan[v] = 0;
  }
  for (size_t t = 0; t < m->taps; t++) {
    const float *row = tk_row_f32(m->rows[p * m->taps + t], m->row_offset, m->pad_row);
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      const __m512 x = _mm512_maskz_loadu_ps(mask[v], row + c + v * 16);
      nan[v] |= _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
      max[v] = _mm512_max_ps(max[v], x);
    }
  }
  const __m512 none = _mm512_set1_ps(__builtin_nanf(""));
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++)
    _mm512_mask_storeu_ps((float *)m->c + p * m->ldc + c + v * 16, mask[v],
                          _mm512_mask_mov_ps(max[v], nan[v], none));
}

TK_TARGET_AVX512 static void max_pool_f32(const tk_max_pool *m, size_t p0, size_t p1) {
  for (size_t p = p0; p < p1; p++) {
    size_t c = 0;
    for (; c + 16 < m->channels; c += 64) max_f32(m, p, c, 4);
    if (c < m->channels) max_f32(m, p, c, 1);
  }
}

void tk_install_avx512_max_pool(tk_kernels *k) {
  k->max_pool_u8 = max_pool_u8;
  k->max_pool_f32 = max_pool_f32;
}
#endif
