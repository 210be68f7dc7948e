// Sums and extremes over arrays, always in 16 interleaved parts: the compiler may put the parts
// into the lanes of vectors of any width, and every instruction set still adds in the same order.
#ifndef TESSERA_CKERNELS_LANES_H
#define TESSERA_CKERNELS_LANES_H

#include "internal.h"

enum { TK_LANES = 16 };

// Runs `body` for every index i, in lane l.
#define TK_FOR_LANES(n, body)                                                 \
  do {                                                                        \
    size_t start = 0;                                                         \
    for (; start + TK_LANES <= (n); start += TK_LANES)                        \
      for (size_t l = 0; l < TK_LANES; l++) {                                 \
        const size_t i = start + l;                                           \
        body;                                                                 \
      }                                                                       \
    for (size_t l = 0; start + l < (n); l++) {                                \
      const size_t i = start + l;                                             \
      body;                                                                   \
    }                                                                         \
  } while (0)

// In place is allowed, other overlap is not: the compiler need not check for it. Sanitizers keep
// loops from being vectorized; no need to say so for each.
#pragma clang diagnostic ignored "-Wpass-failed"
#define TK_ELEMENTWISE _Pragma("clang loop vectorize(assume_safety)")

static inline double tk_lane_sum(const double *lanes) {
  double sum = 0;
  for (size_t l = 0; l < TK_LANES; l++) sum += lanes[l];
  return sum;
}

#endif
