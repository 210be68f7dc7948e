// Depthwise convolution: 32 channels at a time in the interleaved order of the packed weights.
//
// vpmaddubsw would saturate, so each byte is split: a = (a & 127) + (a & 128). Pair sums of either
// part with signed bytes fit int16: 2 * 127 * -128 and 2 * 128 * -128 = -32768.
#if defined(__x86_64__)
#include "avx2.h"

// Part q, lane 4 b + i holds channel 16 b + 4 q + i of 32.
typedef struct {
  __m256i part[4];
} channels32;

// The bytes under tap (y, x); zeros below the kernel.
TK_INLINE_AVX2 __m256i load_bytes(const tk_u8s8_depthwise *d, const uint8_t *const *rows, size_t y,
                                  size_t x, size_t c, size_t left) {
  if (y >= d->height) return _mm256_setzero_si256();
  const uint8_t *row = tk_row_u8(rows[y * d->width + x], d->row_offset, d->pad_row) + c;
  if (left >= 32) return _mm256_loadu_si256((const __m256i *)row);
  uint8_t block[32] = {0};
  memcpy(block, row, left);
  return _mm256_loadu_si256((const __m256i *)block);
}

TK_INLINE_AVX2 __m256i dot(__m256i acc, __m256i a, __m256i w) {
  const __m256i ones = _mm256_set1_epi16(1), top = _mm256_set1_epi8((char)0x80);
  const __m256i low = _mm256_maddubs_epi16(_mm256_andnot_si256(top, a), w);
  const __m256i high = _mm256_maddubs_epi16(_mm256_and_si256(top, a), w);
  acc = _mm256_add_epi32(acc, _mm256_madd_epi16(low, ones));
  return _mm256_add_epi32(acc, _mm256_madd_epi16(high, ones));
}

// w: the weights of the block of 64 channels, from its first or second 32 channels on.
TK_INLINE_AVX2 void add_taps(const __m256i x[4], const int8_t *w, channels32 *acc) {
  const __m256i low01 = _mm256_unpacklo_epi8(x[0], x[1]), high01 = _mm256_unpackhi_epi8(x[0], x[1]);
  const __m256i low23 = _mm256_unpacklo_epi8(x[2], x[3]), high23 = _mm256_unpackhi_epi8(x[2], x[3]);
  const __m256i quads[4] = {
      _mm256_unpacklo_epi16(low01, low23), _mm256_unpackhi_epi16(low01, low23),
      _mm256_unpacklo_epi16(high01, high23), _mm256_unpackhi_epi16(high01, high23)};
#pragma clang loop unroll(full)
  for (int q = 0; q < 4; q++)
    acc->part[q] = dot(acc->part[q], quads[q], _mm256_load_si256((const __m256i *)(w + q * 64)));
}

TK_INLINE_AVX2 void store(const tk_epilogue *out, size_t p, size_t n, size_t left, __m256i sum) {
  const __m256i mask = tk_mask8(left);
  const size_t at = p * out->ldc + n;
  if (out->bias) sum = _mm256_add_epi32(sum, _mm256_maskload_epi32(out->bias + n, mask));
  if (out->kind == TK_OUT_S32) {
    _mm256_maskstore_epi32((int32_t *)out->c + at, mask, sum);
    return;
  }
  const __m256 factor = _mm256_maskload_ps(out->multiplier + n, mask);
  __m256 real = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), factor);
  if (out->kind == TK_OUT_U8) {
    const __m256i code = tk_round_clamped_avx2(
        real, _mm256_set1_ps((float)(out->lo - out->zero_point)),
        _mm256_set1_ps((float)(out->hi - out->zero_point)), _mm256_set1_epi32(out->zero_point));
    tk_store_bytes_avx2((uint8_t *)out->c + at, tk_bytes_of_avx2(code), left);
    return;
  }
  if (out->float_bias) real = _mm256_add_ps(real, _mm256_maskload_ps(out->float_bias + n, mask));
  real = tk_clamp_avx2(real, _mm256_set1_ps(out->float_lo), _mm256_set1_ps(out->float_hi));
  _mm256_maskstore_ps((float *)out->c + at, mask, real);
}

TK_INLINE_AVX2 void store_all(const tk_epilogue *out, size_t p, size_t c, size_t left,
                              const channels32 *a) {
  const __m256i eights[4] = {_mm256_permute2x128_si256(a->part[0], a->part[1], 0x20),
                             _mm256_permute2x128_si256(a->part[2], a->part[3], 0x20),
                             _mm256_permute2x128_si256(a->part[0], a->part[1], 0x31),
                             _mm256_permute2x128_si256(a->part[2], a->part[3], 0x31)};
#pragma clang loop unroll(full)
  for (size_t e = 0; e < 4; e++)
    if (left > e * 8) store(out, p, c + e * 8, left - e * 8, eights[e]);
}

TK_TARGET_AVX2 static void u8s8_depthwise(const tk_u8s8_depthwise *d, size_t p0, size_t p1) {
  if (d->out.weight_zero) {
    tk_table_for(TK_SCALAR)->u8s8_depthwise(d, p0, p1);
    return;
  }
  const size_t packed = tk_round_up(d->height, 4) * d->width;
  for (size_t p = p0; p < p1; p++) {
    const uint8_t *const *rows = d->rows + p * d->height * d->width;
    for (size_t c = 0; c < d->channels; c += 32) {
      const size_t left = d->channels - c;
      const int8_t *w = d->weights + c / 64 * 64 * packed + c % 64;
      const __m256i none = _mm256_setzero_si256();
      channels32 acc = {{none, none, none, none}};
      for (size_t x = 0; x < d->width; x++)
        for (size_t y = 0; y < d->height; y += 4, w += 256) {
          const __m256i four[4] = {
              load_bytes(d, rows, y, x, c, left), load_bytes(d, rows, y + 1, x, c, left),
              load_bytes(d, rows, y + 2, x, c, left), load_bytes(d, rows, y + 3, x, c, left)};
          add_taps(four, w, &acc);
        }
      store_all(&d->out, p, c, left, &acc);
    }
  }
}

TK_TARGET_AVX2 static void f32_depthwise(const tk_f32_depthwise *d, size_t p0, size_t p1) {
  const __m256 lo = _mm256_set1_ps(d->lo), hi = _mm256_set1_ps(d->hi);
  for (size_t p = p0; p < p1; p++)
    for (size_t c = 0; c < d->channels; c += 8) {
      const __m256i mask = tk_mask8(d->channels - c);
      __m256 acc = _mm256_setzero_ps();
      for (size_t t = 0; t < d->taps; t++) {
        const float *row = tk_row_f32(d->rows[p * d->taps + t], d->row_offset, d->pad_row);
        acc = _mm256_fmadd_ps(_mm256_maskload_ps(row + c, mask),
                              _mm256_maskload_ps(d->weights + t * d->channels + c, mask), acc);
      }
      if (d->bias) acc = _mm256_add_ps(acc, _mm256_maskload_ps(d->bias + c, mask));
      _mm256_maskstore_ps(d->c + p * d->ldc + c, mask, tk_clamp_avx2(acc, lo, hi));
    }
}

void tk_install_avx2_depthwise(tk_kernels *k) {
  k->u8s8_depthwise = u8s8_depthwise;
  k->f32_depthwise = f32_depthwise;
}
#endif
