// Integer matrix product: register tiles of up to 6 rows by 8 columns.
//
// vpmaddubsw saturates its 16-bit pair sums (255 * -128 twice does not fit), so both sides are
// widened to int16 and multiplied with vpmaddwd, whose pair sums are exact in int32.
#if defined(__x86_64__)
#include "avx2.h"
#include "tile.h"

typedef __m256i sums[6];  // 8 columns each

TK_INLINE_AVX2 void join(const tk_u8_tile *t, sums acc, const int rows, __m256i mask) {
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

TK_INLINE_AVX2 void store_s32(const tk_u8_tile *t, sums acc, const int rows, __m256i mask) {
  const size_t ldc = t->g->out.ldc;
  int32_t *c = (int32_t *)t->g->out.c + t->row * ldc + t->column;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++, c += ldc) _mm256_maskstore_epi32(c, mask, acc[r]);
}

TK_INLINE_AVX2 void store_f32(const tk_u8_tile *t, sums acc, const int rows, __m256i mask) {
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

TK_INLINE_AVX2 void store_u8(const tk_u8_tile *t, sums acc, const int rows, __m256i mask) {
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

// Rows are int16 here, four of them one broadcast of 64 bits.
TK_INLINE_AVX2 void multiply(const tk_u8_tile *t, const int rows) {
  __m256i pairs[6][2];  // sums of even and odd pairs of k, for 4 columns each
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) pairs[r][0] = pairs[r][1] = _mm256_setzero_si256();
  const uint8_t *a0 = t->taps[0] + t->offset, *a3 = a0 + 3 * t->lda;  // always brought together
  const int8_t *b = t->b;
  for (size_t k = 0; k < t->groups; k++, a0 += 8, a3 += 8, b += TK_PANEL * 4) {
    const __m256i left = _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)b));
    const __m256i right = _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(b + 16)));
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      int64_t four;
      memcpy(&four, (r < 3 ? a0 : a3) + r % 3 * t->lda, sizeof four);
      const __m256i value = _mm256_set1_epi64x(four);
      pairs[r][0] = _mm256_add_epi32(pairs[r][0], _mm256_madd_epi16(value, left));
      pairs[r][1] = _mm256_add_epi32(pairs[r][1], _mm256_madd_epi16(value, right));
    }
  }
  sums acc;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
    acc[r] = _mm256_permute4x64_epi64(_mm256_hadd_epi32(pairs[r][0], pairs[r][1]), 0xD8);
  const __m256i mask = tk_mask8(t->end - t->column);
  join(t, acc, rows, mask);
  if (t->g->out.kind == TK_OUT_U8)
    store_u8(t, acc, rows, mask);
  else if (t->g->out.kind == TK_OUT_S32)
    store_s32(t, acc, rows, mask);
  else
    store_f32(t, acc, rows, mask);
}

#define MULTIPLY(rows) \
  TK_TARGET_AVX2 static void multiply_##rows(const tk_u8_tile *t) { multiply(t, rows); }
MULTIPLY(1) MULTIPLY(2) MULTIPLY(3) MULTIPLY(4) MULTIPLY(5) MULTIPLY(6)

static void (*const multipliers[6])(const tk_u8_tile *) = {
    multiply_1, multiply_2, multiply_3, multiply_4, multiply_5, multiply_6};

static void sweep(tk_u8_tile *t, size_t rows) {
  while (t->column < t->end) {
    multipliers[rows - 1](t);
    const size_t next = t->column % TK_PANEL + 8;
    t->b += next < TK_PANEL ? 8 * 4 : (ptrdiff_t)t->panel_stride - (TK_PANEL - 8) * 4;
    t->column += 8;
  }
}

TK_TARGET_AVX2 static int32_t sum_bytes(const uint8_t *x, size_t n) {
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

TK_TARGET_AVX2 static void widen(const uint8_t *from, size_t n, void *to) {
  for (size_t i = 0; i < n; i += 16) {
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(from + i));
    _mm256_storeu_si256((__m256i *)((uint16_t *)to + i), _mm256_cvtepu8_epi16(bytes));
  }
}

static void u8s8_gemm(const tk_u8s8_gemm *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  static const tk_u8_method method = {6, 2, widen, sum_bytes, sweep};
  tk_u8s8_gemm_by(&method, g, m0, m1, n0, n1);
}

void tk_install_avx2_u8s8_gemm(tk_kernels *k) { k->u8s8_gemm = u8s8_gemm; }
#endif
