// Element-wise float work and row-wise normalizations. The transcendental functions are evaluated
// in double and rounded once.
#include <math.h>

#include "internal.h"

#define BINARY(expression)                       \
  for (size_t i = 0; i < n; i++) {               \
    const float p = a[i * as], q = b[i * bs];    \
    y[i] = (expression);                         \
  }                                              \
  break

static void binary(tk_binary op, const float *a, size_t as, const float *b, size_t bs, float *y,
                   size_t n) {
  switch (op) {
    case TK_ADD: BINARY(p + q);
    case TK_SUB: BINARY(p - q);
    case TK_MUL: BINARY(p * q);
    case TK_DIV: BINARY(p / q);
    case TK_MAX: BINARY(p > q || p != p ? p : q);
    case TK_MIN: BINARY(p < q || p != p ? p : q);
  }
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static double gelu(double x) { return 0.5 * x * erfc(-x * M_SQRT1_2); }

static double gelu_tanh(double x) {
  // x / 2 * (1 + tanh u) = x * sigmoid(2 u), which keeps its digits where tanh is near -1.
  if (x == -INFINITY) return 0;
  return x * sigmoid(2 * sqrt(2 / M_PI) * (x + 0.044715 * x * x * x));
}

static double silu(double x) { return x == -INFINITY ? 0 : x * sigmoid(x); }

#define UNARY(expression)                                      \
  for (size_t i = 0; i < n; i++) {                             \
    const double v = x[i];                                     \
    y[i] = (float)(expression);                                \
  }                                                            \
  break

static void unary(tk_unary op, const float *x, float *y, size_t n) {
  switch (op) {
    case TK_RELU: UNARY(v < 0 ? 0 : v);
    case TK_SIGMOID: UNARY(sigmoid(v));
    case TK_TANH: UNARY(tanh(v));
    case TK_EXP: UNARY(exp(v));
    case TK_ERF: UNARY(erf(v));
    case TK_GELU: UNARY(v == -INFINITY ? 0 : gelu(v));
    case TK_GELU_TANH: UNARY(gelu_tanh(v));
    case TK_SILU: UNARY(silu(v));
  }
}

static void clamp(const float *x, float *y, size_t n, float lo, float hi) {
  for (size_t i = 0; i < n; i++) y[i] = tk_clamped(x[i], lo, hi);
}

static void softmax(const float *x, float *y, size_t rows, size_t n) {
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    float max = -INFINITY;
    for (size_t i = 0; i < n; i++) max = x[i] > max ? x[i] : max;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
      const double e = exp((double)x[i] - (double)max);
      sum += e;
      y[i] = (float)e;
    }
    for (size_t i = 0; i < n; i++) y[i] = (float)((double)y[i] / sum);
  }
}

static void layer_norm(const float *x, const float *gamma, const float *beta, float epsilon,
                       float *y, size_t rows, size_t n) {
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    const double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) {
      const double d = x[i] - mean;
      squares += d * d;
    }
    const double factor = 1 / sqrt(squares / (double)n + epsilon);
    for (size_t i = 0; i < n; i++) {
      const double scaled = (x[i] - mean) * factor * (gamma ? gamma[i] : 1);
      y[i] = (float)(scaled + (beta ? beta[i] : 0));
    }
  }
}

static void rms_norm(const float *x, const float *gamma, float epsilon, float *y, size_t rows,
                     size_t n) {
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    double squares = 0;
    for (size_t i = 0; i < n; i++) squares += (double)x[i] * x[i];
    const double factor = 1 / sqrt(squares / (double)n + epsilon);
    for (size_t i = 0; i < n; i++) y[i] = (float)(x[i] * factor * (gamma ? gamma[i] : 1));
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
