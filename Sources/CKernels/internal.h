// Shared by the kernel sources; not visible outside this target.
#ifndef TESSERA_CKERNELS_INTERNAL_H
#define TESSERA_CKERNELS_INTERNAL_H

#include <math.h>

#include "CKernels.h"

// A product and a sum written apart are rounded apart, in every table: bit-equality rests on it.
#pragma STDC FP_CONTRACT OFF

// Lay the functions of one instruction set over a table; ascending.
void tk_install_scalar(tk_kernels *k);
void tk_install_scalar_gemm(tk_kernels *k);
void tk_install_scalar_bytes(tk_kernels *k);
void tk_install_scalar_float(tk_kernels *k);
void tk_install_scalar_windows(tk_kernels *k);
void tk_install_scalar_layout(tk_kernels *k);
void tk_install_scalar_statistics(tk_kernels *k);
void tk_install_scalar_convert(tk_kernels *k);
#if defined(__x86_64__)
void tk_install_avx2(tk_kernels *k);
void tk_install_avxvnni(tk_kernels *k);
void tk_install_avx512(tk_kernels *k);
#elif defined(__aarch64__)
void tk_install_neon(tk_kernels *k);
#endif

// Elements of any type of that size, for kernels that only move them.
typedef uint8_t tk_element_8;
typedef uint16_t __attribute__((may_alias)) tk_element_16;
typedef uint32_t __attribute__((may_alias)) tk_element_32;
typedef uint64_t __attribute__((may_alias)) tk_element_64;

// Rounds to nearest even where |x| < 2^22: the sum pushes the fraction out of the significand.
static inline float tk_round_half_even(float x) {
  const float magic = 12582912.0f;  // 1.5 * 2^23
  return (x + magic) - magic;
}

// clamp(roundHalfEven(x) + zero, lo, hi); NaN gives lo. Bounds are integers below 2^22, so the
// clamp may come first, which keeps the rounding in its range.
static inline int32_t tk_round_clamped(float x, int32_t zero, int32_t lo, int32_t hi) {
  const float low = (float)(lo - zero), high = (float)(hi - zero);
  x = x > low ? x : low;
  x = x < high ? x : high;
  return (int32_t)tk_round_half_even(x) + zero;
}

// An addition of codes as two multiply-adds: y = a * t.a + (b * t.b + t.constant).
typedef struct {
  float a, b, constant;
} tk_addition;

// Rounded to float32 where ONNX Runtime rounds, as its compiler fused it.
static inline tk_addition tk_addition_of(tk_quant a, tk_quant b, tk_quant y, int32_t offset) {
#pragma clang fp contract(off)
  const float ra = a.scale / y.scale, rb = b.scale / y.scale;
  const float zeros =
      fmaf(ra, (float)(a.zero_point - offset), rb * (float)(b.zero_point - offset));
  return (tk_addition){ra, rb, (float)(y.zero_point - offset) - zeros};
}

// A NaN stays a NaN: both comparisons are false then.
static inline float tk_clamped(float x, float lo, float hi) {
  x = x < lo ? lo : x;
  return x > hi ? hi : x;
}

// The address that an entry of a list of row pointers stands for; element size 1 or 4.
static inline const uint8_t *tk_row_u8(const uint8_t *p, ptrdiff_t offset, const uint8_t *pad) {
  return p == pad ? p : p + offset;
}

static inline const float *tk_row_f32(const float *p, ptrdiff_t offset, const float *pad) {
  return p == pad ? p : p + offset;
}

static inline size_t tk_round_up(size_t n, size_t step) { return (n + step - 1) / step * step; }
static inline size_t tk_min(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t tk_max(size_t a, size_t b) { return a > b ? a : b; }

// Whether codes need no bounds: they have all of a byte, and multipliers below 1 make no number that
// is too great for an integer.
static inline bool tk_has_simple_codes(const tk_epilogue *out, size_t n0, size_t n1) {
  if (out->kind != TK_OUT_U8 || out->lo > 0 || out->hi < 255) return false;
  bool simple = true;
  for (size_t n = n0; n < n1; n++) simple &= fabsf(out->multiplier[n]) < 1;
  return simple;
}

// One finished int32 sum into its place; the reference that every fused store must equal.
void tk_store_sum(const tk_epilogue *out, size_t row, size_t column, int32_t acc, int32_t row_sum);

#endif
