// Integer kernels with the dot product of unsigned and signed bytes.
#if defined(__aarch64__)
#define TK_TARGET_DOT __attribute__((target("i8mm")))
#define CORRECTION 0
#define DOT(sum, bytes, weights) vusdotq_s32(sum, bytes, weights)
#define DOT_ONES(sum, weights) (sum)
#include "neon_u8s8.h"

void tk_install_neon_u8s8_i8mm(tk_kernels *k) {
  k->u8s8_gemm = u8s8_gemm;
  k->u8s8_depthwise = u8s8_depthwise;
}
#endif
