// Copies between arrays that lie differently in memory, and packing of second operands that are computed
// anew in every run.
#include <string.h>

#include "internal.h"

enum {
  SERIAL_BYTES = 1 << 15,  // below so much a region costs more than it saves
  TASKS_PER_THREAD = 4,
  TILE_BYTES = 256,  // of a row of a block that is transposed at once, such that both sides stay in the L1 cache
};

typedef enum { RUNS, FILLS, TRANSPOSES, ELEMENTS } copy_kind;

// The axes but for those that one unit of work takes whole, and how many units there are.
typedef struct {
  const tk_kernels *k;
  const tk_strided_copy *args;
  copy_kind kind;
  tk_copy_axis outer[TK_COPY_AXES], row, column;
  size_t outer_rank, units, parts;
  size_t row_blocks, column_blocks, side;
} copy_job;

static copy_job plan_copy(const tk_kernels *k, const tk_strided_copy *a) {
  copy_job j = {.k = k, .args = a, .row = {1, 1, 1}, .column = {1, 1, 1}, .units = 1};
  j.row_blocks = j.column_blocks = 1;
  size_t rank = a->rank, other = a->rank;
  if (rank > 0) j.row = a->axes[--rank];
  for (size_t i = 0; i < rank; i++)
    if (a->axes[i].x == 1 && a->axes[i].y > 0) other = i;
  if (j.row.x == 1 && j.row.y == 1)
    j.kind = RUNS;
  else if (j.row.x == 0 && j.row.y == 1)
    j.kind = FILLS;
  else if (j.row.y == 1 && j.row.x > 0 && other < rank)
    j.kind = TRANSPOSES;
  else
    j.kind = ELEMENTS;
  if (j.kind != TRANSPOSES) other = rank > 0 ? rank - 1 : a->rank;
  if (other < a->rank) j.column = a->axes[other];
  for (size_t i = 0; i < rank; i++) {
    if (i == other) continue;
    j.outer[j.outer_rank++] = a->axes[i];
    j.units *= a->axes[i].length;
  }
  j.side = tk_min(128, TILE_BYTES / a->element);
  j.column_blocks = (j.column.length + j.side - 1) / j.side;
  if (j.kind == TRANSPOSES) j.row_blocks = (j.row.length + j.side - 1) / j.side;
  j.units *= j.row_blocks * j.column_blocks;
  return j;
}

static void copy_elements(size_t element, const char *x, char *y, size_t n, ptrdiff_t xs,
                          ptrdiff_t ys) {
#define LOOP(bytes) \
  for (size_t i = 0; i < n; i++) memcpy(y + (ptrdiff_t)i * ys, x + (ptrdiff_t)i * xs, bytes)
  switch (element) {
    case 1: LOOP(1); break;
    case 2: LOOP(2); break;
    case 4: LOOP(4); break;
    case 8: LOOP(8); break;
    case 16: LOOP(16); break;
    case 32: LOOP(32); break;
    case 64: LOOP(64); break;
    default: LOOP(element); break;
  }
#undef LOOP
}

static void transpose(const copy_job *j, const char *x, char *y, size_t rows, size_t columns) {
  const tk_kernels *k = j->k;
  const size_t ldx = (size_t)j->row.x, ldy = (size_t)j->column.y;
  switch (j->args->element) {
    case 1: k->transpose_8(x, rows, columns, ldx, y, ldy); break;
    case 2: k->transpose_16(x, rows, columns, ldx, y, ldy); break;
    case 4: k->transpose_32(x, rows, columns, ldx, y, ldy); break;
    default: k->transpose_64(x, rows, columns, ldx, y, ldy); break;
  }
}

// The place of unit u: blocks of columns are innermost, then blocks of rows, then the outer axes.
static void copy_unit(const copy_job *j, size_t u) {
  const tk_strided_copy *a = j->args;
  const ptrdiff_t element = (ptrdiff_t)a->element;
  const size_t c0 = u % j->column_blocks * j->side, columns = tk_min(j->side, j->column.length - c0);
  size_t rest = u / j->column_blocks;
  const bool blocked = j->kind == TRANSPOSES;
  const size_t r0 = blocked ? rest % j->row_blocks * j->side : 0;
  const size_t rows = blocked ? tk_min(j->side, j->row.length - r0) : j->row.length;
  rest /= j->row_blocks;
  ptrdiff_t xi = (ptrdiff_t)c0 * j->column.x + (ptrdiff_t)r0 * j->row.x;
  ptrdiff_t yi = (ptrdiff_t)c0 * j->column.y + (ptrdiff_t)r0 * j->row.y;
  for (size_t i = j->outer_rank; i-- > 0;) {
    const ptrdiff_t index = (ptrdiff_t)(rest % j->outer[i].length);
    rest /= j->outer[i].length;
    xi += index * j->outer[i].x;
    yi += index * j->outer[i].y;
  }
  const char *x = (const char *)a->x + xi * element;
  char *y = (char *)a->y + yi * element;
  const ptrdiff_t xs = j->column.x * element, ys = j->column.y * element;
  switch (j->kind) {
    case TRANSPOSES: transpose(j, x, y, rows, columns); break;
    case RUNS: copy_elements(rows * a->element, x, y, columns, xs, ys); break;
    case FILLS:
      for (size_t c = 0; c < columns; c++, x += xs, y += ys)
        copy_elements(a->element, x, y, rows, 0, element);
      break;
    case ELEMENTS:
      for (size_t c = 0; c < columns; c++, x += xs, y += ys)
        copy_elements(a->element, x, y, rows, j->row.x * element, j->row.y * element);
      break;
  }
}

static void copy_part(void *context, size_t i) {
  const copy_job *j = context;
  const size_t end = j->units * (i + 1) / j->parts;
  for (size_t u = j->units * i / j->parts; u < end; u++) copy_unit(j, u);
}

void tk_run_copy(const tk_kernels *k, const tk_strided_copy *a) {
  size_t bytes = a->element;
  for (size_t i = 0; i < a->rank; i++) bytes *= a->axes[i].length;
  if (bytes == 0) return;
  copy_job j = plan_copy(k, a);
  const size_t threads = bytes < SERIAL_BYTES ? 1 : tk_threads();
  j.parts = threads < 2 ? 1 : tk_min(j.units, threads * TASKS_PER_THREAD);
  tk_parallel_for(j.parts, copy_part, &j);
}

// Four rows of bytes, each of `width` up to TK_PANEL, as groups of four; what is past them is zero.
static void pack_group(const uint8_t *const rows[4], size_t width, int8_t *to, int32_t *sums) {
  if (width == TK_PANEL) {
    for (size_t j = 0; j < TK_PANEL; j++)
      for (size_t q = 0; q < 4; q++) to[4 * j + q] = (int8_t)(rows[q][j] ^ 0x80);
    for (size_t q = 0; q < 4; q++)
      for (size_t j = 0; j < TK_PANEL; j++) sums[j] += rows[q][j];
    return;
  }
  memset(to, 0, 4 * TK_PANEL);
  for (size_t q = 0; q < 4; q++)
    for (size_t j = 0; j < width; j++) {
      to[4 * j + q] = (int8_t)(rows[q][j] ^ 0x80);
      sums[j] += rows[q][j];
    }
}

static void pack_rows(const uint8_t *b, size_t k, size_t n, size_t ld, int8_t *packed,
                      int32_t *sums) {
  static const uint8_t nothing[TK_PANEL] = {
      0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
      0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};
  const size_t groups = (k + 3) / 4;
  for (size_t panel = 0; panel < n; panel += TK_PANEL) {
    const size_t width = tk_min(TK_PANEL, n - panel);
    int32_t totals[TK_PANEL] = {0};
    for (size_t g = 0; g < groups; g++, packed += 4 * TK_PANEL) {
      const uint8_t *rows[4];
      for (size_t q = 0; q < 4; q++)
        rows[q] = 4 * g + q < k ? b + (4 * g + q) * ld + panel : nothing;
      pack_group(rows, width, packed, totals);
    }
    for (size_t j = 0; j < width; j++) sums[panel + j] = totals[j] - (int32_t)(128 * 4 * groups);
  }
}

// Groups of four bytes are elements that are transposed, where they lie whole and aligned.
static void pack_columns(const tk_kernels *kernels, const uint8_t *b, size_t k, size_t n, size_t ld,
                         int8_t *packed, int32_t *sums) {
  const size_t groups = (k + 3) / 4;
  const bool whole = k % 4 == 0 && ld % 4 == 0 && (uintptr_t)b % 4 == 0;
  kernels->sum_rows_u8(b, n, k, ld, sums);
  for (size_t j = 0; j < n; j++) sums[j] -= (int32_t)(128 * k);
  for (size_t panel = 0; panel < n; panel += TK_PANEL, packed += groups * 4 * TK_PANEL) {
    const size_t width = tk_min(TK_PANEL, n - panel), count = groups * 4 * TK_PANEL;
    if (width < TK_PANEL || !whole) memset(packed, 0x80, count);
    if (whole)
      kernels->transpose_32(b + panel * ld, width, groups, ld / 4, packed, TK_PANEL);
    else
      for (size_t j = 0; j < width; j++)
        for (size_t i = 0; i < k; i++)
          packed[(i / 4 * TK_PANEL + j) * 4 + i % 4] = (int8_t)b[(panel + j) * ld + i];
    kernels->flip_sign((uint8_t *)packed, (uint8_t *)packed, count);
  }
}

void tk_u8_pack(const tk_kernels *kernels, const uint8_t *b, size_t k, size_t n, size_t ld,
                bool transposed, int8_t *packed, int32_t *sums) {
  if (transposed)
    pack_columns(kernels, b, k, n, ld, packed, sums);
  else
    pack_rows(b, k, n, ld, packed, sums);
}
