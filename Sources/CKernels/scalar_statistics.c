// Range, sums, errors and counts of float arrays. Compiled once for each instruction set.
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

// One pair into its lane; what is not finite adds nothing but its count.
#define TAKE_PAIR(x, y)                                            \
  const float p = (x), q = (y);                                    \
  const bool good = is_finite(p) & is_finite(q);                   \
  const double v = good ? p : 0, w = good ? q : 0, d = v - w;      \
  const double distance = d < 0 ? -d : d;                          \
  signal[l] += w * w;                                              \
  energy[l] += v * v;                                              \
  product[l] += v * w;                                             \
  noise[l] += d * d;                                               \
  distances[l] += distance;                                        \
  greatest[l] = distance > greatest[l] ? distance : greatest[l];   \
  unlike[l] += !good & (p != q) & !((p != p) & (q != q))

static tk_errors errors(const float *x, const float *y, size_t n) {
  double signal[TK_LANES] = {0}, energy[TK_LANES] = {0}, product[TK_LANES] = {0};
  double noise[TK_LANES] = {0}, distances[TK_LANES] = {0}, greatest[TK_LANES] = {0};
  uint64_t unlike[TK_LANES] = {0};
  TK_FOR_LANES(n, TAKE_PAIR(x[i], y[i]));
  tk_errors e = {.signal = tk_lane_sum(signal), .energy = tk_lane_sum(energy),
                 .product = tk_lane_sum(product), .noise = tk_lane_sum(noise),
                 .distance = tk_lane_sum(distances)};
  for (size_t l = 0; l < TK_LANES; l++) {
    e.greatest = greatest[l] > e.greatest ? greatest[l] : e.greatest;
    e.non_finite += unlike[l];
  }
  return e;
}

static tk_clamped_sum clamped_sum(const float *x, size_t n, float shift, float lo, float hi) {
  double lanes[TK_LANES] = {0};
  uint64_t inside[TK_LANES] = {0};
  TK_FOR_LANES(n, const float v = x[i] + shift; lanes[l] += (double)tk_clamped(v, lo, hi);
               inside[l] += (v > lo) & (v < hi));
  tk_clamped_sum result = {.sum = tk_lane_sum(lanes)};
  for (size_t l = 0; l < TK_LANES; l++) result.inside += inside[l];
  return result;
}

// As many channels at a time as there are lanes, each in ascending order of pixels.
static void clamped_channel_sums(const float *x, size_t pixels, size_t channels,
                                 const float *shift, float lo, float hi, tk_clamped_sum *sums) {
  for (size_t c = 0; c < channels; c += TK_LANES) {
    const size_t count = tk_min(TK_LANES, channels - c);
    double lanes[TK_LANES] = {0};
    uint64_t inside[TK_LANES] = {0};
    float added[TK_LANES] = {0};
    for (size_t l = 0; l < count; l++) added[l] = shift ? shift[c + l] : 0;
    if (count == TK_LANES) {
      for (size_t p = 0; p < pixels; p++) {
        const float *row = x + p * channels + c;
        for (size_t l = 0; l < TK_LANES; l++) {
          const float v = row[l] + added[l];
          lanes[l] += (double)tk_clamped(v, lo, hi);
          inside[l] += (v > lo) & (v < hi);
        }
      }
    } else {
      for (size_t p = 0; p < pixels; p++)
        for (size_t l = 0; l < count; l++) {
          const float v = x[p * channels + c + l] + added[l];
          lanes[l] += (double)tk_clamped(v, lo, hi);
          inside[l] += (v > lo) & (v < hi);
        }
    }
    for (size_t l = 0; l < count; l++) {
      sums[c + l].sum += lanes[l];
      sums[c + l].inside += inside[l];
    }
  }
}

// The bins of a block first, then those of zeros left out, then their counts.
static size_t count_magnitudes(const float *x, size_t n, float scale, uint64_t *counts,
                               size_t bins) {
  enum { BLOCK = 256 };
  const int32_t middle = (int32_t)bins;
  size_t counted = 0;
  for (size_t i = 0; i < n; i += BLOCK) {
    const size_t count = tk_min(BLOCK, n - i);
    int32_t bin[BLOCK], kept[BLOCK];
    for (size_t j = 0; j < count; j++) {
      const float v = x[i + j];
      const int32_t distance = (int32_t)(fabsf(v) * scale);
      bin[j] = v > 0 ? middle + distance : middle - 1 - distance;
    }
    size_t number = 0;
    for (size_t j = 0; j < count; j++) {
      kept[number] = bin[j];
      number += x[i + j] != 0;
    }
    for (size_t j = 0; j < number; j++) counts[kept[j]]++;
    counted += number;
  }
  return n - counted;
}

void tk_install_scalar_statistics(tk_kernels *k) {
  k->min_max = min_max;
  k->sums = sums;
  k->squared_error = squared_error;
  k->dot = dot;
  k->errors = errors;
  k->clamped_sum = clamped_sum;
  k->clamped_channel_sums = clamped_channel_sums;
  k->count_magnitudes = count_magnitudes;
}
