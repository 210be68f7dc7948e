// How the matrix products of all vector instruction sets walk through their operands.
//
// The rows are cut into tiles of at most 12, the columns into blocks whose packed weights stay in
// the second-level cache. The rows of a tile are read where they lie if they are one stride apart
// under every tap, else they are brought to one place; then they are multiplied with panel after
// panel.
#ifndef TESSERA_CKERNELS_TILE_H
#define TESSERA_CKERNELS_TILE_H

#include "internal.h"

enum {
  TK_TILE_ROWS = 12,      // at most, of any method
  TK_TILE_DEPTH = 512,    // floats of a row worked on at once: a tile's rows stay in the L1 cache
  // Where runs make lower tiles, rows are copied into higher ones.
  TK_LOWEST_TILE = 5,
  // Bytes of packed weights that are gone through for one tile of rows after the other: what
  // leaves room in a second-level cache of 512 KB to 1 MB.
  TK_WEIGHT_BLOCK = 384 * 1024,
};

// Rows of A, one panel of weights after the other, and where the sums go.
typedef struct {
  const tk_f32_gemm *g;
  // Where the first row's taps begin, `offset` further on; [rows][depth] each, row stride lda.
  const float *const *taps;
  size_t tap_count;
  ptrdiff_t offset;
  size_t lda, depth;
  const float *b;           // the panel of `column`, already at the right depth
  size_t panel_stride;      // from panel to panel
  size_t ahead;             // from a weight to where one is that will be wanted next
  size_t row, column, end;  // the tile's corner; columns from end on do not exist
  bool first, last;         // of the parts that the depth is cut into
  float *partial;           // [TK_TILE_ROWS][partial_stride]: sums so far, from `column` on
  size_t partial_stride;
} tk_f32_tile;

// How an instruction set multiplies floats: up to `rows` rows with all panels up to the tile's end.
typedef struct {
  size_t rows;
  void (*sweep)(tk_f32_tile *tile, size_t rows);
} tk_f32_method;

void tk_f32_gemm_by(const tk_f32_method *method, const tk_f32_gemm *g, size_t m0, size_t m1,
                    size_t n0, size_t n1);

typedef struct {
  const tk_u8s8_gemm *g;
  // Where the first row's taps begin, `offset` further on; [rows][groups * 4] each, bytes or int16,
  // row stride lda in bytes.
  const uint8_t *const *taps;
  size_t tap_count;
  ptrdiff_t offset;
  size_t lda, groups;       // groups of four k
  const int8_t *b;          // the panel of `column`
  size_t panel_stride;      // bytes from panel to panel
  size_t ahead;
  size_t row, column, end;
  const int32_t *row_sums;  // [rows], only for weights with zero points
  bool simple;              // tk_has_simple_codes
} tk_u8_tile;

typedef struct {
  size_t rows;
  size_t element;  // 1: the rows are bytes and may lie where they are; 2: widened to int16
  // Brings n bytes to their place; may write up to 64 elements more.
  void (*copy)(const uint8_t *from, size_t n, void *to);
  int32_t (*sum)(const uint8_t *x, size_t n);
  void (*sweep)(tk_u8_tile *tile, size_t rows);
} tk_u8_method;

void tk_u8s8_gemm_by(const tk_u8_method *method, const tk_u8s8_gemm *g, size_t m0, size_t m1,
                     size_t n0, size_t n1);

#endif
