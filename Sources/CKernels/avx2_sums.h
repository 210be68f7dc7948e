// What becomes of a register tile of integer sums: up to 6 rows by 8 columns.
#ifndef TESSERA_CKERNELS_AVX2_SUMS_H
#define TESSERA_CKERNELS_AVX2_SUMS_H

#include "avx2.h"
#include "tile.h"

typedef __m256i tk_sums_avx2[6];  // of 8 columns each

// Bias and weight zero points join the sums.
TK_INLINE_AVX2 void tk_join_avx2(const tk_u8_tile *t, tk_sums_avx2 acc, const int rows, __m256i mask) {
  const tk_epilogue *out = &t->g->out;
  const size_t n = t->column;
  if (out->bias) {
    const __m256i bias = _mm256_maskload_epi32(out->bias + n, mask);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) acc[r] = _mm256_add_epi32(acc[r], bias);
  }
  if (out->weight_zero) {
    const __m256i zero = _mm256_maskload_epi32(out->weight_zero + n, mask);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      const __m256i product = _mm256_mullo_epi32(zero, _mm256_set1_epi32(t->row_sums[r]));
      acc[r] = _mm256_sub_epi32(acc[r], product);
    }
  }
}

TK_INLINE_AVX2 void tk_store_s32_avx2(const tk_u8_tile *t, tk_sums_avx2 acc, const int rows, __m256i mask) {
  const size_t ldc = t->g->out.ldc;
  int32_t *c = (int32_t *)t->g->out.c + t->row * ldc + t->column;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++, c += ldc) _mm256_maskstore_epi32(c, mask, acc[r]);
}

TK_INLINE_AVX2 void tk_store_f32_avx2(const tk_u8_tile *t, tk_sums_avx2 acc, const int rows, __m256i mask) {
  const tk_epilogue *out = &t->g->out;
  const size_t ldc = out->ldc, n = t->column;
  const __m256 factor = _mm256_maskload_ps(out->multiplier + n, mask);
  const __m256 lo = _mm256_set1_ps(out->float_lo), hi = _mm256_set1_ps(out->float_hi);
  const bool biased = out->float_bias;
  const __m256 bias = biased ? _mm256_maskload_ps(out->float_bias + n, mask) : lo;
  float *c = (float *)out->c + t->row * ldc + n;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++, c += ldc) {
    __m256 real = _mm256_mul_ps(_mm256_cvtepi32_ps(acc[r]), factor);
    if (biased) real = _mm256_add_ps(real, bias);
    _mm256_maskstore_ps(c, mask, tk_clamp_avx2(real, lo, hi));
  }
}

TK_INLINE_AVX2 void tk_store_u8_avx2(const tk_u8_tile *t, tk_sums_avx2 acc, const int rows, __m256i mask) {
  const tk_epilogue *out = &t->g->out;
  const size_t ldc = out->ldc, n = t->column, left = t->end - n;
  const __m256 factor = _mm256_maskload_ps(out->multiplier + n, mask);
  const __m256 low = _mm256_set1_ps((float)(out->lo - out->zero_point));
  const __m256 high = _mm256_set1_ps((float)(out->hi - out->zero_point));
  const __m256i zero = _mm256_set1_epi32(out->zero_point);
  uint8_t *c = (uint8_t *)out->c + t->row * ldc + n;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++, c += ldc) {
    const __m256 real = _mm256_mul_ps(_mm256_cvtepi32_ps(acc[r]), factor);
    const __m256i code = tk_round_clamped_avx2(real, low, high, zero);
    tk_store_bytes_avx2(c, tk_bytes_of_avx2(code), left);
  }
}

// The tile's sums go where they belong; columns from t->end on do not exist.
TK_INLINE_AVX2 void tk_finish_avx2(const tk_u8_tile *t, tk_sums_avx2 acc, const int rows) {
  const __m256i mask = tk_mask8(t->end - t->column);
  tk_join_avx2(t, acc, rows, mask);
  if (t->g->out.kind == TK_OUT_U8)
    tk_store_u8_avx2(t, acc, rows, mask);
  else if (t->g->out.kind == TK_OUT_S32)
    tk_store_s32_avx2(t, acc, rows, mask);
  else
    tk_store_f32_avx2(t, acc, rows, mask);
}

// The sum of n bytes.
TK_TARGET_AVX2 static inline int32_t tk_sum_bytes_avx2(const uint8_t *x, size_t n) {
  __m256i sum = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i bytes = _mm256_loadu_si256((const __m256i *)(x + i));
    sum = _mm256_add_epi64(sum, _mm256_sad_epu8(bytes, _mm256_setzero_si256()));
  }
  int64_t lanes[4];
  _mm256_storeu_si256((__m256i *)lanes, sum);
  int32_t total = (int32_t)(lanes[0] + lanes[1] + lanes[2] + lanes[3]);
  for (; i < n; i++) total += x[i];
  return total;
}

#endif
