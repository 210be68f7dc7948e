// The AVX-512 table: what is faster than AVX2 with AVX-512 F, BW, VL, DQ and VNNI.
#if defined(__x86_64__)
#include "avx512.h"
#include "q4_gemm.h"

void tk_install_avx512(tk_kernels *k) {
  k->isa = TK_AVX512;
  k->name = "avx512";
  tk_install_avx512_f32_gemm(k);
  tk_install_avx512_u8s8_gemm(k);
  tk_install_avx512_f32_depthwise(k);
  tk_install_avx512_u8s8_depthwise(k);
  tk_install_avx512_max_pool(k);
  tk_install_avx512_lookup(k);
  tk_install_avx512_windows(k);
  tk_install_avx512_convert(k);
  tk_install_avx512_float(k);
  tk_install_avx512_statistics(k);
  tk_install_avx512_counts(k);
  tk_install_avx512_q4(k);
  tk_install_avx512_q8(k);
}
#endif
