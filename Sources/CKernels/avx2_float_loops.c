// The loops of scalar_float.c, compiled for AVX2.
#if defined(__x86_64__)
#include <math.h>

#include "functions.h"
#include "lanes.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define tk_install_scalar_float tk_install_avx2_float
#include "scalar_float.c"
#pragma clang attribute pop
#endif
