// The walk over tiles of rows and blocks of columns; see tile.h.
#include "tile.h"

#include <string.h>

// The end of the block of columns that starts at n.
static size_t block_end(size_t n, size_t n1, size_t panel_bytes) {
  const size_t panels = tk_max(1, TK_WEIGHT_BLOCK / tk_max(1, panel_bytes));
  return tk_min(n1, n + panels * TK_PANEL);
}

// Rows of the next tile, such that all tiles are about equally high: a thin last one is slow.
static size_t tile_rows(size_t rows_left, size_t limit) {
  const size_t tiles = (rows_left + limit - 1) / limit;
  return (rows_left + tiles - 1) / tiles;
}

// A row stride of `bytes` or a little more that does not map all rows to one set of the cache.
static size_t tile_stride(size_t bytes) {
  const size_t stride = tk_round_up(bytes, 64) + 64;
  return stride % 1024 == 0 ? stride + 64 : stride;
}

// Rows a multiple of the L1 cache's way size apart push each other out; worth a copy if used often.
static bool clashes(size_t stride_bytes, size_t rows, size_t columns) {
  return stride_bytes % 4096 == 0 && rows > 4 && columns > 4 * TK_PANEL;
}

// Copies `depth` values from k0 on of one row that lies in taps.
static void gather_f32_row(const tk_f32_gemm *g, size_t row, size_t k0, size_t depth, float *to) {
  while (depth > 0) {
    const size_t tap = k0 / g->cin, c = k0 % g->cin, count = tk_min(depth, g->cin - c);
    const float *from = tk_row_f32(g->rows[row * g->taps + tap], g->row_offset, g->pad_row);
    memcpy(to, from + c, count * sizeof(float));
    to += count;
    k0 += count;
    depth -= count;
  }
}

static void gather_f32(tk_f32_tile *t, size_t rows, size_t k0, float *to) {
  const tk_f32_gemm *g = t->g;
  const size_t stride = tile_stride(t->depth * sizeof(float)) / sizeof(float);
  for (size_t r = 0; r < rows; r++) {
    if (g->rows)
      gather_f32_row(g, t->row + r, k0, t->depth, to + r * stride);
    else
      memcpy(to + r * stride, g->a + (t->row + r) * g->lda + k0, t->depth * sizeof(float));
  }
  t->a = to;
  t->lda = stride;
}

// One tile of rows times the columns [n, end), the depth cut into equal parts.
static void f32_rows(const tk_f32_method *method, const tk_f32_gemm *g, size_t row, size_t rows,
                     size_t n, size_t end, float *memory) {
  const size_t k = g->taps * g->cin, width = tk_round_up(end - n, TK_PANEL * 4);
  const size_t parts = tk_max(1, (k + TK_TILE_DEPTH - 1) / TK_TILE_DEPTH);
  const size_t step = (k + parts - 1) / parts;
  const bool copy = g->rows || clashes(g->lda * sizeof(float), rows, end - n);
  for (size_t part = 0; part < parts; part++) {
    const size_t k0 = tk_min(part * step, k);
    tk_f32_tile t = {.g = g,
                     .a = g->rows ? NULL : g->a + row * g->lda + k0,
                     .lda = g->lda,
                     .depth = tk_min(step, k - k0),
                     .b = g->b + n * k + k0 * TK_PANEL,
                     .panel_stride = k * TK_PANEL,
                     .row = row,
                     .column = n,
                     .end = end,
                     .first = part == 0,
                     .last = part + 1 == parts,
                     .partial = memory,
                     .partial_stride = width};
    if (copy) gather_f32(&t, rows, k0, memory + TK_TILE_ROWS * width);
    method->sweep(&t, rows);
  }
}

void tk_f32_gemm_by(const tk_f32_method *method, const tk_f32_gemm *g, size_t m0, size_t m1,
                    size_t n0, size_t n1) {
  const size_t k = g->taps * g->cin;
  for (size_t n = n0, end; n < n1; n = end) {
    end = block_end(n, n1, k * TK_PANEL * sizeof(float));
    const size_t width = tk_round_up(end - n, TK_PANEL * 4);
    const size_t row_bytes = width * sizeof(float) + tile_stride(TK_TILE_DEPTH * sizeof(float));
    float *memory = tk_scratch(TK_TILE_ROWS * row_bytes);
    for (size_t row = m0, rows; row < m1; row += rows) {
      rows = tile_rows(m1 - row, method->rows);
      f32_rows(method, g, row, rows, n, end, memory);
    }
  }
}

static const uint8_t *tap_of(const tk_u8s8_gemm *g, size_t row, size_t tap) {
  if (!g->rows) return g->a + row * g->lda;
  return tk_row_u8(g->rows[row * g->taps + tap], g->row_offset, g->pad_row);
}

// What a copy reads behind a tap lies in its margin; what it writes behind it is overwritten by the
// next tap or row, or met by zero weights.
static void gather_u8(const tk_u8_method *method, tk_u8_tile *t, size_t rows, uint8_t *to) {
  const tk_u8s8_gemm *g = t->g;
  const size_t stride = tile_stride(t->groups * 4 * method->element);
  const size_t step = tk_round_up(g->cin, 4) * method->element;
  for (size_t r = 0; r < rows; r++)
    for (size_t tap = 0; tap < g->taps; tap++)
      method->copy(tap_of(g, t->row + r, tap), g->cin, to + r * stride + tap * step);
  t->a = to;
  t->lda = stride;
}

static void sum_rows(const tk_u8_method *method, const tk_u8_tile *t, size_t rows,
                     int32_t *totals) {
  const tk_u8s8_gemm *g = t->g;
  for (size_t r = 0; r < rows; r++) {
    totals[r] = 0;
    for (size_t tap = 0; tap < g->taps; tap++)
      totals[r] += method->sum(tap_of(g, t->row + r, tap), g->cin);
  }
}

void tk_u8s8_gemm_by(const tk_u8_method *method, const tk_u8s8_gemm *g, size_t m0, size_t m1,
                     size_t n0, size_t n1) {
  const size_t groups = g->taps * (tk_round_up(g->cin, 4) / 4), k = groups * 4;
  int32_t totals[TK_TILE_ROWS];
  uint8_t *memory = tk_scratch(TK_TILE_ROWS * tile_stride(k * method->element) + 128);
  for (size_t n = n0, end; n < n1; n = end) {
    end = block_end(n, n1, k * TK_PANEL);
    for (size_t row = m0, rows; row < m1; row += rows) {
      rows = tile_rows(m1 - row, method->rows);
      tk_u8_tile t = {.g = g,
                      .a = g->rows ? NULL : g->a + row * g->lda,
                      .lda = g->lda,
                      .groups = groups,
                      .b = g->b + n * k,
                      .panel_stride = k * TK_PANEL,
                      .row = row,
                      .column = n,
                      .end = end,
                      .row_sums = totals};
      if (g->rows || method->element > 1 || clashes(g->lda, rows, end - n))
        gather_u8(method, &t, rows, memory);
      if (g->out.weight_zero) sum_rows(method, &t, rows, totals);
      method->sweep(&t, rows);
    }
  }
}
