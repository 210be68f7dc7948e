// Range, sums, errors and histograms of float arrays.
#include <math.h>

#include "internal.h"

static tk_range min_max(const float *x, size_t n) {
  tk_range r = {INFINITY, -INFINITY, 0, n};
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(x[i])) {
      if (r.non_finite++ == 0) r.first_non_finite = i;
      continue;
    }
    r.min = x[i] < r.min ? x[i] : r.min;
    r.max = x[i] > r.max ? x[i] : r.max;
  }
  return r;
}

static tk_sums sums(const float *x, size_t n) {
  tk_sums s = {0, 0};
  for (size_t i = 0; i < n; i++) {
    const double v = x[i];
    s.sum += v;
    s.sum_of_squares += v * v;
  }
  return s;
}

static double squared_error(const float *a, const float *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    const double d = (double)a[i] - (double)b[i];
    sum += d * d;
  }
  return sum;
}

static double dot(const float *a, const float *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
  return sum;
}

static void histogram(const float *x, size_t n, float lo, float hi, uint64_t *counts,
                      size_t bins) {
  const float width = hi - lo;
  for (size_t i = 0; i < n; i++) {
    if (!(x[i] >= lo && x[i] <= hi)) continue;
    const float position = (x[i] - lo) / width * (float)bins;
    counts[position < (float)bins ? (size_t)position : bins - 1]++;
  }
}

void tk_install_scalar_statistics(tk_kernels *k) {
  k->min_max = min_max;
  k->sums = sums;
  k->squared_error = squared_error;
  k->dot = dot;
  k->histogram = histogram;
}
