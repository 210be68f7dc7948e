// Shares whole operations out over the threads. A task is a part of the output, never of a sum,
// so the results do not depend on how many there are.
#include "q4_gemm.h"
#include "tile.h"

enum {
  // Below so much work a region costs more than it saves (about half a microsecond). What is 4
  // multiplications of bytes is one of floats.
  SERIAL_WORK = 1 << 15,
  // Tasks per thread: enough to even out threads that lose their core to another process.
  TASKS_PER_THREAD = 4,
  ROW_STEP = 12,  // rows of one register tile of the widest kernels
  // Multiplications in the time that one element comes from the last-level cache: about 30 GB/s
  // beside 500 (bytes) or 130 (floats) thousand million multiplications a second.
  ELEMENT_COST = 16,
  // How much dearer activations are that another core has written.
  FOREIGN_COST = 4,
};

// Steps along one axis, in units that kernels take whole.
typedef struct {
  size_t count, step;   // of rows or columns
  size_t units;         // ceil(count / step)
  size_t parts, tasks;  // one part a thread, each of so many tasks
} axis;

static axis axis_of(size_t count, size_t step) {
  return (axis){count, step, (count + step - 1) / step, 1, 1};
}

// The most elements along an axis that one of `parts` has.
static size_t largest_part(const axis *a, size_t parts) {
  return tk_min(a->count, (a->units + parts - 1) / parts * a->step);
}

// Where part i of parts begins.
static size_t start_of(const axis *a, size_t i, size_t parts) {
  return tk_min(a->count, a->units * i / parts * a->step);
}

// A grid of tasks; those of one part follow each other.
typedef struct {
  axis rows, columns;
} grid;

// What a product of parts costs: multiplications, and what must be brought for them.
static size_t cost(const grid *g, size_t rows, size_t columns, size_t depth, size_t cin) {
  const size_t m = largest_part(&g->rows, rows), n = largest_part(&g->columns, columns);
  const size_t activations = m * (cin + n) * (columns > 1 ? FOREIGN_COST : 1);
  return m * n * depth + ELEMENT_COST * (activations + n * depth);
}

// As many parts as threads, by rows where rows are many, else by columns, or both.
static grid split_product(size_t rows, size_t columns, size_t row_step, size_t depth, size_t cin,
                          size_t work, size_t weight_bytes) {
  grid g = {axis_of(rows, row_step), axis_of(columns, TK_PANEL)};
  const size_t threads = tk_threads();
  if (threads < 2 || work < SERIAL_WORK) return g;
  size_t least = SIZE_MAX;
  for (size_t r = 1; r <= tk_min(threads, g.rows.units); r++) {
    const size_t c = tk_max(1, tk_min(threads / r, g.columns.units));
    const size_t price = cost(&g, r, c, depth, cin);
    if (price >= least) continue;
    least = price;
    g.rows.parts = r;
    g.columns.parts = c;
  }
  // Weights that fit no cache are best gone through once by each thread.
  const size_t block = largest_part(&g.columns, g.columns.parts) * depth * weight_bytes;
  axis *finer = block > TK_WEIGHT_BLOCK ? &g.columns : &g.rows;
  finer->tasks = tk_max(1, tk_min(TASKS_PER_THREAD, finer->units / finer->parts));
  return g;
}

static grid split_pixels(size_t pixels, size_t channels, size_t step, size_t work) {
  grid g = {axis_of(pixels, step), axis_of(channels, tk_max(1, channels))};
  const size_t threads = tk_threads();
  if (threads < 2 || work < SERIAL_WORK) return g;
  g.rows.parts = tk_max(1, tk_min(threads, g.rows.units));
  g.rows.tasks = tk_max(1, tk_min(TASKS_PER_THREAD, g.rows.units / g.rows.parts));
  return g;
}

// Whole runs of rows, unless they are short.
static size_t row_step(size_t run) { return run < TK_LOWEST_TILE ? ROW_STEP : run; }

typedef struct {
  const tk_kernels *k;
  const void *args;
  grid g;
} job;

typedef struct {
  size_t m0, m1, n0, n1;
} part;

static part part_of(const grid *g, size_t i) {
  const axis *r = &g->rows, *c = &g->columns;
  const size_t tasks = r->tasks * c->tasks, whole = i / tasks, task = i % tasks;
  const size_t row = whole % r->parts * r->tasks + task % r->tasks;
  const size_t column = whole / r->parts * c->tasks + task / r->tasks;
  const size_t rows = r->parts * r->tasks, columns = c->parts * c->tasks;
  return (part){start_of(r, row, rows), start_of(r, row + 1, rows), start_of(c, column, columns),
                start_of(c, column + 1, columns)};
}

static void run(job *j, void (*body)(void *, size_t)) {
  const axis *r = &j->g.rows, *c = &j->g.columns;
  if (r->count == 0 || c->count == 0) return;
  tk_parallel_for(r->parts * r->tasks * c->parts * c->tasks, body, j);
}

static void f32_gemm_part(void *context, size_t i) {
  const job *j = context;
  const part p = part_of(&j->g, i);
  j->k->f32_gemm(j->args, p.m0, p.m1, p.n0, p.n1);
}

void tk_run_f32_gemm(const tk_kernels *k, const tk_f32_gemm *a) {
  const size_t depth = a->taps * a->cin, work = a->m * a->n * depth;
  job j = {k, a, split_product(a->m, a->n, row_step(a->rows ? a->run : 0), depth, a->cin, work, 4)};
  run(&j, f32_gemm_part);
}

static void u8s8_gemm_part(void *context, size_t i) {
  const job *j = context;
  const part p = part_of(&j->g, i);
  j->k->u8s8_gemm(j->args, p.m0, p.m1, p.n0, p.n1);
}

void tk_run_u8s8_gemm(const tk_kernels *k, const tk_u8s8_gemm *a) {
  const size_t depth = a->taps * tk_round_up(a->cin, 4), work = a->m * a->n * depth / 4;
  job j = {k, a, split_product(a->m, a->n, row_step(a->rows ? a->run : 0), depth, a->cin, work, 1)};
  run(&j, u8s8_gemm_part);
}

static void q4_codes_part(void *context, size_t i) {
  const job *j = context;
  const tk_q4_gemm *a = j->args;
  const size_t blocks = (a->k + a->block - 1) / a->block, stride = tk_q4_code_stride(a->k);
  const part p = part_of(&j->g, i);
  for (size_t row = p.m0; row < p.m1; row++)
    j->k->q8_quantize(a->a + row * a->lda, a->k, a->block, a->codes + row * stride,
                      a->code_scales + row * blocks, a->code_starts + row * blocks);
}

static void q4_gemm_part(void *context, size_t i) {
  const job *j = context;
  const part p = part_of(&j->g, i);
  j->k->q4_gemm(j->args, p.m0, p.m1, p.n0, p.n1);
}

void tk_run_q4_gemm(const tk_kernels *k, const tk_q4_gemm *a) {
  if (a->block > 0 && a->a) {
    job codes = {k, a, split_pixels(a->m, a->k, 1, a->m * a->k)};
    run(&codes, q4_codes_part);
  }
  job j = {k, a, split_product(a->m, a->n, ROW_STEP, a->k, a->k, a->m * a->n * a->k, 1)};
  run(&j, q4_gemm_part);
}

// Pixel-wise operations are split over pixels only, in multiples of `step`.
#define PIXELWISE(name, type, taps, step)                                                     \
  static void name##_part(void *context, size_t i) {                                          \
    const job *j = context;                                                                   \
    const part p = part_of(&j->g, i);                                                         \
    j->k->name(j->args, p.m0, p.m1);                                                          \
  }                                                                                           \
  void tk_run_##name(const tk_kernels *k, const type *a) {                                    \
    const size_t work = a->pixels * a->channels * (taps);                                     \
    job j = {k, a, split_pixels(a->pixels, a->channels, step, work)};                         \
    run(&j, name##_part);                                                                     \
  }

// Whole runs of pixels.
PIXELWISE(u8s8_depthwise, tk_u8s8_depthwise, a->height * a->width, row_step(a->run))
PIXELWISE(f32_depthwise, tk_f32_depthwise, a->taps, ROW_STEP)
PIXELWISE(max_pool_u8, tk_max_pool, a->taps, ROW_STEP)
PIXELWISE(max_pool_f32, tk_max_pool, a->taps, ROW_STEP)
PIXELWISE(average_pool, tk_average_pool, a->taps, ROW_STEP)

static void response_norm_part(void *context, size_t i) {
  const job *j = context;
  const part p = part_of(&j->g, i);
  j->k->response_norm(j->args, p.m0, p.m1);
}

void tk_run_response_norm(const tk_kernels *k, const tk_response_norm *a) {
  const size_t work = a->rows * a->channels * a->size;
  job j = {k, a, split_pixels(a->rows, a->channels, 1, work)};
  run(&j, response_norm_part);
}
