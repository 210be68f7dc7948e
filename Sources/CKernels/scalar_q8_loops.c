// Activations as signed bytes with a scale for each block.
#include <string.h>

#include "lanes.h"
#include "q4_gemm.h"

static float greatest_magnitude(const float *x, size_t n) {
  // Bits of magnitudes are ordered as they are, with NaN above all.
  uint32_t greatest = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, x + i, sizeof bits);
    bits &= 0x7FFFFFFF;
    greatest = bits > greatest ? bits : greatest;
  }
  float magnitude;
  memcpy(&magnitude, &greatest, sizeof magnitude);
  return magnitude;
}

static void q8_quantize(const float *x, size_t k, size_t block, int8_t *codes, float *scales,
                        int32_t *starts) {
  for (size_t k0 = 0; k0 < k; k0 += block, scales++, starts++) {
    const size_t count = tk_min(block, k - k0);
    const float scale = greatest_magnitude(x + k0, count) / 127;
    *scales = scale;
    const bool regular = scale > 0 && scale < INFINITY;
    int32_t sum = 0;
    if (!regular) memset(codes + k0, 0, count);
    TK_ELEMENTWISE
    for (size_t i = 0; i < (regular ? count : 0); i++) {
      float code = tk_round_half_even(x[k0 + i] / scale);
      code = code < -127 ? -127 : code;
      code = code > 127 ? 127 : code;
      codes[k0 + i] = (int8_t)(int32_t)code;
      sum += (int32_t)code;
    }
    *starts = -8 * sum;
  }
  for (size_t i = k; i % TK_Q4_WORD > 0; i++) codes[i] = 0;
}

void tk_install_scalar_q8(tk_kernels *k) { k->q8_quantize = q8_quantize; }
