// The scalar table: every kernel in plain C, the reference for all others.
#include "internal.h"
#include "q4_gemm.h"

void tk_install_scalar(tk_kernels *k) {
  k->isa = TK_SCALAR;
  k->name = "scalar";
  tk_install_scalar_convert(k);
  tk_install_scalar_statistics(k);
  tk_install_scalar_gemm(k);
  tk_install_scalar_bytes(k);
  tk_install_scalar_windows(k);
  tk_install_scalar_windows(k);
  tk_install_scalar_layout(k);
  tk_install_scalar_float(k);
  tk_install_scalar_q4(k);
  tk_install_scalar_q8(k);
}
