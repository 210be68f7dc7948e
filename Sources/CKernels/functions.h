// exp, tanh, erf and their kin in double precision, without branches or calls, so that loops over
// them can be vectorized. Relative errors stay below 1e-8, a tenth of a float's half ulp, also near
// zeros of the function; every instruction set computes the same bits.
#ifndef TESSERA_CKERNELS_FUNCTIONS_H
#define TESSERA_CKERNELS_FUNCTIONS_H

#include <string.h>

#include "internal.h"

// x = n ln 2 + r: e^x = scale + scale * tail, with scale = 2^n and tail = e^r - 1.
typedef struct {
  double scale, tail;
} tk_exponential;

static inline double tk_horner(double x, const double *coefficients, int count) {
  double y = coefficients[count - 1];
  for (int i = count - 2; i >= 0; i--) y = y * x + coefficients[i];
  return y;
}

// Saturates beyond |x| = 700, which a float cannot tell from infinity or zero. NaN stays NaN.
static inline tk_exponential tk_exp_parts(double x) {
  x = x < -700 ? -700 : x;
  x = x > 700 ? 700 : x;
  // Adding 1.5 * 2^52 rounds to an integer and leaves it in the low bits.
  const double magic = 6755399441055744.0;
  const double shifted = x * 1.4426950408889634 + magic, n = shifted - magic;
  const double r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  uint64_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits << 52) + ((uint64_t)1023 << 52);
  tk_exponential e;
  memcpy(&e.scale, &bits, sizeof bits);
  // (e^r - 1) / r, interpolated at the Chebyshev nodes of |r| <= 0.3466 (relative error 2.7e-10).
  static const double p[7] = {1.0, 0.5000000047139321, 0.16666666719021456, 0.04166635280102047,
                              0.008333298473121765, 0.0013941116406063054, 0.00019899282811157944};
  e.tail = r * tk_horner(r, p, 7);
  return e;
}

static inline double tk_exp(double x) {
  const tk_exponential e = tk_exp_parts(x);
  return e.scale + e.scale * e.tail;
}

static inline double tk_sigmoid(double x) { return 1 / (1 + tk_exp(-x)); }

// (e^2x - 1) / (e^2x + 1), from e^2x - 1 itself, which keeps its digits near zero.
static inline double tk_tanh(double x) {
  const tk_exponential e = tk_exp_parts(2 * x);
  const double less_one = (e.scale - 1) + e.scale * e.tail;
  return less_one / (less_one + 2);
}

// 1 - erf(z) for z >= 0: exp(-z^2) t P(t) with t = 2 / (2 + z). P interpolates e^(z^2) erfc(z) / t
// at the Chebyshev nodes of 0 <= z <= 15 (relative error 2.5e-9).
static inline double tk_erfc(double z) {
  static const double p[12] = {0.282097080327683927, 0.282013524066692208, 0.248082275906152792,
                               0.165312897324083665, 0.145451757524579586, -0.236451830982534154,
                               0.538729265014275668, -1.0859164058665286,  1.14644180760657658,
                               -0.665599270250019343, 0.207235957014562459, -0.0273970576140164098};
  const double t = 2 / (2 + z);
  return tk_exp(-z * z) * t * tk_horner(t, p, 12);
}

// x P(x^2) / Q(x^2), fitted for |x| <= 4 (relative error 2.9e-10), where 1 is the nearest float.
static inline double tk_erf(double x) {
  static const double p[8] = {1.1283791668472816,    0.44624669436550274,   0.0961231111095981,
                              0.016403843912612473,  0.0012420315056219861, 9.687915663572278e-05,
                              1.2207003616935029e-06, -3.781757051091552e-09};
  static const double q[7] = {1.0,
                              0.7288091574388473,
                              0.22812337565423144,
                              0.04150692769922737,
                              0.004847579771303253,
                              0.00036536807474315055,
                              1.598446397728916e-05};
  x = x < -4 ? -4 : x;
  x = x > 4 ? 4 : x;
  const double t = x * x;
  return x * tk_horner(t, p, 8) / tk_horner(t, q, 7);
}

// At -200 all of these are zero in float; the bound keeps -infinity from giving NaN.
static inline double tk_bounded(double x) { return x < -200 ? -200 : x; }

static inline double tk_gelu(double x) {
  x = tk_bounded(x);
  const double z = x * 0.70710678118654752440, magnitude = z < 0 ? -z : z;
  const double tail = tk_erfc(magnitude);
  return 0.5 * x * (x < 0 ? tail : 2 - tail);
}

// x / 2 * (1 + tanh u) = x * sigmoid(2 u), which keeps its digits where tanh is near -1.
static inline double tk_gelu_tanh(double x) {
  x = tk_bounded(x);
  const double twice_root = 1.5957691216057307118;  // 2 sqrt(2 / pi)
  return x * tk_sigmoid(twice_root * (x + 0.044715 * x * x * x));
}

static inline double tk_silu(double x) {
  x = tk_bounded(x);
  return x * tk_sigmoid(x);
}

#endif
