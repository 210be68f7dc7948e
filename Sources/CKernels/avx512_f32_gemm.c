// Float matrix product: register tiles of up to 12 rows by 32 columns, fewer rows by more.
#if defined(__x86_64__)
#include <string.h>

#include "avx512.h"
#include "tile.h"

enum { MAX_DEPTH = 512 };  // rows of weights worked on at once: a tile's rows stay in the L1 cache

// Rows of A brought to one place, and what is to be done with them.
typedef struct {
  const float *a;        // [rows][depth], row stride lda
  size_t lda, depth;
  const float *b;        // the first panel, already at the right depth
  size_t panel_stride;   // from panel to panel
  bool first, last;      // of the parts that depth was cut into
  float *partial;        // sums so far, [rows][columns of the block]
  size_t partial_stride;
} tile;

// Everything that a column needs after the sum.
typedef struct {
  const tk_f32_gemm *g;
  size_t row, column, end;  // where the tile's corner lies; columns from end on do not exist
  size_t partial_column;
} place;

// A register tile of sums: 12 rows by 32 columns, or fewer rows by up to 128.
typedef __m512 sums[12][8];

// What the loop over rows needs is read before it stores: the compiler cannot know that a store
// does not change it.
TK_INLINE_AVX512 void finish(const place *at, sums acc, const int rows, const int v) {
  const tk_f32_gemm *g = at->g;
  const size_t n = at->column + (size_t)v * 16, ldc = g->ldc, ldr = g->ldr;
  const __mmask16 mask = tk_mask16(n < at->end ? at->end - n : 0);
  const __m512 lo = _mm512_set1_ps(g->lo), hi = _mm512_set1_ps(g->hi);
  const bool biased = g->bias;
  const __m512 bias = biased ? _mm512_maskz_loadu_ps(mask, g->bias + n) : lo;
  const float *residual = g->residual ? g->residual + at->row * ldr + n : NULL;
  float *c = g->c + at->row * ldc + n;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++, c += ldc) {
    __m512 sum = acc[r][v];
    if (biased) sum = _mm512_add_ps(sum, bias);
    if (residual) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, residual + r * ldr));
    _mm512_mask_storeu_ps(c, mask, tk_clamp_avx512(sum, lo, hi));
  }
}

// `vectors` of 16 columns: 1, or two for each panel.
TK_INLINE_AVX512 void multiply(const tile *t, const place *at, const int rows, const int vectors) {
  sums acc;
  float *partial = t->partial + at->partial_column;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++)
      acc[r][v] = t->first ? _mm512_setzero_ps()
                           : _mm512_loadu_ps(partial + r * t->partial_stride + v * 16);
  // Three rows for each pointer: base, base + stride, base + 2 * stride are one address each.
  const float *a0 = t->a, *a3 = a0 + 3 * t->lda, *a6 = a0 + 6 * t->lda, *a9 = a0 + 9 * t->lda;
  const float *b = t->b;
  for (size_t k = 0; k < t->depth; k++, a0++, a3++, a6++, a9++, b += TK_PANEL) {
    __m512 column[8];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++)
      column[v] = _mm512_load_ps(b + v / 2 * t->panel_stride + v % 2 * 16);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      const float *base = r < 3 ? a0 : r < 6 ? a3 : r < 9 ? a6 : a9;
      const __m512 value = _mm512_set1_ps(base[r % 3 * t->lda]);
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) acc[r][v] = _mm512_fmadd_ps(value, column[v], acc[r][v]);
    }
  }
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    if (t->last)
      finish(at, acc, rows, v);
    else
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++)
        _mm512_storeu_ps(partial + r * t->partial_stride + v * 16, acc[r][v]);
  }
}

typedef void (*multiplier)(const tile *, const place *);

#define MULTIPLY(rows, vectors)                                                              \
  TK_TARGET_AVX512 static void multiply_##rows##_##vectors(const tile *t, const place *at) { \
    multiply(t, at, rows, vectors);                                                          \
  }
#define MULTIPLY_1_2(rows) MULTIPLY(rows, 1) MULTIPLY(rows, 2)
MULTIPLY_1_2(1) MULTIPLY_1_2(2) MULTIPLY_1_2(3) MULTIPLY_1_2(4) MULTIPLY_1_2(5) MULTIPLY_1_2(6)
MULTIPLY_1_2(7) MULTIPLY_1_2(8) MULTIPLY_1_2(9) MULTIPLY_1_2(10) MULTIPLY_1_2(11)
MULTIPLY_1_2(12)
MULTIPLY(3, 4) MULTIPLY(4, 4) MULTIPLY(1, 8) MULTIPLY(2, 8)

static const multiplier one_vector[12] = {
    multiply_1_1, multiply_2_1, multiply_3_1, multiply_4_1,  multiply_5_1,  multiply_6_1,
    multiply_7_1, multiply_8_1, multiply_9_1, multiply_10_1, multiply_11_1, multiply_12_1};
static const multiplier one_panel[12] = {
    multiply_1_2, multiply_2_2, multiply_3_2, multiply_4_2,  multiply_5_2,  multiply_6_2,
    multiply_7_2, multiply_8_2, multiply_9_2, multiply_10_2, multiply_11_2, multiply_12_2};
// With few rows several panels at once keep enough sums in flight.
static const multiplier wide[4] = {multiply_1_8, multiply_2_8, multiply_3_4, multiply_4_4};

TK_TARGET_AVX512 static void sweep(tile *t, place *at, size_t rows, size_t first, size_t end) {
  const size_t broad = rows <= 2 ? 4 : rows <= 4 ? 2 : 1;
  for (size_t n = first; n < end;) {
    at->column = n;
    at->partial_column = n - first;
    const bool many = broad > 1 && n + (broad - 1) * TK_PANEL < end;
    const size_t panels = many ? broad : 1;
    if (many)
      wide[rows - 1](t, at);
    else if (end - n <= 16)
      one_vector[rows - 1](t, at);
    else
      one_panel[rows - 1](t, at);
    t->b += panels * t->panel_stride;
    n += panels * TK_PANEL;
  }
}

// Copies `depth` values from k0 on of one row that lies in taps.
static void gather_row(const tk_f32_gemm *g, size_t row, size_t k0, size_t depth, float *to) {
  while (depth > 0) {
    const size_t tap = k0 / g->cin, c = k0 % g->cin, count = tk_min(depth, g->cin - c);
    const float *from = tk_row_f32(g->rows[row * g->taps + tap], g->row_offset, g->pad_row);
    memcpy(to, from + c, count * sizeof(float));
    to += count;
    k0 += count;
    depth -= count;
  }
}

static void gather(const tk_f32_gemm *g, size_t row, size_t rows, tile *t, size_t k0, float *to) {
  const size_t stride = tk_tile_stride(t->depth * sizeof(float)) / sizeof(float);
  for (size_t r = 0; r < rows; r++) {
    if (g->rows)
      gather_row(g, row + r, k0, t->depth, to + r * stride);
    else
      memcpy(to + r * stride, g->a + (row + r) * g->lda + k0, t->depth * sizeof(float));
  }
  t->a = to;
  t->lda = stride;
}

// One tile of rows times the columns [n, end), the depth cut into equal parts.
static void tile_rows(const tk_f32_gemm *g, size_t row, size_t rows, size_t n, size_t end,
                      float *memory) {
  const size_t k = g->taps * g->cin, width = tk_round_up(end - n, TK_PANEL * 4);
  const size_t parts = tk_max(1, (k + MAX_DEPTH - 1) / MAX_DEPTH), step = (k + parts - 1) / parts;
  // Rows a multiple of the L1 way size apart push each other out; worth a copy if used often.
  const bool copy = g->rows || (g->lda % 1024 == 0 && rows > 4 && end - n > 4 * TK_PANEL);
  place at = {g, row, n, end, 0};
  for (size_t k0 = 0; k0 == 0 || k0 < k; k0 += step) {
    tile t = {g->a + row * g->lda + k0, g->lda, tk_min(step, k - k0), g->b + n * k + k0 * TK_PANEL,
              k * TK_PANEL, k0 == 0, k0 + step >= k, memory, width};
    if (copy) gather(g, row, rows, &t, k0, memory + TK_TILE_ROWS * width);
    sweep(&t, &at, rows, n, end);
    if (step == 0) break;
  }
}

static void f32_gemm(const tk_f32_gemm *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  const size_t k = g->taps * g->cin;
  for (size_t n = n0; n < n1;) {
    const size_t end = tk_block_end(n, n1, k * TK_PANEL * sizeof(float));
    const size_t width = tk_round_up(end - n, TK_PANEL * 4);
    float *memory = tk_scratch(TK_TILE_ROWS * (width * sizeof(float) +
                                               tk_tile_stride(MAX_DEPTH * sizeof(float))));
    for (size_t row = m0; row < m1;) {
      const size_t rows = tk_tile_rows(m1 - row, TK_TILE_ROWS);
      tile_rows(g, row, rows, n, end, memory);
      row += rows;
    }
    n = end;
  }
}

void tk_install_avx512_f32_gemm(tk_kernels *k) { k->f32_gemm = f32_gemm; }
#endif
