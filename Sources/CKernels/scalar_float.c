// Element-wise float work and row-wise normalizations. The transcendental functions are evaluated
// in double and rounded once. Compiled once for each instruction set (avx2_float_loops.c, ...).
#include <math.h>

#include "functions.h"
#include "internal.h"
#include "lanes.h"

#define LOOP(expression) \
  TK_ELEMENTWISE         \
  for (size_t i = 0; i < n; i++) y[i] = (expression)

// One loop for each combination of arrays and scalars, so that each can be vectorized.
#define BINARY(name, expression)                                                       \
  static void name(const float *a, size_t as, const float *b, size_t bs, float *y,     \
                   size_t n) {                                                         \
    if (as && bs) {                                                                    \
      TK_ELEMENTWISE                                                                   \
      for (size_t i = 0; i < n; i++) { const float p = a[i], q = b[i]; y[i] = (expression); } \
    } else if (as) {                                                                   \
      const float q = *b;                                                              \
      TK_ELEMENTWISE                                                                   \
      for (size_t i = 0; i < n; i++) { const float p = a[i]; y[i] = (expression); }    \
    } else {                                                                           \
      const float p = *a;                                                              \
      TK_ELEMENTWISE                                                                   \
      for (size_t i = 0; i < n; i++) { const float q = b[i * bs]; y[i] = (expression); } \
    }                                                                                  \
  }

BINARY(add, p + q)
BINARY(subtract, p - q)
BINARY(multiply, p * q)
BINARY(divide, p / q)
BINARY(maximum, p > q || p != p ? p : q)
BINARY(minimum, p < q || p != p ? p : q)

static void binary(tk_binary op, const float *a, size_t as, const float *b, size_t bs, float *y,
                   size_t n) {
  if (n == 0) return;
  switch (op) {
    case TK_ADD: return add(a, as, b, bs, y, n);
    case TK_SUB: return subtract(a, as, b, bs, y, n);
    case TK_MUL: return multiply(a, as, b, bs, y, n);
    case TK_DIV: return divide(a, as, b, bs, y, n);
    case TK_MAX: return maximum(a, as, b, bs, y, n);
    case TK_MIN: return minimum(a, as, b, bs, y, n);
  }
}

static void unary(tk_unary op, const float *x, float *y, size_t n) {
  switch (op) {
    case TK_RELU: LOOP(x[i] < 0 ? 0 : x[i]); break;
    case TK_SIGMOID: LOOP((float)tk_sigmoid(x[i])); break;
    case TK_TANH: LOOP((float)tk_tanh(x[i])); break;
    case TK_EXP: LOOP((float)tk_exp(x[i])); break;
    case TK_ERF: LOOP((float)tk_erf(x[i])); break;
    case TK_GELU: LOOP((float)tk_gelu(x[i])); break;
    case TK_GELU_TANH: LOOP((float)tk_gelu_tanh(x[i])); break;
    case TK_SILU: LOOP((float)tk_silu(x[i])); break;
  }
}

static void clamp(const float *x, float *y, size_t n, float lo, float hi) {
  LOOP(tk_clamped(x[i], lo, hi));
}

static float largest(const float *x, size_t n) {
  float lanes[TK_LANES];
  for (size_t l = 0; l < TK_LANES; l++) lanes[l] = -INFINITY;
  TK_FOR_LANES(n, lanes[l] = x[i] > lanes[l] ? x[i] : lanes[l]);
  float max = -INFINITY;
  for (size_t l = 0; l < TK_LANES; l++) max = lanes[l] > max ? lanes[l] : max;
  return max;
}

static double sum(const float *x, size_t n) {
  double lanes[TK_LANES] = {0};
  TK_FOR_LANES(n, lanes[l] += (double)x[i]);
  return tk_lane_sum(lanes);
}

// sum of (x - center)^2
static double sum_of_squares(const float *x, size_t n, double center) {
  double lanes[TK_LANES] = {0};
  TK_FOR_LANES(n, lanes[l] += ((double)x[i] - center) * ((double)x[i] - center));
  return tk_lane_sum(lanes);
}

static void softmax(const float *x, float *y, size_t rows, size_t n) {
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    const double max = largest(x, n);
    LOOP((float)tk_exp((double)x[i] - max));
    const double factor = 1 / sum(y, n);
    LOOP((float)(y[i] * factor));
  }
}

static void layer_norm(const float *x, const float *gamma, const float *beta, float epsilon,
                       float *y, size_t rows, size_t n) {
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    const double mean = sum(x, n) / (double)n;
    const double factor = 1 / sqrt(sum_of_squares(x, n, mean) / (double)n + epsilon);
    if (gamma && beta)
      LOOP((float)((x[i] - mean) * factor * gamma[i] + beta[i]));
    else if (gamma)
      LOOP((float)((x[i] - mean) * factor * gamma[i]));
    else if (beta)
      LOOP((float)((x[i] - mean) * factor + beta[i]));
    else
      LOOP((float)((x[i] - mean) * factor));
  }
}

static void rms_norm(const float *x, const float *gamma, float epsilon, float *y, size_t rows,
                     size_t n) {
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    const double factor = 1 / sqrt(sum_of_squares(x, n, 0) / (double)n + epsilon);
    if (gamma)
      LOOP((float)(x[i] * factor * gamma[i]));
    else
      LOOP((float)(x[i] * factor));
  }
}

void tk_install_scalar_float(tk_kernels *k) {
  k->binary = binary;
  k->unary = unary;
  k->clamp = clamp;
  k->softmax = softmax;
  k->layer_norm = layer_norm;
  k->rms_norm = rms_norm;
}
