// Transposes, in tiles that keep both sides in the cache.
#include "internal.h"

enum { TILE = 16 };

#define TRANSPOSE(bits)                                                                          \
  static void transpose_##bits(const void *from, size_t rows, size_t cols, size_t ldx, void *to, \
                               size_t ldy) {                                                     \
    const tk_element_##bits *x = from;                                                           \
    tk_element_##bits *y = to;                                                                   \
    for (size_t r0 = 0; r0 < rows; r0 += TILE)                                                   \
      for (size_t c0 = 0; c0 < cols; c0 += TILE) {                                               \
        const size_t r1 = tk_min(r0 + TILE, rows), c1 = tk_min(c0 + TILE, cols);                 \
        for (size_t c = c0; c < c1; c++)                                                         \
          for (size_t r = r0; r < r1; r++) y[c * ldy + r] = x[r * ldx + c];                      \
      }                                                                                          \
  }

TRANSPOSE(8)
TRANSPOSE(16)
TRANSPOSE(32)
TRANSPOSE(64)

void tk_install_scalar_layout(tk_kernels *k) {
  k->transpose_8 = transpose_8;
  k->transpose_16 = transpose_16;
  k->transpose_32 = transpose_32;
  k->transpose_64 = transpose_64;
}
