// The loops of scalar_windows.c, compiled for AVX2.
#if defined(__x86_64__)
#include <math.h>
#include <string.h>

#include "lanes.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define tk_install_scalar_windows tk_install_avx2_windows
#include "scalar_windows.c"
#pragma clang attribute pop
#endif
