// Matrix products and depthwise convolution on packed weights.
#include <string.h>

#include "internal.h"

size_t tk_f32_packed_count(size_t k, size_t n) { return tk_round_up(n, TK_PANEL) * k; }

size_t tk_u8s8_packed_count(size_t taps, size_t cin, size_t n) {
  return tk_round_up(n, TK_PANEL) * taps * tk_round_up(cin, 4);
}

size_t tk_depthwise_packed_count(size_t height, size_t width, size_t channels) {
  return tk_round_up(channels, TK_DEPTHWISE_BLOCK) * width * tk_round_up(height, 4);
}

static void f32_pack(const float *b, size_t k, size_t n, size_t ld, bool transposed,
                     float *packed) {
  for (size_t panel = 0; panel < n; panel += TK_PANEL) {
    const size_t width = tk_min(TK_PANEL, n - panel);
    for (size_t i = 0; i < k; i++, packed += TK_PANEL) {
      for (size_t j = 0; j < width; j++)
        packed[j] = transposed ? b[(panel + j) * ld + i] : b[i * ld + panel + j];
      for (size_t j = width; j < TK_PANEL; j++) packed[j] = 0;
    }
  }
}

static void u8s8_pack(const int8_t *b, size_t taps, size_t cin, size_t n, size_t ld,
                      bool transposed, int8_t *packed, int32_t *column_sums) {
  const size_t groups = tk_round_up(cin, 4) / 4;
  memset(packed, 0, tk_u8s8_packed_count(taps, cin, n));
  for (size_t j = 0; j < n; j++) {
    int8_t *column = packed + (j / TK_PANEL) * taps * groups * TK_PANEL * 4 + j % TK_PANEL * 4;
    uint32_t sum = 0;
    for (size_t t = 0; t < taps; t++)
      for (size_t c = 0; c < cin; c++) {
        const size_t i = t * cin + c;
        const int8_t w = transposed ? b[j * ld + i] : b[i * ld + j];
        column[(t * groups + c / 4) * TK_PANEL * 4 + c % 4] = w;
        sum += (uint32_t)(int32_t)w;
      }
    if (column_sums) column_sums[j] = (int32_t)sum;
  }
}

void tk_store_sum(const tk_epilogue *out, size_t row, size_t column, int32_t acc,
                  int32_t row_sum) {
  uint32_t sum = (uint32_t)acc;
  if (out->bias) sum += (uint32_t)out->bias[column];
  if (out->weight_zero) sum -= (uint32_t)out->weight_zero[column] * (uint32_t)row_sum;
  const size_t i = row * out->ldc + column;
  if (out->kind == TK_OUT_S32) {
    ((int32_t *)out->c)[i] = (int32_t)sum;
    return;
  }
  float v = (float)(int32_t)sum * out->multiplier[column];
  if (out->kind == TK_OUT_U8) {
    ((uint8_t *)out->c)[i] = (uint8_t)tk_round_clamped(v, out->zero_point, out->lo, out->hi);
  } else {
    if (out->float_bias) v += out->float_bias[column];
    ((float *)out->c)[i] = tk_clamped(v, out->float_lo, out->float_hi);
  }
}

static const float *f32_row(const tk_f32_gemm *g, size_t i, size_t tap) {
  if (!g->rows) return g->a + i * g->lda;
  return tk_row_f32(g->rows[i * g->taps + tap], g->row_offset, g->pad_row);
}

static void f32_gemm(const tk_f32_gemm *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  const size_t k = g->taps * g->cin;
  for (size_t i = m0; i < m1; i++)
    for (size_t n = n0; n < n1; n += TK_PANEL) {
      const float *b = g->b + n * k;
      float acc[TK_PANEL] = {0};
      for (size_t t = 0; t < g->taps; t++) {
        const float *a = f32_row(g, i, t);
        for (size_t c = 0; c < g->cin; c++, b += TK_PANEL)
          for (size_t j = 0; j < TK_PANEL; j++) acc[j] += a[c] * b[j];
      }
      const size_t width = tk_min(TK_PANEL, n1 - n);
      for (size_t j = 0; j < width; j++) {
        float v = acc[j];
        if (g->bias) v += g->bias[n + j];
        if (g->residual) v += g->residual[i * g->ldr + n + j];
        g->c[i * g->ldc + n + j] = tk_clamped(v, g->lo, g->hi);
      }
    }
}

static const uint8_t *u8_row(const tk_u8s8_gemm *g, size_t i, size_t tap) {
  if (!g->rows) return g->a + i * g->lda;
  return tk_row_u8(g->rows[i * g->taps + tap], g->row_offset, g->pad_row);
}

static int32_t row_sum(const tk_u8s8_gemm *g, size_t i) {
  int32_t sum = 0;
  for (size_t t = 0; t < g->taps; t++) {
    const uint8_t *a = u8_row(g, i, t);
    for (size_t c = 0; c < g->cin; c++) sum += a[c];
  }
  return sum;
}

// Sums are unsigned because they may wrap.
static void u8s8_gemm(const tk_u8s8_gemm *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  const size_t k = g->taps * tk_round_up(g->cin, 4);
  for (size_t i = m0; i < m1; i++) {
    const int32_t total = g->out.weight_zero ? row_sum(g, i) : 0;
    for (size_t n = n0; n < n1; n += TK_PANEL) {
      const int8_t *b = g->b + n * k;
      uint32_t acc[TK_PANEL] = {0};
      for (size_t t = 0; t < g->taps; t++) {
        const uint8_t *a = u8_row(g, i, t);
        for (size_t c = 0; c < g->cin; c++)
          for (size_t j = 0; j < TK_PANEL; j++)
            acc[j] += (uint32_t)((int32_t)a[c] * b[(c / 4 * TK_PANEL + j) * 4 + c % 4]);
        b += tk_round_up(g->cin, 4) * TK_PANEL;
      }
      const size_t width = tk_min(TK_PANEL, n1 - n);
      for (size_t j = 0; j < width; j++)
        tk_store_sum(&g->out, i, n + j, (int32_t)acc[j], total);
    }
  }
}

// The place of a channel's tap (y, x) in packed depthwise weights.
static size_t depthwise_index(size_t height, size_t width, size_t y, size_t x, size_t channel) {
  const size_t block = channel / TK_DEPTHWISE_BLOCK, c = channel % TK_DEPTHWISE_BLOCK;
  const size_t q = c % 16 / 4, l = c / 16 * 4 + c % 4, fours = tk_round_up(height, 4) / 4;
  const size_t four = (block * width + x) * fours + y / 4;
  return (four * TK_DEPTHWISE_BLOCK + q * 16 + l) * 4 + y % 4;
}

static void u8s8_depthwise_pack(const int8_t *weights, size_t height, size_t width, size_t channels,
                                int8_t *packed, int32_t *sums) {
  memset(packed, 0, tk_depthwise_packed_count(height, width, channels));
  for (size_t c = 0; c < channels; c++) {
    int32_t sum = 0;
    for (size_t t = 0; t < height * width; t++) {
      const int8_t weight = weights[t * channels + c];
      packed[depthwise_index(height, width, t / width, t % width, c)] = weight;
      sum += weight;
    }
    if (sums) sums[c] = sum;
  }
}

static void u8s8_depthwise(const tk_u8s8_depthwise *d, size_t p0, size_t p1) {
  const size_t taps = d->height * d->width;
  for (size_t p = p0; p < p1; p++)
    for (size_t c = 0; c < d->channels; c++) {
      int32_t acc = 0, sum = 0;
      for (size_t t = 0; t < taps; t++) {
        const int32_t a = tk_row_u8(d->rows[p * taps + t], d->row_offset, d->pad_row)[c];
        acc += a * d->weights[depthwise_index(d->height, d->width, t / d->width, t % d->width, c)];
        sum += a;
      }
      tk_store_sum(&d->out, p, c, acc, sum);
    }
}

static void f32_depthwise(const tk_f32_depthwise *d, size_t p0, size_t p1) {
  for (size_t p = p0; p < p1; p++) {
    float *y = d->c + p * d->ldc;
    for (size_t c = 0; c < d->channels; c++) {
      float acc = 0;
      for (size_t t = 0; t < d->taps; t++)
        acc += tk_row_f32(d->rows[p * d->taps + t], d->row_offset, d->pad_row)[c] *
               d->weights[t * d->channels + c];
      if (d->bias) acc += d->bias[c];
      y[c] = tk_clamped(acc, d->lo, d->hi);
    }
  }
}

void tk_install_scalar_gemm(tk_kernels *k) {
  k->f32_pack = f32_pack;
  k->u8s8_pack = u8s8_pack;
  k->u8s8_depthwise_pack = u8s8_depthwise_pack;
  k->f32_gemm = f32_gemm;
  k->u8s8_gemm = u8s8_gemm;
  k->u8s8_depthwise = u8s8_depthwise;
  k->f32_depthwise = f32_depthwise;
}
