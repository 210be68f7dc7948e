// Integer matrix product with VNNI: register tiles of up to 12 rows by 32 columns, fewer rows by
// more; four products per lane and instruction, summed exactly in int32.
#if defined(__x86_64__)
#include <string.h>

#include "avx512.h"
#include "tile.h"

// A register tile of sums: 12 rows by 32 columns, or fewer rows by up to 128.
typedef __m512i sums[12][8];

// The columns of vector v that exist.
TK_INLINE_AVX512 __mmask16 columns(const tk_u8_tile *t, const int v) {
  const size_t n = t->column + (size_t)v * 16;
  return tk_mask16(n < t->end ? t->end - n : 0);
}

// Weight zero points join the sums of 16 columns.
TK_INLINE_AVX512 void correct(const tk_u8_tile *t, sums acc, const int rows, const int v) {
  const int32_t *zeros = t->g->out.weight_zero + t->column + v * 16;
  const __m512i zero = _mm512_maskz_loadu_epi32(columns(t, v), zeros);
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    const __m512i product = _mm512_mullo_epi32(zero, _mm512_set1_epi32(t->row_sums[r]));
    acc[r][v] = _mm512_sub_epi32(acc[r][v], product);
  }
}

// Everything that the loops over rows need is read before they store: the compiler cannot know that
// a store does not change it.
TK_INLINE_AVX512 void store_s32(const tk_u8_tile *t, sums acc, const int rows, const int v,
                                __mmask16 mask) {
  const size_t ldc = t->g->out.ldc;
  int32_t *c = (int32_t *)t->g->out.c + t->row * ldc + t->column + v * 16;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++, c += ldc) _mm512_mask_storeu_epi32(c, mask, acc[r][v]);
}

TK_INLINE_AVX512 void store_f32(const tk_u8_tile *t, sums acc, const int rows, const int v,
                                __mmask16 mask) {
  const tk_epilogue *out = &t->g->out;
  const size_t ldc = out->ldc, n = t->column + (size_t)v * 16;
  const __m512 factor = _mm512_maskz_loadu_ps(mask, out->multiplier + n);
  const __m512 lo = _mm512_set1_ps(out->float_lo), hi = _mm512_set1_ps(out->float_hi);
  const bool biased = out->float_bias;
  const __m512 bias = biased ? _mm512_maskz_loadu_ps(mask, out->float_bias + n) : lo;
  float *c = (float *)out->c + t->row * ldc + n;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++, c += ldc) {
    __m512 real = _mm512_mul_ps(_mm512_cvtepi32_ps(acc[r][v]), factor);
    if (biased) real = _mm512_add_ps(real, bias);
    _mm512_mask_storeu_ps(c, mask, tk_clamp_avx512(real, lo, hi));
  }
}

// Codes of two rows of 32 columns, or of four rows of 16, at a time. The last rows may come twice.
TK_INLINE_AVX512 void store_u8(const tk_u8_tile *t, sums acc, const int rows, const int v,
                               const int vectors, const bool simple) {
  const tk_epilogue *out = &t->g->out;
  const size_t ldc = out->ldc, n = t->column + (size_t)v * 16;
  const tk_requantization by = tk_requantization_of(out);
  const __m512 left = _mm512_maskz_loadu_ps(columns(t, v), out->multiplier + n);
  const __m512 right =
      vectors > 1 ? _mm512_maskz_loadu_ps(columns(t, v + 1), out->multiplier + n + 16) : left;
  const __m512 factors[4] = {left, right, left, right};
  const __mmask32 mask = (__mmask32)tk_mask64(tk_min(t->end - n, (size_t)vectors * 16));
  const __m512i order = tk_packed_order_avx512();
  uint8_t *c = (uint8_t *)out->c + t->row * ldc + n;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r += 4 / vectors) {
    const int last = rows - 1, r1 = r + 1 < last ? r + 1 : last;
    const int r2 = r + 2 < last ? r + 2 : last, r3 = r + 3 < last ? r + 3 : last;
    const __m512i wide[4] = {acc[r][v], acc[r][v + 1], acc[r1][v], acc[r1][v + 1]};
    const __m512i narrow[4] = {acc[r][v], acc[r1][v], acc[r2][v], acc[r3][v]};
    __m512i bytes = tk_requantize_avx512(&by, vectors > 1 ? wide : narrow, factors, simple);
    bytes = _mm512_permutexvar_epi32(order, bytes);
    if (vectors > 1) {
      _mm256_mask_storeu_epi8(c + r * ldc, mask, _mm512_castsi512_si256(bytes));
      _mm256_mask_storeu_epi8(c + r1 * ldc, mask, _mm512_extracti64x4_epi64(bytes, 1));
    } else {
      const __mmask16 some = (__mmask16)mask;
      _mm_mask_storeu_epi8(c + r * ldc, some, _mm512_castsi512_si128(bytes));
      _mm_mask_storeu_epi8(c + r1 * ldc, some, _mm512_extracti32x4_epi32(bytes, 1));
      _mm_mask_storeu_epi8(c + r2 * ldc, some, _mm512_extracti32x4_epi32(bytes, 2));
      _mm_mask_storeu_epi8(c + r3 * ldc, some, _mm512_extracti32x4_epi32(bytes, 3));
    }
  }
}

TK_INLINE_AVX512 void finish(const tk_u8_tile *t, sums acc, const int rows, const int vectors) {
  const tk_output kind = t->g->out.kind;
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    if (t->g->out.weight_zero) correct(t, acc, rows, v);
    if (kind == TK_OUT_S32)
      store_s32(t, acc, rows, v, columns(t, v));
    else if (kind == TK_OUT_F32)
      store_f32(t, acc, rows, v, columns(t, v));
    else if (v % 2 == 1)
      t->simple ? store_u8(t, acc, rows, v - 1, 2, true) : store_u8(t, acc, rows, v - 1, 2, false);
    else if (vectors == 1)
      t->simple ? store_u8(t, acc, rows, 0, 1, true) : store_u8(t, acc, rows, 0, 1, false);
  }
}

TK_INLINE_AVX512 __m512i four(const uint8_t *a) {
  int32_t bytes;
  memcpy(&bytes, a, sizeof bytes);
  return _mm512_set1_epi32(bytes);
}

// `vectors` of 16 columns: 1, or two for each panel.
TK_INLINE_AVX512 void multiply(const tk_u8_tile *t, const int rows, const int vectors) {
  sums acc;
  const int32_t *bias = t->g->out.bias;
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    const __m512i start = bias ? _mm512_maskz_loadu_epi32(columns(t, v), bias + t->column + v * 16)
                               : _mm512_setzero_si512();
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) acc[r][v] = start;
  }
  const int8_t *b = t->b;
  for (size_t tap = 0; tap < t->tap_count; tap++) {
    // Three rows for each pointer: base, base + stride, base + 2 * stride are one address each.
    const uint8_t *a0 = t->taps[tap] + t->offset, *a3 = a0 + 3 * t->lda;
    const uint8_t *a6 = a0 + 6 * t->lda, *a9 = a0 + 9 * t->lda;
    for (size_t k = 0; k < t->groups; k++, a0 += 4, a3 += 4, a6 += 4, a9 += 4, b += TK_PANEL * 4) {
      __m512i column[8];
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++)
        column[v] = _mm512_load_si512(b + v / 2 * t->panel_stride + v % 2 * 64);
      if (vectors == 2) _mm_prefetch((const char *)(b + t->ahead), _MM_HINT_T1);
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        const uint8_t *base = r < 3 ? a0 : r < 6 ? a3 : r < 9 ? a6 : a9;
        const __m512i value = four(base + r % 3 * t->lda);
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++)
          acc[r][v] = _mm512_dpbusd_epi32(acc[r][v], value, column[v]);
      }
    }
  }
  finish(t, acc, rows, vectors);
}

typedef void (*multiplier)(const tk_u8_tile *);

#define MULTIPLY(rows, vectors)                                                   \
  TK_TARGET_AVX512 static void multiply_##rows##_##vectors(const tk_u8_tile *t) { \
    multiply(t, rows, vectors);                                                   \
  }
#define MULTIPLY_1_2(rows) MULTIPLY(rows, 1) MULTIPLY(rows, 2)
MULTIPLY_1_2(1) MULTIPLY_1_2(2) MULTIPLY_1_2(3) MULTIPLY_1_2(4) MULTIPLY_1_2(5) MULTIPLY_1_2(6)
MULTIPLY_1_2(7) MULTIPLY_1_2(8) MULTIPLY_1_2(9) MULTIPLY_1_2(10) MULTIPLY_1_2(11)
MULTIPLY_1_2(12)
MULTIPLY(3, 4) MULTIPLY(4, 4) MULTIPLY(1, 8) MULTIPLY(2, 8)

static const multiplier one_vector[12] = {
    multiply_1_1, multiply_2_1, multiply_3_1, multiply_4_1,  multiply_5_1,  multiply_6_1,
    multiply_7_1, multiply_8_1, multiply_9_1, multiply_10_1, multiply_11_1, multiply_12_1};
static const multiplier one_panel[12] = {
    multiply_1_2, multiply_2_2, multiply_3_2, multiply_4_2,  multiply_5_2,  multiply_6_2,
    multiply_7_2, multiply_8_2, multiply_9_2, multiply_10_2, multiply_11_2, multiply_12_2};
// With few rows several panels at once keep enough sums in flight.
static const multiplier wide[4] = {multiply_1_8, multiply_2_8, multiply_3_4, multiply_4_4};

static void sweep(tk_u8_tile *t, size_t rows) {
  const size_t broad = rows <= 2 ? 4 : rows <= 4 ? 2 : 1;
  while (t->column < t->end) {
    const bool many = broad > 1 && t->column + (broad - 1) * TK_PANEL < t->end;
    const size_t panels = many ? broad : 1;
    if (many)
      wide[rows - 1](t);
    else if (t->end - t->column <= 16)
      one_vector[rows - 1](t);
    else
      one_panel[rows - 1](t);
    t->b += panels * t->panel_stride;
    t->column += panels * TK_PANEL;
  }
}

TK_TARGET_AVX512 static int32_t sum_bytes(const uint8_t *x, size_t n) {
  __m512i sum = _mm512_setzero_si512();
  for (size_t i = 0; i < n; i += 64) {
    const __m512i bytes = _mm512_maskz_loadu_epi8(tk_mask64(n - i), x + i);
    sum = _mm512_add_epi64(sum, _mm512_sad_epu8(bytes, _mm512_setzero_si512()));
  }
  return (int32_t)_mm512_reduce_add_epi64(sum);
}

TK_TARGET_AVX512 static void copy(const uint8_t *from, size_t n, void *to) {
  if (n <= 16) {
    _mm_storeu_si128(to, _mm_loadu_si128((const __m128i *)from));
    return;
  }
  for (size_t i = 0; i < n; i += 64)
    _mm512_storeu_si512((uint8_t *)to + i, _mm512_loadu_si512(from + i));
}

static void u8s8_gemm(const tk_u8s8_gemm *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  static const tk_u8_method method = {12, 1, copy, sum_bytes, sweep};
  tk_u8s8_gemm_by(&method, g, m0, m1, n0, n1);
}

void tk_install_avx512_u8s8_gemm(tk_kernels *k) { k->u8s8_gemm = u8s8_gemm; }
#endif
