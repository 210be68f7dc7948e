// Integer matrix product and depthwise convolution with dot products of four bytes, for sources that
// say which: DOT(sums, unsigned activations, signed weights) adds them, less CORRECTION * the sum of
// the weights where the instruction takes activations less 128.
#include "neon.h"
#include "tile.h"

enum { ROWS = 5 };  // with 16 columns, and the sums of the weights, what 32 registers hold

typedef int32x4_t sums[ROWS][4];

TK_INLINE_NEON int32x4_t load_ints(const int32_t *x, size_t n) {
  if (n >= 4) return vld1q_s32(x);
  int32_t four[4] = {0};
  for (size_t i = 0; i < n; i++) four[i] = x[i];
  return vld1q_s32(four);
}

// Four finished sums of columns n and on of a row; `left` columns exist from n on.
TK_INLINE_NEON void store(const tk_epilogue *out, size_t row, size_t n, size_t left, int32x4_t sum) {
  const size_t at = row * out->ldc + n;
  if (out->kind == TK_OUT_S32) {
    int32_t four[4];
    vst1q_s32(four, sum);
    for (size_t i = 0; i < 4 && i < left; i++) ((int32_t *)out->c)[at + i] = four[i];
    return;
  }
  float32x4_t real = vmulq_f32(vcvtq_f32_s32(sum), tk_load_floats_neon(out->multiplier + n, left));
  if (out->kind == TK_OUT_F32) {
    if (out->float_bias) real = vaddq_f32(real, tk_load_floats_neon(out->float_bias + n, left));
    tk_store_floats_neon((float *)out->c + at, tk_clamp_neon(real, out->float_lo, out->float_hi),
                         left);
    return;
  }
  // A NaN gives the lower bound.
  real = vmaxnmq_f32(real, vdupq_n_f32((float)(out->lo - out->zero_point)));
  real = vminnmq_f32(real, vdupq_n_f32((float)(out->hi - out->zero_point)));
  const int32x4_t code = vaddq_s32(vcvtnq_s32_f32(real), vdupq_n_s32(out->zero_point));
  const uint16x4_t words = vqmovun_s32(code);
  const uint32x2_t bytes = vreinterpret_u32_u8(vqmovn_u16(vcombine_u16(words, words)));
  const uint32_t four = vget_lane_u32(bytes, 0);
  memcpy((uint8_t *)out->c + at, &four, left < 4 ? left : 4);
}

TK_TARGET_DOT TK_INLINE_NEON void multiply(const tk_u8_tile *t, const int rows) {
  const tk_epilogue *out = &t->g->out;
  sums acc;
  int32x4_t weights[4];  // sums of the weights
#pragma clang loop unroll(full)
  for (int v = 0; v < 4; v++) {
    weights[v] = vdupq_n_s32(0);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) acc[r][v] = vdupq_n_s32(0);
  }
  const int8_t *b = t->b;
  for (size_t tap = 0; tap < t->tap_count; tap++) {
    const uint8_t *a = t->taps[tap] + t->offset;
    for (size_t k = 0; k < t->groups; k++, a += 4, b += TK_PANEL * 4) {
      int8x16_t column[4];
#pragma clang loop unroll(full)
      for (int v = 0; v < 4; v++) {
        column[v] = vld1q_s8(b + v * 16);
        if (CORRECTION) weights[v] = DOT_ONES(weights[v], column[v]);
      }
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        uint32_t bytes;
        memcpy(&bytes, a + (size_t)r * t->lda, sizeof bytes);
        const uint8x16_t value = vreinterpretq_u8_u32(vdupq_n_u32(bytes));
#pragma clang loop unroll(full)
        for (int v = 0; v < 4; v++) acc[r][v] = DOT(acc[r][v], value, column[v]);
      }
    }
  }
#pragma clang loop unroll(full)
  for (int v = 0; v < 4; v++) {
    const size_t n = t->column + (size_t)v * 4, left = n < t->end ? t->end - n : 0;
    if (left == 0) continue;
    int32x4_t common = vmulq_n_s32(weights[v], CORRECTION);
    if (out->bias) common = vaddq_s32(common, load_ints(out->bias + n, left));
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      int32x4_t sum = vaddq_s32(acc[r][v], common);
      if (out->weight_zero)
        sum = vmlsq_n_s32(sum, load_ints(out->weight_zero + n, left), t->row_sums[r]);
      store(out, t->row + (size_t)r, n, left, sum);
    }
  }
}

#define MULTIPLY(rows) \
  TK_TARGET_DOT static void multiply_##rows(const tk_u8_tile *t) { multiply(t, rows); }
MULTIPLY(1) MULTIPLY(2) MULTIPLY(3) MULTIPLY(4) MULTIPLY(5)

static void (*const multipliers[ROWS])(const tk_u8_tile *) = {multiply_1, multiply_2, multiply_3,
                                                              multiply_4, multiply_5};

static void sweep(tk_u8_tile *t, size_t rows) {
  while (t->column < t->end) {
    multipliers[rows - 1](t);
    const size_t next = t->column % TK_PANEL + 16;
    t->b += next < TK_PANEL ? 16 * 4 : (ptrdiff_t)t->panel_stride - (TK_PANEL - 16) * 4;
    t->column += 16;
  }
}

static int32_t sum_bytes(const uint8_t *x, size_t n) {
  uint32_t sum = 0;
  for (size_t i = 0; i < n; i++) sum += x[i];
  return (int32_t)sum;
}

static void copy(const uint8_t *from, size_t n, void *to) {
  for (size_t i = 0; i < n; i += 16) vst1q_u8((uint8_t *)to + i, vld1q_u8(from + i));
}

static void u8s8_gemm(const tk_u8s8_gemm *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  static const tk_u8_method method = {ROWS, 1, copy, sum_bytes, sweep};
  tk_u8s8_gemm_by(&method, g, m0, m1, n0, n1);
}

// Up to 16 bytes under tap (y, x); zeros below the kernel.
TK_INLINE_NEON uint8x16_t load_bytes(const tk_u8s8_depthwise *d, const uint8_t *const *rows,
                                     size_t y, size_t x, size_t c) {
  if (y >= d->height) return vdupq_n_u8(0);
  const uint8_t *row = tk_row_u8(rows[y * d->width + x], d->row_offset, d->pad_row) + c;
  if (d->channels - c >= 16) return vld1q_u8(row);
  uint8_t block[16] = {0};
  memcpy(block, row, d->channels - c);
  return vld1q_u8(block);
}

// 16 channels of one pixel; the packed weights are in the order that interleaving bytes gives.
TK_TARGET_DOT static void convolve(const tk_u8s8_depthwise *d, size_t p, size_t c) {
  const uint8_t *const *rows = d->rows + p * d->height * d->width;
  const size_t packed = tk_round_up(d->height, 4) * d->width;
  const int8_t *w = d->weights + c / 64 * 64 * packed + c % 64 / 16 * 16;
  int32x4_t acc[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
  int32x4_t weights[4] = {acc[0], acc[0], acc[0], acc[0]};
  for (size_t x = 0; x < d->width; x++)
    for (size_t y = 0; y < d->height; y += 4, w += 256) {
      const uint8x16_t b0 = load_bytes(d, rows, y, x, c), b1 = load_bytes(d, rows, y + 1, x, c);
      const uint8x16_t b2 = load_bytes(d, rows, y + 2, x, c), b3 = load_bytes(d, rows, y + 3, x, c);
      const uint16x8_t low01 = vreinterpretq_u16_u8(vzip1q_u8(b0, b1));
      const uint16x8_t top01 = vreinterpretq_u16_u8(vzip2q_u8(b0, b1));
      const uint16x8_t low23 = vreinterpretq_u16_u8(vzip1q_u8(b2, b3));
      const uint16x8_t top23 = vreinterpretq_u16_u8(vzip2q_u8(b2, b3));
      const uint16x8_t quads[4] = {vzip1q_u16(low01, low23), vzip2q_u16(low01, low23),
                                   vzip1q_u16(top01, top23), vzip2q_u16(top01, top23)};
#pragma clang loop unroll(full)
      for (int q = 0; q < 4; q++) {
        const int8x16_t four = vld1q_s8(w + q * 64);
        acc[q] = DOT(acc[q], vreinterpretq_u8_u16(quads[q]), four);
        if (CORRECTION) weights[q] = DOT_ONES(weights[q], four);
      }
    }
#pragma clang loop unroll(full)
  for (size_t q = 0; q < 4; q++) {
    const size_t n = c + q * 4, left = n < d->channels ? d->channels - n : 0;
    if (left == 0) continue;
    int32x4_t sum = vmlaq_n_s32(acc[q], weights[q], CORRECTION);
    if (d->out.bias) sum = vaddq_s32(sum, load_ints(d->out.bias + n, left));
    store(&d->out, p, n, left, sum);
  }
}

static void u8s8_depthwise(const tk_u8s8_depthwise *d, size_t p0, size_t p1) {
  if (d->out.weight_zero) {
    tk_table_for(TK_SCALAR)->u8s8_depthwise(d, p0, p1);
    return;
  }
  for (size_t p = p0; p < p1; p++)
    for (size_t c = 0; c < d->channels; c += 16) convolve(d, p, c);
}
