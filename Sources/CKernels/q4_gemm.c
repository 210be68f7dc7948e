// The walk over tiles of rows and panels of columns of 4-bit weights; see q4_gemm.h.
#include "q4_gemm.h"

#include <string.h>

static size_t panel_bytes(size_t k, size_t group, bool has_zeros) {
  const size_t groups = k == 0 ? 0 : (k + group - 1) / group;
  return groups * TK_Q4_FLOATS * (has_zeros ? 2 : 1) + tk_q4_words(0, k) * TK_Q4_LINE;
}

size_t tk_q4_packed_count(size_t k, size_t n, size_t group, bool has_zeros) {
  return tk_round_up(n, TK_PANEL) / TK_PANEL * panel_bytes(k, group, has_zeros);
}

// An odd number of cache lines: rows do not push each other out.
static size_t odd_lines(size_t bytes) { return (tk_round_up(bytes, 64) / 64 | 1) * 64; }

size_t tk_q4_code_stride(size_t k) { return odd_lines(tk_round_up(k, TK_Q4_WORD)); }

// Rows of the next tile, such that all are about equally high.
static size_t tile_rows(size_t rows_left, size_t limit) {
  const size_t tiles = (rows_left + limit - 1) / limit;
  return (rows_left + tiles - 1) / tiles;
}

static void copy_rows(const tk_q4_gemm *g, size_t row, size_t rows, float *to, size_t stride) {
  const size_t rest = tk_round_up(g->k, TK_Q4_WORD) - g->k;
  for (size_t r = 0; r < rows; r++, to += stride) {
    memcpy(to, g->a + (row + r) * g->lda, g->k * sizeof(float));
    memset(to + g->k, 0, rest * sizeof(float));
  }
}

void tk_q4_gemm_by(const tk_q4_method *method, const tk_q4_gemm *g, size_t m0, size_t m1, size_t n0,
                   size_t n1) {
  const bool codes = g->block > 0;
  const size_t stride = odd_lines(tk_round_up(g->k, TK_Q4_WORD) * sizeof(float)) / sizeof(float);
  const size_t panel = panel_bytes(g->k, g->group, g->has_zeros);
  const size_t blocks = codes ? (g->k + g->block - 1) / g->block : 0;
  const size_t limit = codes ? method->code_rows : method->float_rows;
  // Whole words of rows that do not push each other out of the cache; one row may be both as it is.
  const bool copied = !codes && (g->k % TK_Q4_WORD > 0 || m1 - m0 > 2);
  float *const memory = copied ? tk_scratch(limit * stride * sizeof(float)) : NULL;
  for (size_t row = m0, rows; row < m1; row += rows) {
    rows = tile_rows(m1 - row, limit);
    tk_q4_tile t = {.g = g,
                    .a = memory,
                    .lda = stride,
                    .blocks = blocks,
                    .group = tk_min(g->group, tk_max(g->k, 1)),
                    .b = g->b + n0 / TK_PANEL * panel,
                    .panel_stride = panel,
                    .row = row,
                    .column = n0,
                    .end = n1};
    if (codes) {
      t.lda = tk_q4_code_stride(g->k);
      t.a = g->codes + row * t.lda;
      t.scales = g->code_scales + row * blocks;
      t.starts = g->code_starts + row * blocks;
    } else if (copied) {
      copy_rows(g, row, rows, memory, stride);
    } else {
      t.lda = g->lda;
      t.a = g->a + row * g->lda;
    }
    (codes ? method->sweep_codes : method->sweep_floats)(&t, rows);
  }
}
