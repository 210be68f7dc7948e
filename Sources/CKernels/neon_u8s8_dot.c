// Integer kernels with the dot product of signed bytes: activations are taken less 128, and 128 times
// the sum of the weights is added at the end.
#if defined(__aarch64__)
#define TK_TARGET_DOT __attribute__((target("dotprod")))
#define CORRECTION 128
#define DOT(sum, bytes, weights) \
  vdotq_s32(sum, vreinterpretq_s8_u8(veorq_u8(bytes, vdupq_n_u8(0x80))), weights)
#define DOT_ONES(sum, weights) vdotq_s32(sum, vdupq_n_s8(1), weights)
#include "neon_u8s8.h"

void tk_install_neon_u8s8_dot(tk_kernels *k) {
  k->u8s8_gemm = u8s8_gemm;
  k->u8s8_depthwise = u8s8_depthwise;
}
#endif
