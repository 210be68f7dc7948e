// What the NEON sources share.
#ifndef TESSERA_CKERNELS_NEON_H
#define TESSERA_CKERNELS_NEON_H

#include <arm_neon.h>
#include <string.h>

#include "internal.h"

#define TK_INLINE_NEON static inline __attribute__((always_inline))

// Integer kernels come twice: with the dot product of signed bytes (ARMv8.2), and with that of
// unsigned and signed bytes (the i8mm extension), which needs no correction.
void tk_install_neon_f32_gemm(tk_kernels *k);
void tk_install_neon_u8s8_dot(tk_kernels *k);
void tk_install_neon_u8s8_i8mm(tk_kernels *k);

// Whether the processor has the dot product of signed bytes.
bool tk_neon_has_dot(void);

// The first n of four floats; zeros beyond.
TK_INLINE_NEON float32x4_t tk_load_floats_neon(const float *x, size_t n) {
  if (n >= 4) return vld1q_f32(x);
  float four[4] = {0};
  for (size_t i = 0; i < n; i++) four[i] = x[i];
  return vld1q_f32(four);
}

TK_INLINE_NEON void tk_store_floats_neon(float *to, float32x4_t x, size_t n) {
  if (n >= 4) {
    vst1q_f32(to, x);
    return;
  }
  float four[4];
  vst1q_f32(four, x);
  for (size_t i = 0; i < n; i++) to[i] = four[i];
}

// A NaN stays a NaN.
TK_INLINE_NEON float32x4_t tk_clamp_neon(float32x4_t x, float lo, float hi) {
  return vminq_f32(vmaxq_f32(x, vdupq_n_f32(lo)), vdupq_n_f32(hi));
}

// Of vector number `index` of four columns, how many of `left` columns exist.
TK_INLINE_NEON size_t tk_lanes(size_t left, size_t index) {
  return left > index * 4 ? left - index * 4 : 0;
}

#endif
