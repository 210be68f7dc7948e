// Depthwise convolution and max pooling.
//
// Bytes of four taps are interleaved channel by channel, so that one VNNI instruction sums four
// taps of 16 channels; the packed weights are in the order that the interleaving gives.
#if defined(__x86_64__)
#include "avx512.h"

// 64 channels of sums, in channel order.
typedef struct {
  __m512i part[4];
} channels64;

TK_INLINE_AVX512 __m512i load_bytes(const tk_u8s8_depthwise *d, const uint8_t *const *rows,
                                    size_t tap, size_t c, __mmask64 mask) {
  if (tap >= d->taps) return _mm512_setzero_si512();
  const uint8_t *row = tk_row_u8(rows[tap], d->row_offset, d->pad_row);
  return _mm512_maskz_loadu_epi8(mask, row + c);
}

// Adds four taps to the sums, which are still in interleaved order.
TK_INLINE_AVX512 void add_taps(__m512i x0, __m512i x1, __m512i x2, __m512i x3, const int8_t *w,
                               channels64 *acc) {
  const __m512i low01 = _mm512_unpacklo_epi8(x0, x1), high01 = _mm512_unpackhi_epi8(x0, x1);
  const __m512i low23 = _mm512_unpacklo_epi8(x2, x3), high23 = _mm512_unpackhi_epi8(x2, x3);
  const __m512i quads[4] = {
      _mm512_unpacklo_epi16(low01, low23), _mm512_unpackhi_epi16(low01, low23),
      _mm512_unpacklo_epi16(high01, high23), _mm512_unpackhi_epi16(high01, high23)};
#pragma clang loop unroll(full)
  for (int q = 0; q < 4; q++)
    acc->part[q] = _mm512_dpbusd_epi32(acc->part[q], quads[q], _mm512_load_si512(w + q * 64));
}

// From interleaved order (part q, lane 4 b + i holds channel 16 b + 4 q + i) to channel order: a
// transpose of 4 x 4 lanes of 128 bits.
TK_INLINE_AVX512 channels64 in_order(channels64 a) {
  const __m512i t0 = _mm512_shuffle_i32x4(a.part[0], a.part[1], 0x44);
  const __m512i t1 = _mm512_shuffle_i32x4(a.part[0], a.part[1], 0xEE);
  const __m512i t2 = _mm512_shuffle_i32x4(a.part[2], a.part[3], 0x44);
  const __m512i t3 = _mm512_shuffle_i32x4(a.part[2], a.part[3], 0xEE);
  return (channels64){{_mm512_shuffle_i32x4(t0, t2, 0x88), _mm512_shuffle_i32x4(t0, t2, 0xDD),
                       _mm512_shuffle_i32x4(t1, t3, 0x88), _mm512_shuffle_i32x4(t1, t3, 0xDD)}};
}

TK_INLINE_AVX512 __m512i with_bias(const tk_epilogue *out, __m512i sum, size_t c, __mmask16 mask) {
  if (!out->bias) return sum;
  return _mm512_add_epi32(sum, _mm512_maskz_loadu_epi32(mask, out->bias + c));
}

TK_INLINE_AVX512 __m512 scaled(const tk_epilogue *out, __m512i sum, size_t c, __mmask16 mask) {
  const __m512 factor = _mm512_maskz_loadu_ps(mask, out->multiplier + c);
  return _mm512_mul_ps(_mm512_cvtepi32_ps(with_bias(out, sum, c, mask)), factor);
}

// Requantizes 64 channels and puts their bytes side by side.
TK_INLINE_AVX512 void store_u8(const tk_epilogue *out, size_t p, size_t c, size_t left,
                               channels64 acc) {
  const __m512 low = _mm512_set1_ps((float)(out->lo - out->zero_point));
  const __m512 high = _mm512_set1_ps((float)(out->hi - out->zero_point));
  const __m512i zero = _mm512_set1_epi32(out->zero_point);
  __m512i code[4];
#pragma clang loop unroll(full)
  for (size_t q = 0; q < 4; q++) {
    const __mmask16 mask = tk_mask16(left > q * 16 ? left - q * 16 : 0);
    const __m512 real = scaled(out, acc.part[q], c + q * 16, mask);
    code[q] = tk_round_clamped_avx512(real, low, high, zero);
  }
  const __m256i half0 = _mm512_cvtepi32_epi16(code[0]), half1 = _mm512_cvtepi32_epi16(code[1]);
  const __m256i half2 = _mm512_cvtepi32_epi16(code[2]), half3 = _mm512_cvtepi32_epi16(code[3]);
  const __m512i words0 = _mm512_inserti64x4(_mm512_castsi256_si512(half0), half1, 1);
  const __m512i words1 = _mm512_inserti64x4(_mm512_castsi256_si512(half2), half3, 1);
  const __m512i bytes = _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi16_epi8(words0)),
                                           _mm512_cvtepi16_epi8(words1), 1);
  _mm512_mask_storeu_epi8((uint8_t *)out->c + p * out->ldc + c, tk_mask64(left), bytes);
}

TK_INLINE_AVX512 void store_other(const tk_epilogue *out, size_t p, size_t c, size_t left,
                                  channels64 acc) {
  const __m512 lo = _mm512_set1_ps(out->float_lo), hi = _mm512_set1_ps(out->float_hi);
#pragma clang loop unroll(full)
  for (size_t q = 0; q < 4; q++) {
    const size_t n = c + q * 16, at = p * out->ldc + n;
    const __mmask16 mask = tk_mask16(left > q * 16 ? left - q * 16 : 0);
    if (out->kind == TK_OUT_S32) {
      const __m512i sum = with_bias(out, acc.part[q], n, mask);
      _mm512_mask_storeu_epi32((int32_t *)out->c + at, mask, sum);
      continue;
    }
    __m512 real = scaled(out, acc.part[q], n, mask);
    if (out->float_bias)
      real = _mm512_add_ps(real, _mm512_maskz_loadu_ps(mask, out->float_bias + n));
    _mm512_mask_storeu_ps((float *)out->c + at, mask, tk_clamp_avx512(real, lo, hi));
  }
}

TK_TARGET_AVX512 static void u8s8_depthwise(const tk_u8s8_depthwise *d, size_t p0, size_t p1) {
  if (d->out.weight_zero) {
    tk_table_for(TK_SCALAR)->u8s8_depthwise(d, p0, p1);
    return;
  }
  const size_t taps = tk_round_up(d->taps, 4);
  for (size_t p = p0; p < p1; p++) {
    const uint8_t *const *rows = d->rows + p * d->taps;
    for (size_t c = 0; c < d->channels; c += 64) {
      const size_t left = d->channels - c;
      const __mmask64 mask = tk_mask64(left);
      const int8_t *w = d->weights + c * taps;
      const __m512i none = _mm512_setzero_si512();
      channels64 acc = {{none, none, none, none}};
      for (size_t t = 0; t < d->taps; t += 4, w += 256)
        add_taps(load_bytes(d, rows, t, c, mask), load_bytes(d, rows, t + 1, c, mask),
                 load_bytes(d, rows, t + 2, c, mask), load_bytes(d, rows, t + 3, c, mask), w,
                 &acc);
      acc = in_order(acc);
      if (d->out.kind == TK_OUT_U8)
        store_u8(&d->out, p, c, left, acc);
      else
        store_other(&d->out, p, c, left, acc);
    }
  }
}

TK_TARGET_AVX512 static void f32_depthwise(const tk_f32_depthwise *d, size_t p0, size_t p1) {
  const __m512 lo = _mm512_set1_ps(d->lo), hi = _mm512_set1_ps(d->hi);
  for (size_t p = p0; p < p1; p++)
    for (size_t c = 0; c < d->channels; c += 16) {
      const __mmask16 mask = tk_mask16(d->channels - c);
      __m512 acc = _mm512_setzero_ps();
      for (size_t t = 0; t < d->taps; t++) {
        const float *row = tk_row_f32(d->rows[p * d->taps + t], d->row_offset, d->pad_row);
        acc = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, row + c),
                              _mm512_maskz_loadu_ps(mask, d->weights + t * d->channels + c), acc);
      }
      if (d->bias) acc = _mm512_add_ps(acc, _mm512_maskz_loadu_ps(mask, d->bias + c));
      _mm512_mask_storeu_ps(d->c + p * d->ldc + c, mask, tk_clamp_avx512(acc, lo, hi));
    }
}

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

void tk_install_avx512_depthwise(tk_kernels *k) {
  k->u8s8_depthwise = u8s8_depthwise;
  k->f32_depthwise = f32_depthwise;
  k->max_pool_u8 = max_pool_u8;
  k->max_pool_f32 = max_pool_f32;
}
#endif
