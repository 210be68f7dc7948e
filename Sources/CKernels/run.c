// Shares whole operations out over the threads. A task is a part of the output, never of a sum,
// so the results do not depend on how many there are.
#include "internal.h"

enum {
  // Below this many multiplications a region costs more than it saves (about 1 us of work).
  SERIAL_WORK = 1 << 15,
  // Tasks per thread: enough to even out threads that lose their core to another process.
  TASKS_PER_THREAD = 4,
  ROW_STEP = 12,  // rows of one register tile of the widest kernels
};

// A grid of row_tasks x column_tasks parts.
typedef struct {
  size_t rows, columns;            // of the whole
  size_t row_part, column_part;    // of one part
  size_t row_tasks, column_tasks;
} grid;

static grid split(size_t rows, size_t columns, size_t work, size_t row_step, size_t column_step) {
  const size_t threads = tk_threads();
  grid g = {rows, columns, rows, columns, 1, 1};
  if (threads < 2 || work < SERIAL_WORK || rows == 0 || columns == 0) return g;
  const size_t wanted = threads * TASKS_PER_THREAD;
  const size_t tiles = (rows + row_step - 1) / row_step;
  g.row_part = tk_max(1, tiles / wanted) * row_step;
  g.row_tasks = (rows + g.row_part - 1) / g.row_part;
  if (g.row_tasks >= wanted / 2) return g;
  const size_t panels = (columns + column_step - 1) / column_step;
  const size_t parts = tk_min(panels, wanted / g.row_tasks);
  g.column_part = (panels + parts - 1) / parts * column_step;
  g.column_tasks = (columns + g.column_part - 1) / g.column_part;
  return g;
}

// Whole runs of rows, at least a tile.
static size_t row_step(size_t run) { return run ? tk_round_up(ROW_STEP, run) : ROW_STEP; }

typedef struct {
  const tk_kernels *k;
  const void *args;
  grid g;
} job;

typedef struct {
  size_t m0, m1, n0, n1;
} part;

static part part_of(const grid *g, size_t i) {
  const size_t r = i % g->row_tasks, c = i / g->row_tasks;
  return (part){r * g->row_part, tk_min((r + 1) * g->row_part, g->rows), c * g->column_part,
                tk_min((c + 1) * g->column_part, g->columns)};
}

static void run(job *j, void (*body)(void *, size_t)) {
  if (j->g.rows == 0 || j->g.columns == 0) return;
  tk_parallel_for(j->g.row_tasks * j->g.column_tasks, body, j);
}

static void f32_gemm_part(void *context, size_t i) {
  const job *j = context;
  const part p = part_of(&j->g, i);
  j->k->f32_gemm(j->args, p.m0, p.m1, p.n0, p.n1);
}

void tk_run_f32_gemm(const tk_kernels *k, const tk_f32_gemm *a) {
  const size_t work = a->m * a->n * a->taps * a->cin;
  job j = {k, a, split(a->m, a->n, work, row_step(a->rows ? a->run : 0), TK_PANEL)};
  run(&j, f32_gemm_part);
}

static void u8s8_gemm_part(void *context, size_t i) {
  const job *j = context;
  const part p = part_of(&j->g, i);
  j->k->u8s8_gemm(j->args, p.m0, p.m1, p.n0, p.n1);
}

void tk_run_u8s8_gemm(const tk_kernels *k, const tk_u8s8_gemm *a) {
  const size_t work = a->m * a->n * a->taps * a->cin / 4;
  job j = {k, a, split(a->m, a->n, work, row_step(a->rows ? a->run : 0), TK_PANEL)};
  run(&j, u8s8_gemm_part);
}

// Pixel-wise operations are split over pixels only, in multiples of `step`.
#define PIXELWISE(name, type, taps, step)                                                     \
  static void name##_part(void *context, size_t i) {                                          \
    const job *j = context;                                                                   \
    const part p = part_of(&j->g, i);                                                         \
    j->k->name(j->args, p.m0, p.m1);                                                          \
  }                                                                                           \
  void tk_run_##name(const tk_kernels *k, const type *a) {                                    \
    job j = {k, a, split(a->pixels, a->channels, a->pixels * a->channels * (taps) / 4, step,  \
                         tk_max(1, a->channels))};                                            \
    run(&j, name##_part);                                                                     \
  }

// Whole runs of pixels.
PIXELWISE(u8s8_depthwise, tk_u8s8_depthwise, a->height * a->width, row_step(a->run))
PIXELWISE(f32_depthwise, tk_f32_depthwise, a->taps, ROW_STEP)
PIXELWISE(max_pool_u8, tk_max_pool, a->taps, ROW_STEP)
PIXELWISE(max_pool_f32, tk_max_pool, a->taps, ROW_STEP)
