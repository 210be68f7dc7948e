// The walk over tiles of rows and blocks of columns; see tile.h.
#include "tile.h"

#include <string.h>

// The end of the block of columns that starts at n.
static size_t block_end(size_t n, size_t n1, size_t panel_bytes) {
  const size_t panels = tk_max(1, TK_WEIGHT_BLOCK / tk_max(1, panel_bytes));
  return tk_min(n1, n + panels * TK_PANEL);
}

// How far ahead the weights lie that are brought into the cache while those of [n, end) are used:
// at the same place of the next block. A tile brings every other cache line, by the parity of its
// row, so that the first tile of a block has not to wait for all of them.
static size_t distance_ahead(size_t n, size_t end, size_t columns, size_t panel, size_t row,
                             size_t line) {
  const size_t block = tk_round_up(end - n, TK_PANEL) / TK_PANEL * panel;
  return (end < columns ? block : 0) + row % 2 * line;
}

// Rows of the next tile, such that all tiles are about equally high: a thin last one is slow.
static size_t tile_rows(size_t rows_left, size_t limit) {
  const size_t tiles = (rows_left + limit - 1) / limit;
  return (rows_left + tiles - 1) / tiles;
}

// Whether tiles read the rows of a run where they lie: not where that makes them so low that higher
// ones are worth a copy.
static bool reads_runs(size_t run, size_t limit) {
  return run > 0 && run / ((run + limit - 1) / limit) >= TK_LOWEST_TILE;
}

// Rows from `row` on among which the next tile is cut: those of one run, or all.
static size_t rows_together(size_t row, size_t end, size_t run) {
  return run == 0 ? end - row : tk_min(end - row, run - row % run);
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

static void gather_f32(const tk_f32_tile *t, size_t rows, size_t k0, float *to, size_t stride) {
  const tk_f32_gemm *g = t->g;
  for (size_t r = 0; r < rows; r++) {
    if (g->rows)
      gather_f32_row(g, t->row + r, k0, t->depth, to + r * stride);
    else
      memcpy(to + r * stride, g->a + (t->row + r) * g->lda + k0, t->depth * sizeof(float));
  }
}

// A part of the sums that is worked on at once: some taps, or a piece of one.
typedef struct {
  size_t taps, depth;  // of the part
} f32_part;

// Parts of `taps` taps of `cin` floats each, all of one size but the last, such that what a tile of
// rows reads stays in the L1 cache: `floats` under one tap, where neighbours may overlap.
static f32_part part_size(size_t taps, size_t cin, size_t floats) {
  const size_t limit = TK_TILE_ROWS * TK_TILE_DEPTH;
  if (floats <= limit) {
    const size_t whole = tk_max(1, limit / tk_max(1, floats));
    const size_t parts = (taps + whole - 1) / whole;
    return (f32_part){(taps + parts - 1) / tk_max(1, parts), cin};
  }
  const size_t parts = (cin + TK_TILE_DEPTH - 1) / TK_TILE_DEPTH;
  return (f32_part){1, (cin + parts - 1) / parts};
}

// One tile of rows times the columns [n, end), the depth cut into parts.
static void f32_rows(const tk_f32_method *method, const tk_f32_gemm *g, size_t row, size_t rows,
                     size_t n, size_t end, bool in_run, float *memory) {
  const size_t k = g->taps * g->cin, width = tk_round_up(end - n, TK_PANEL * 4);
  const bool copied = (g->rows && !in_run) || clashes(g->lda * sizeof(float), rows, end - n);
  // Copied rows, and dense ones, are one long tap.
  const size_t taps = in_run && !copied ? g->taps : 1, cin = k / tk_max(1, taps);
  const size_t apart = copied ? TK_TILE_ROWS * cin : rows * cin;
  const f32_part size = part_size(taps, cin, taps > 1 ? (rows - 1) * g->lda + cin : apart);
  float *const copy = memory + TK_TILE_ROWS * width;
  const float *const dense = g->rows ? NULL : g->a + row * g->lda;
  for (size_t k0 = 0, next; k0 < k || k0 == 0; k0 = next) {
    const size_t tap = cin ? k0 / cin : 0, c = cin ? k0 % cin : 0;
    const size_t depth = tk_min(size.depth, cin - c), count = tk_min(size.taps, taps - tap);
    next = k0 + tk_max(1, count * depth);
    const float *const start = copied ? copy : dense;
    tk_f32_tile t = {.g = g,
                     .taps = in_run && !copied ? g->rows + row * g->taps + tap : &start,
                     .tap_count = count,
                     .offset = copied ? 0 : (ptrdiff_t)c + (g->rows ? g->row_offset : 0),
                     .lda = g->lda,
                     .depth = depth,
                     .b = g->b + n * k + k0 * TK_PANEL,
                     .panel_stride = k * TK_PANEL,
                     .ahead = distance_ahead(n, end, g->n, k * TK_PANEL, row, 16),
                     .row = row,
                     .column = n,
                     .end = end,
                     .first = k0 == 0,
                     .last = next >= k,
                     .partial = memory,
                     .partial_stride = width};
    if (copied) {
      t.lda = tile_stride(depth * sizeof(float)) / sizeof(float);
      gather_f32(&t, rows, k0, copy, t.lda);
    }
    method->sweep(&t, rows);
  }
}

void tk_f32_gemm_by(const tk_f32_method *method, const tk_f32_gemm *g, size_t m0, size_t m1,
                    size_t n0, size_t n1) {
  const size_t k = g->taps * g->cin;
  const bool in_run = g->rows && reads_runs(g->run, method->rows);
  for (size_t n = n0, end; n < n1; n = end) {
    end = block_end(n, n1, k * TK_PANEL * sizeof(float));
    const size_t width = tk_round_up(end - n, TK_PANEL * 4);
    const size_t row_bytes = width * sizeof(float) + tile_stride(TK_TILE_DEPTH * sizeof(float));
    float *memory = tk_scratch(TK_TILE_ROWS * row_bytes);
    for (size_t row = m0, rows; row < m1; row += rows) {
      rows = tile_rows(rows_together(row, m1, in_run ? g->run : 0), method->rows);
      f32_rows(method, g, row, rows, n, end, in_run, memory);
    }
  }
}

static const uint8_t *tap_of(const tk_u8s8_gemm *g, size_t row, size_t tap) {
  if (!g->rows) return g->a + row * g->lda;
  return tk_row_u8(g->rows[row * g->taps + tap], g->row_offset, g->pad_row);
}

// What a copy reads behind a tap lies in its margin; what it writes behind it is overwritten by the
// next tap or row, or met by zero weights.
static void gather_u8(const tk_u8_method *method, const tk_u8_tile *t, size_t rows, uint8_t *to,
                      size_t stride) {
  const tk_u8s8_gemm *g = t->g;
  const size_t step = tk_round_up(g->cin, 4) * method->element;
  const bool tiny = g->cin <= 16 && method->element == 1;
  for (size_t r = 0; r < rows; r++)
    for (size_t tap = 0; tap < g->taps; tap++) {
      const uint8_t *from = tap_of(g, t->row + r, tap);
      uint8_t *place = to + r * stride + tap * step;
      if (tiny)
        memcpy(place, from, 16);  // inline, where a call would take longer than the copy
      else
        method->copy(from, g->cin, place);
    }
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
  const size_t groups = tk_round_up(g->cin, 4) / 4, k = g->taps * groups * 4;
  const size_t stride = tile_stride(k * method->element);
  const bool widened = method->element > 1, simple = tk_has_simple_codes(&g->out, n0, n1);
  const bool in_run = g->rows && !widened && reads_runs(g->run, method->rows);
  int32_t totals[TK_TILE_ROWS];
  uint8_t *memory = tk_scratch(TK_TILE_ROWS * stride + 128);
  for (size_t n = n0, end; n < n1; n = end) {
    end = block_end(n, n1, k * TK_PANEL);
    for (size_t row = m0, rows; row < m1; row += rows) {
      rows = tile_rows(rows_together(row, m1, in_run ? g->run : 0), method->rows);
      const bool copied = (g->rows && !in_run) || widened || clashes(g->lda, rows, end - n);
      const uint8_t *const start = copied ? memory : g->rows ? NULL : g->a + row * g->lda;
      tk_u8_tile t = {.g = g,
                      .taps = copied || !g->rows ? &start : g->rows + row * g->taps,
                      .tap_count = copied ? 1 : g->taps,
                      .offset = copied || !g->rows ? 0 : g->row_offset,
                      .lda = copied ? stride : g->lda,
                      .groups = copied ? g->taps * groups : groups,
                      .b = g->b + n * k,
                      .panel_stride = k * TK_PANEL,
                      .ahead = distance_ahead(n, end, g->n, k * TK_PANEL, row, 64),
                      .row = row,
                      .column = n,
                      .end = end,
                      .row_sums = totals,
                      .simple = simple};
      if (copied) gather_u8(method, &t, rows, memory, stride);
      if (g->out.weight_zero) sum_rows(method, &t, rows, totals);
      method->sweep(&t, rows);
    }
  }
}
