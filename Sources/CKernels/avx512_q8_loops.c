// The loops of scalar_q8_loops.c, compiled for AVX-512.
#if defined(__x86_64__)
#include <math.h>
#include <string.h>

#include "lanes.h"
#include "q4_gemm.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq"))), \
                             apply_to = function)
#define tk_install_scalar_q8 tk_install_avx512_q8
#include "scalar_q8_loops.c"
#pragma clang attribute pop
#endif
