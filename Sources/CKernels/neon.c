// The NEON table. The loops of the scalar sources are vectorized by the compiler already, for which
// NEON is a matter of course; by hand come products and depthwise convolutions.
#if defined(__aarch64__)
#include "neon.h"
#include "q4_gemm.h"

#if defined(__linux__)
#include <sys/auxv.h>

enum { HAS_DOT = 1 << 20, HAS_I8MM = 1 << 13 };  // of the kernel's AT_HWCAP and AT_HWCAP2

bool tk_neon_has_dot(void) { return getauxval(AT_HWCAP) & HAS_DOT; }
static bool has_i8mm(void) { return getauxval(AT_HWCAP2) & HAS_I8MM; }
#else
bool tk_neon_has_dot(void) { return true; }  // every Apple processor that runs this
static bool has_i8mm(void) { return false; }
#endif

void tk_install_neon(tk_kernels *k) {
  k->isa = TK_NEON;
  k->name = "neon";
  tk_install_neon_f32_gemm(k);
  tk_install_neon_q4(k);
  if (tk_neon_has_dot()) tk_install_neon_u8s8_dot(k);
  if (has_i8mm()) tk_install_neon_u8s8_i8mm(k);
}
#endif
