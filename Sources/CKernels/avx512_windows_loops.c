// The loops of scalar_windows.c, compiled for AVX-512.
#if defined(__x86_64__)
#include <math.h>
#include <string.h>

#include "lanes.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq"))), apply_to = function)
#define tk_install_scalar_windows tk_install_avx512_windows
#include "scalar_windows.c"
#pragma clang attribute pop
#endif
