// What is computed over windows of numbers: means over the taps of pixels, and responses normalized
// by those of neighbouring channels. Compiled once for each instruction set.
#include <math.h>
#include <string.h>

#include "internal.h"
#include "lanes.h"

enum { LANES = 16, VECTORS = 4 };

// Sixteen numbers, put into as many registers as they need.
typedef float lanes __attribute__((vector_size(64)));
typedef uint8_t byte_lanes __attribute__((vector_size(16)));

#define INLINE static inline __attribute__((always_inline))

INLINE void load(lanes *to, const float *from, size_t n) {
  if (n >= LANES) {
    memcpy(to, from, sizeof *to);
  } else {
    *to = (lanes){0};
    for (size_t i = 0; i < n; i++) (*to)[i] = from[i];
  }
}

INLINE void store(const lanes *from, float *to, size_t n) {
  if (n >= LANES)
    memcpy(to, from, sizeof *from);
  else
    for (size_t i = 0; i < n; i++) to[i] = (*from)[i];
}

// clamp(round(x / scale + zero)), moved to unsigned bytes.
INLINE void store_codes(const tk_average_pool *a, const lanes *x, uint8_t *to, size_t n) {
  const float magic = 12582912.0f;  // 1.5 * 2^23: the sum pushes the fraction out
  lanes code = *x / a->scale + a->zero;
  code = __builtin_elementwise_max(code, (lanes){0} + a->lo);  // a NaN gives lo
  code = __builtin_elementwise_min(code, (lanes){0} + a->hi);
  typedef int32_t integers __attribute__((vector_size(64)));
  integers whole;
  code += magic;
  memcpy(&whole, &code, sizeof whole);
  const byte_lanes bytes = __builtin_convertvector(whole, byte_lanes) ^ a->flip;
  if (n >= LANES)
    memcpy(to, &bytes, sizeof bytes);
  else
    for (size_t i = 0; i < n; i++) to[i] = bytes[i];
}

// One pixel's channels [c, c + n) with n <= vectors * LANES.
INLINE void average(const tk_average_pool *a, size_t p, size_t c, size_t n, const int vectors) {
  lanes sums[VECTORS];
  for (int v = 0; v < vectors; v++) sums[v] = (lanes){0};
  for (size_t t = 0; t < a->taps; t++) {
    const float *x = tk_row_f32(a->rows[p * a->taps + t], a->row_offset, a->pad_row) + c;
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      lanes value;
      load(&value, x + v * LANES, n - (size_t)v * LANES);
      sums[v] += value;
    }
  }
  const size_t place = p * a->channels + c;
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    const size_t left = n - (size_t)v * LANES, i = place + (size_t)v * LANES;
    const lanes mean = sums[v] / a->divisors[p];
    if (a->codes)
      store_codes(a, &mean, a->codes + i, left);
    else
      store(&mean, a->means + i, left);
  }
}

static void average_pool(const tk_average_pool *a, size_t p0, size_t p1) {
  for (size_t p = p0; p < p1; p++) {
    size_t c = 0;
    for (; c + VECTORS * LANES <= a->channels; c += VECTORS * LANES)
      average(a, p, c, VECTORS * LANES, VECTORS);
    for (; c + LANES <= a->channels; c += LANES) average(a, p, c, LANES, 1);
    if (c < a->channels) average(a, p, c, a->channels - c, 1);
  }
}

// One row, its squares between zeros, so that every window has all its members.
static void power_row(const tk_response_norm *a, const float *x, const float *squares, float *y) {
  for (size_t i = 0; i < a->channels; i++) {
    float sum = 0;
    for (size_t j = 0; j < a->size; j++) sum += squares[i + j];
    y[i] = (float)(x[i] / pow(a->bias + a->factor * sum, a->beta));
  }
}

// The same to the power 3/4: two square roots.
static void root_row(const tk_response_norm *a, const float *x, const float *squares, float *y) {
  for (size_t i = 0; i < a->channels; i += LANES) {
    lanes sum = {0}, value;
    for (size_t j = 0; j < a->size; j++) {
      load(&value, squares + i + j, LANES);
      sum += value;
    }
    const lanes root = __builtin_elementwise_sqrt(sum * a->factor + a->bias);
    load(&value, x + i, a->channels - i);
    value /= root * __builtin_elementwise_sqrt(root);
    store(&value, y + i, a->channels - i);
  }
}

static void response_norm(const tk_response_norm *a, size_t r0, size_t r1) {
  const size_t n = a->channels, before = (a->size - 1) / 2;
  const size_t count = tk_round_up(n, LANES) + a->size;
  float *squares = tk_scratch(count * sizeof *squares), *const own = squares + before;
  memset(squares, 0, count * sizeof *squares);
  for (size_t r = r0; r < r1; r++) {
    const float *const x = a->x + r * n;
    TK_ELEMENTWISE
    for (size_t i = 0; i < n; i++) own[i] = x[i] * x[i];
    (a->beta == 0.75f ? root_row : power_row)(a, x, squares, a->y + r * n);
  }
}

void tk_install_scalar_windows(tk_kernels *k) {
  k->average_pool = average_pool;
  k->response_norm = response_norm;
}
