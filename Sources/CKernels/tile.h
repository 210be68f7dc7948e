// How the matrix products of all vector instruction sets walk through their operands.
//
// The rows are cut into tiles of at most 12, the columns into blocks whose packed weights stay in
// the second-level cache. For each tile the rows are brought to one place with one stride (as they
// lie, or copied), then multiplied with panel after panel.
#ifndef TESSERA_CKERNELS_TILE_H
#define TESSERA_CKERNELS_TILE_H

#include "internal.h"

enum {
  TK_TILE_ROWS = 12,
  // Bytes of packed weights that are gone through for one tile of rows after the other: what
  // leaves room in a second-level cache of 512 KB to 1 MB.
  TK_WEIGHT_BLOCK = 384 * 1024,
};

// The end of the block of columns that starts at n.
static inline size_t tk_block_end(size_t n, size_t n1, size_t panel_bytes) {
  const size_t panels = tk_max(1, TK_WEIGHT_BLOCK / tk_max(1, panel_bytes));
  return tk_min(n1, n + panels * TK_PANEL);
}

// Rows of the next tile, such that all tiles are about equally high: a thin last one is slow.
static inline size_t tk_tile_rows(size_t rows_left, size_t limit) {
  const size_t tiles = (rows_left + limit - 1) / limit;
  return (rows_left + tiles - 1) / tiles;
}

// A row stride of `bytes` or a little more that does not map all rows to one set of the cache.
static inline size_t tk_tile_stride(size_t bytes) {
  const size_t stride = tk_round_up(bytes, 64) + 64;
  return stride % 1024 == 0 ? stride + 64 : stride;
}

#endif
