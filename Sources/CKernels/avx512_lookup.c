// Tables of 256 bytes in four registers, where there is AVX-512 VBMI.
#if defined(__x86_64__)
#include "avx512.h"

__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi"))) static void lookup_u8(
    const uint8_t *x, const uint8_t *table, uint8_t *y, size_t n) {
  const __m512i t0 = _mm512_loadu_si512(table), t1 = _mm512_loadu_si512(table + 64);
  const __m512i t2 = _mm512_loadu_si512(table + 128), t3 = _mm512_loadu_si512(table + 192);
  for (size_t i = 0; i < n; i += 64) {
    const __mmask64 some = n - i >= 64 ? ~(__mmask64)0 : (((__mmask64)1 << (n - i)) - 1);
    const __m512i index = _mm512_maskz_loadu_epi8(some, x + i);
    const __m512i low = _mm512_permutex2var_epi8(t0, index, t1);
    const __m512i high = _mm512_permutex2var_epi8(t2, index, t3);
    const __m512i found = _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), low, high);
    _mm512_mask_storeu_epi8(y + i, some, found);
  }
}

void tk_install_avx512_lookup(tk_kernels *k) {
  if (__builtin_cpu_supports("avx512vbmi")) k->lookup_u8 = lookup_u8;
}
#endif
