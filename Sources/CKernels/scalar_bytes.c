// Element-wise work on 8-bit codes, pooling and sums over pixels.
#include <math.h>
#include <string.h>

#include "internal.h"
#include "lanes.h"

static void add_u8(const uint8_t *a, tk_quant qa, const uint8_t *b, tk_quant qb, uint8_t *y,
                   tk_quant qy, int32_t offset, size_t n) {
  const tk_addition t = tk_addition_of(qa, qb, qy, offset);
  for (size_t i = 0; i < n; i++) {
    const float first = (float)(a[i] - offset), second = (float)(b[i] - offset);
    const float sum = fmaf(first, t.a, fmaf(second, t.b, t.constant));
    y[i] = (uint8_t)(tk_round_clamped(sum, 0, -offset, 255 - offset) + offset);
  }
}

static void mul_u8(const uint8_t *a, tk_quant qa, const uint8_t *b, tk_quant qb, uint8_t *y,
                   tk_quant qy, int32_t offset, size_t n) {
  const float ratio = qa.scale * qb.scale / qy.scale, zero = (float)(qy.zero_point - offset);
  TK_ELEMENTWISE
  for (size_t i = 0; i < n; i++) {
    const float product = (float)(a[i] - qa.zero_point) * (float)(b[i] - qb.zero_point);
    const float code = product * ratio + zero;
    y[i] = (uint8_t)(tk_round_clamped(code, 0, -offset, 255 - offset) + offset);
  }
}

static void lookup_u8(const uint8_t *x, const uint8_t *table, uint8_t *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = table[x[i]];
}

static void clamp_u8(const uint8_t *x, uint8_t *y, size_t n, uint8_t lo, uint8_t hi) {
  TK_ELEMENTWISE
  for (size_t i = 0; i < n; i++) {
    const uint8_t v = x[i] > lo ? x[i] : lo;
    y[i] = v < hi ? v : hi;
  }
}

static void flip_sign(const uint8_t *x, uint8_t *y, size_t n) {
  TK_ELEMENTWISE
  for (size_t i = 0; i < n; i++) y[i] = x[i] ^ 0x80;
}

static void max_pool_u8(const tk_max_pool *p, size_t p0, size_t p1) {
  for (size_t i = p0; i < p1; i++) {
    uint8_t *y = (uint8_t *)p->c + i * p->ldc;
    const size_t channels = p->channels;  // a store of bytes might change what p points at
    memset(y, 0, channels);
    for (size_t t = 0; t < p->taps; t++) {
      const uint8_t *x = tk_row_u8(p->rows[i * p->taps + t], p->row_offset, p->pad_row);
      TK_ELEMENTWISE
      for (size_t c = 0; c < channels; c++) {
        const uint8_t v = x[c], max = y[c];
        y[c] = v > max ? v : max;
      }
    }
  }
}

static void max_pool_f32(const tk_max_pool *p, size_t p0, size_t p1) {
  for (size_t i = p0; i < p1; i++) {
    float *y = (float *)p->c + i * p->ldc;
    for (size_t c = 0; c < p->channels; c++) y[c] = -INFINITY;
    for (size_t t = 0; t < p->taps; t++) {
      const float *x = tk_row_f32(p->rows[i * p->taps + t], p->row_offset, p->pad_row);
      TK_ELEMENTWISE
      for (size_t c = 0; c < p->channels; c++) y[c] = x[c] > y[c] || x[c] != x[c] ? x[c] : y[c];
    }
  }
}

static void sum_pixels_u8(const uint8_t *x, size_t pixels, size_t channels, size_t ld,
                          int32_t *sums) {
  memset(sums, 0, channels * sizeof *sums);
  for (size_t p = 0; p < pixels; p++)
    TK_ELEMENTWISE
    for (size_t c = 0; c < channels; c++) sums[c] += x[p * ld + c];
}

static void sum_pixels_f32(const float *x, size_t pixels, size_t channels, size_t ld,
                           float *sums) {
  for (size_t c = 0; c < channels; c++) sums[c] = 0;
  for (size_t p = 0; p < pixels; p++)
    TK_ELEMENTWISE
    for (size_t c = 0; c < channels; c++) sums[c] += x[p * ld + c];
}

static void sum_rows_u8(const uint8_t *x, size_t rows, size_t n, size_t ld, int32_t *sums) {
  for (size_t r = 0; r < rows; r++) {
    int32_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[r * ld + i];
    sums[r] = sum;
  }
}

// With a constant number of rows the compiler interleaves whole vectors.
#define SHUFFLE(bits)                                                                              \
  static inline __attribute__((always_inline)) void shuffle_rows_##bits(                           \
      const uint##bits##_t *x, size_t pixels, const size_t rows, size_t cols, uint##bits##_t *y) { \
    for (size_t p = 0; p < pixels; p++, x += rows * cols, y += rows * cols)                        \
      TK_ELEMENTWISE                                                                               \
      for (size_t c = 0; c < cols; c++)                                                            \
        for (size_t r = 0; r < rows; r++) y[c * rows + r] = x[r * cols + c];                       \
  }                                                                                                \
  static void shuffle_##bits(const uint##bits##_t *x, size_t pixels, size_t rows, size_t cols,     \
                             uint##bits##_t *y) {                                                  \
    if (rows == 2)                                                                                 \
      shuffle_rows_##bits(x, pixels, 2, cols, y);                                                  \
    else if (rows == 3)                                                                            \
      shuffle_rows_##bits(x, pixels, 3, cols, y);                                                  \
    else if (rows == 4)                                                                            \
      shuffle_rows_##bits(x, pixels, 4, cols, y);                                                  \
    else if (rows == 8)                                                                            \
      shuffle_rows_##bits(x, pixels, 8, cols, y);                                                  \
    else                                                                                           \
      shuffle_rows_##bits(x, pixels, rows, cols, y);                                               \
  }
SHUFFLE(8)
SHUFFLE(32)

void tk_install_scalar_bytes(tk_kernels *k) {
  k->shuffle_8 = shuffle_8;
  k->shuffle_32 = shuffle_32;
  k->add_u8 = add_u8;
  k->mul_u8 = mul_u8;
  k->lookup_u8 = lookup_u8;
  k->clamp_u8 = clamp_u8;
  k->flip_sign = flip_sign;
  k->max_pool_u8 = max_pool_u8;
  k->max_pool_f32 = max_pool_f32;
  k->sum_pixels_u8 = sum_pixels_u8;
  k->sum_pixels_f32 = sum_pixels_f32;
  k->sum_rows_u8 = sum_rows_u8;
}
