// Small floats, quantize and dequantize.
#include <math.h>
#include <string.h>

#include "internal.h"
#include "lanes.h"

static float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static float f32_of_f16(uint16_t h) {
  const uint32_t sign = (uint32_t)(h & 0x8000) << 16;
  const uint32_t magnitude = h & 0x7FFF;
  if (magnitude > 0x7C00) return float_of(sign | 0x7FC00000u | (magnitude << 13));
  if (magnitude == 0x7C00) return float_of(sign | 0x7F800000u);
  if (magnitude >= 0x0400) return float_of(sign | ((magnitude << 13) + (112u << 23)));
  const float value = (float)magnitude * 0x1p-24f;  // zero or denormal: exact
  return float_of(sign | bits_of(value));
}

static uint16_t f16_of_f32(float x) {
  const uint32_t bits = bits_of(x);
  const uint32_t sign = bits >> 16 & 0x8000;
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000u) return (uint16_t)(sign | 0x7E00 | (magnitude >> 13 & 0x3FF));
  if (magnitude >= 0x47800000u) return (uint16_t)(sign | 0x7C00);  // 65536 and up
  if (magnitude < 0x38800000u) {
    // Below 2^-14: adding 0.5 leaves the multiple of 2^-24 in the low bits, rounded to even.
    return (uint16_t)(sign | (bits_of(float_of(magnitude) + 0.5f) - 0x3F000000u));
  }
  const uint32_t rounded = magnitude + 0xFFF + (magnitude >> 13 & 1);
  return (uint16_t)(sign | ((rounded - (112u << 23)) >> 13));
}

static uint16_t bf16_of_f32(float x) {
  const uint32_t bits = bits_of(x);
  if ((bits & 0x7FFFFFFF) > 0x7F800000u) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

static void f16_to_f32(const uint16_t *x, float *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = f32_of_f16(x[i]);
}

static void f32_to_f16(const float *x, uint16_t *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = f16_of_f32(x[i]);
}

static void bf16_to_f32(const uint16_t *x, float *y, size_t n) {
  for (size_t i = 0; i < n; i++) {
    const uint32_t bits = (uint32_t)x[i] << 16;
    const bool nan = (bits & 0x7FFFFFFF) > 0x7F800000u;
    y[i] = float_of(nan ? bits | 0x400000 : bits);
  }
}

static void f32_to_bf16(const float *x, uint16_t *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = bf16_of_f32(x[i]);
}

#define QUANTIZE(suffix, type)                                                                   \
  static void quantize_##suffix(const float *x, type *y, size_t n, float scale, int32_t zero,    \
                                int32_t q_min, int32_t q_max) {                                  \
    TK_ELEMENTWISE                                                                               \
    for (size_t i = 0; i < n; i++)                                                               \
      y[i] = (type)tk_round_clamped(x[i] / scale, zero, q_min, q_max);                           \
  }

#define DEQUANTIZE(suffix, type)                                                                 \
  static void dequantize_##suffix(const type *q, float *y, size_t n, float scale, int32_t zero) { \
    TK_ELEMENTWISE                                                                               \
    for (size_t i = 0; i < n; i++)                                                               \
      y[i] = (float)(int32_t)((uint32_t)(int32_t)q[i] - (uint32_t)zero) * scale;                 \
  }

QUANTIZE(u8, uint8_t)
QUANTIZE(s8, int8_t)
QUANTIZE(u16, uint16_t)
QUANTIZE(s16, int16_t)
DEQUANTIZE(u8, uint8_t)
DEQUANTIZE(s8, int8_t)
DEQUANTIZE(u16, uint16_t)
DEQUANTIZE(s16, int16_t)
DEQUANTIZE(s32, int32_t)

// The range of an int32 does not fit a float, so the clamp is done in double, which holds it.
static void quantize_s32(const float *x, int32_t *y, size_t n, float scale, int32_t zero,
                         int32_t q_min, int32_t q_max) {
  const double lo = q_min, hi = q_max;
  for (size_t i = 0; i < n; i++) {
    double code = (double)rintf(x[i] / scale) + zero;
    code = code > lo ? code : lo;
    y[i] = (int32_t)(code < hi ? code : hi);
  }
}

static void round_to_codes(const float *x, float *y, size_t n, float scale, int32_t zero,
                           int32_t q_min, int32_t q_max) {
  TK_ELEMENTWISE
  for (size_t i = 0; i < n; i++)
    y[i] = (float)(tk_round_clamped(x[i] / scale, zero, q_min, q_max) - zero) * scale;
}

void tk_install_scalar_convert(tk_kernels *k) {
  k->f16_to_f32 = f16_to_f32;
  k->f32_to_f16 = f32_to_f16;
  k->bf16_to_f32 = bf16_to_f32;
  k->f32_to_bf16 = f32_to_bf16;
  k->quantize_u8 = quantize_u8;
  k->quantize_s8 = quantize_s8;
  k->quantize_u16 = quantize_u16;
  k->quantize_s16 = quantize_s16;
  k->quantize_s32 = quantize_s32;
  k->round_to_codes = round_to_codes;
  k->dequantize_u8 = dequantize_u8;
  k->dequantize_s8 = dequantize_s8;
  k->dequantize_u16 = dequantize_u16;
  k->dequantize_s16 = dequantize_s16;
  k->dequantize_s32 = dequantize_s32;
}
