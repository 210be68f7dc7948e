// Range, sums, errors and histograms of float arrays. Compiled once for each instruction set.
#include <math.h>
#include <string.h>

#include "internal.h"
#include "lanes.h"

static bool is_finite(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return (bits & 0x7FFFFFFF) < 0x7F800000;
}

static size_t first_non_finite(const float *x, size_t n) {
  size_t i = 0;
  while (i < n && is_finite(x[i])) i++;
  return i;
}

typedef struct {
  float min[TK_LANES], max[TK_LANES];
  uint32_t finite[TK_LANES];
} range_lanes;

// One value into its lane; what is not finite changes nothing.
#define TAKE(x)                                          \
  const float v = (x);                                   \
  const bool good = is_finite(v);                           \
  const float low = good ? v : INFINITY;                 \
  const float high = good ? v : -INFINITY;               \
  lanes.min[l] = low < lanes.min[l] ? low : lanes.min[l]; \
  lanes.max[l] = high > lanes.max[l] ? high : lanes.max[l]; \
  lanes.finite[l] += good

static tk_range min_max(const float *x, size_t n) {
  tk_range r = {INFINITY, -INFINITY, n, n};
  for (size_t begin = 0; begin < n; begin += (size_t)1 << 30) {  // 32-bit counts
    const size_t count = tk_min(n - begin, (size_t)1 << 30);
    range_lanes lanes;
    for (size_t l = 0; l < TK_LANES; l++) {
      lanes.min[l] = INFINITY;
      lanes.max[l] = -INFINITY;
      lanes.finite[l] = 0;
    }
    TK_FOR_LANES(count, TAKE(x[begin + i]));
    for (size_t l = 0; l < TK_LANES; l++) {
      r.min = lanes.min[l] < r.min ? lanes.min[l] : r.min;
      r.max = lanes.max[l] > r.max ? lanes.max[l] : r.max;
      r.non_finite -= lanes.finite[l];
    }
  }
  if (r.non_finite > 0) r.first_non_finite = first_non_finite(x, n);
  return r;
}

static tk_sums sums(const float *x, size_t n) {
  double lanes[TK_LANES] = {0}, squares[TK_LANES] = {0};
  TK_FOR_LANES(n, lanes[l] += (double)x[i]; squares[l] += (double)x[i] * (double)x[i]);
  return (tk_sums){tk_lane_sum(lanes), tk_lane_sum(squares)};
}

static double squared_error(const float *a, const float *b, size_t n) {
  double lanes[TK_LANES] = {0};
  TK_FOR_LANES(n, const double d = (double)a[i] - (double)b[i]; lanes[l] += d * d);
  return tk_lane_sum(lanes);
}

static double dot(const float *a, const float *b, size_t n) {
  double lanes[TK_LANES] = {0};
  TK_FOR_LANES(n, lanes[l] += (double)a[i] * (double)b[i]);
  return tk_lane_sum(lanes);
}

// The bins of a block of values first, then their counts.
static void histogram(const float *x, size_t n, float lo, float hi, uint64_t *counts,
                      size_t bins) {
  enum { BLOCK = 64 };
  const float width = hi - lo, number = (float)bins, last = (float)(bins - 1);
  for (size_t i = 0; i < n; i += BLOCK) {
    const size_t count = tk_min(BLOCK, n - i);
    int32_t bin[BLOCK];
    for (size_t j = 0; j < count; j++) {
      const float position = (x[i + j] - lo) / width * number;
      const float clamped = position < number ? position : last;
      bin[j] = x[i + j] >= lo && x[i + j] <= hi ? (int32_t)(clamped > 0 ? clamped : 0) : -1;
    }
    for (size_t j = 0; j < count; j++)
      if (bin[j] >= 0) counts[bin[j]]++;
  }
}

void tk_install_scalar_statistics(tk_kernels *k) {
  k->min_max = min_max;
  k->sums = sums;
  k->squared_error = squared_error;
  k->dot = dot;
  k->histogram = histogram;
}
