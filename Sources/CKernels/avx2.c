// The AVX2 table: what is faster than scalar with AVX2, FMA and F16C.
#if defined(__x86_64__)
#include "avx2.h"
#include "q4_gemm.h"

void tk_install_avx2(tk_kernels *k) {
  k->isa = TK_AVX2;
  k->name = "avx2";
  tk_install_avx2_float(k);
  tk_install_avx2_statistics(k);
  tk_install_avx2_bytes(k);
  tk_install_avx2_windows(k);
  tk_install_avx2_convert(k);
  tk_install_avx2_half(k);
  tk_install_avx2_layout(k);
  tk_install_avx2_depthwise(k);
  tk_install_avx2_f32_gemm(k);
  tk_install_avx2_u8s8_gemm(k);
  tk_install_avx2_q4(k);
  tk_install_avx2_q8(k);
}
#endif
