// What the AVX-512 sources share.
#ifndef TESSERA_CKERNELS_AVX512_H
#define TESSERA_CKERNELS_AVX512_H

#include <immintrin.h>

#include "internal.h"

#define TK_TARGET_AVX512 \
  __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#define TK_INLINE_AVX512 static inline __attribute__((always_inline)) TK_TARGET_AVX512

void tk_install_avx512_f32_gemm(tk_kernels *k);
void tk_install_avx512_u8s8_gemm(tk_kernels *k);
void tk_install_avx512_f32_depthwise(tk_kernels *k);
void tk_install_avx512_u8s8_depthwise(tk_kernels *k);
void tk_install_avx512_max_pool(tk_kernels *k);
void tk_install_avx512_lookup(tk_kernels *k);
void tk_install_avx512_windows(tk_kernels *k);
void tk_install_avx512_convert(tk_kernels *k);
void tk_install_avx512_float(tk_kernels *k);
void tk_install_avx512_statistics(tk_kernels *k);
void tk_install_avx512_counts(tk_kernels *k);

// The lowest `n` lanes, for n up to 16 and beyond.
TK_INLINE_AVX512 __mmask16 tk_mask16(size_t n) {
  return n >= 16 ? (__mmask16)0xFFFF : (__mmask16)((1u << n) - 1);
}

TK_INLINE_AVX512 __mmask64 tk_mask64(size_t n) {
  return n >= 64 ? ~(__mmask64)0 : (((__mmask64)1 << n) - 1);
}

// Operands in this order let a NaN through: maxps and minps return the second where one is NaN.
TK_INLINE_AVX512 __m512 tk_clamp_avx512(__m512 x, __m512 lo, __m512 hi) {
  return _mm512_min_ps(hi, _mm512_max_ps(lo, x));
}

// Brings what two packings made of four vectors back into order.
TK_INLINE_AVX512 __m512i tk_packed_order_avx512(void) {
  return _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}

// What turns sums into codes, the same for all columns.
typedef struct {
  __m512 high;           // hi - zero point
  __m512i zero, lo, hi;  // the zero point as int16, the bounds as bytes
} tk_requantization;

TK_INLINE_AVX512 tk_requantization tk_requantization_of(const tk_epilogue *out) {
  return (tk_requantization){_mm512_set1_ps((float)(out->hi - out->zero_point)),
                             _mm512_set1_epi16((short)out->zero_point),
                             _mm512_set1_epi8((char)out->lo), _mm512_set1_epi8((char)out->hi)};
}

// Codes of four vectors of sums. Of each vector, lane b's four codes are the bytes 16 b + 4 v and on
// of the result.
//
// `simple`: tk_has_simple_codes; packing alone then keeps codes in the range of bytes.
TK_INLINE_AVX512 __m512i tk_requantize_avx512(const tk_requantization *by, const __m512i sums[4],
                                              const __m512 factors[4], const bool simple) {
  __m512i code[4];
#pragma clang loop unroll(full)
  for (int v = 0; v < 4; v++) {
    const __m512 real = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[v]), factors[v]);
    // A NaN passes and becomes the least integer, as what is far below does; packing saturates.
    code[v] = _mm512_cvtps_epi32(simple ? real : _mm512_min_ps(by->high, real));
  }
  const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(code[0], code[1]), by->zero);
  const __m512i top = _mm512_adds_epi16(_mm512_packs_epi32(code[2], code[3]), by->zero);
  const __m512i bytes = _mm512_packus_epi16(low, top);
  return simple ? bytes : _mm512_min_epu8(_mm512_max_epu8(bytes, by->lo), by->hi);
}

// round(x) for lo - zero <= x <= hi - zero after clamping; a NaN gives the lower bound.
TK_INLINE_AVX512 __m512i tk_round_clamped_avx512(__m512 x, __m512 low, __m512 high, __m512i zero) {
  x = _mm512_min_ps(_mm512_max_ps(x, low), high);
  return _mm512_add_epi32(_mm512_cvtps_epi32(x), zero);
}

#endif
