// Compares the kernels of every instruction set with the scalar ones, for Tools/check_neon.sh and
// Tools/check_sanitized.sh: integers bit for bit, floats within the bound of CKernels.h; all lengths
// around the vectors', adversarial fills.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

enum { MARGIN = 64, POOL = 50 };

static uint64_t state = 1;
static long checks, failures;

static uint32_t next(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33);
}

// Random, all least, all largest.
static int byte(int fill) { return fill == 0 ? (int)(next() & 255) : fill == 1 ? 0x80 : 0x7F; }

static void *memory(size_t bytes) {
  void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
  memset(p, 0, (bytes + 127) / 64 * 64);
  return p;
}

static void expect(bool holds, const char *what, size_t a, size_t b, size_t c) {
  checks++;
  if (!holds && failures++ < 20) printf("%s differs: %zu %zu %zu\n", what, a, b, c);
}

// Rows under taps: anywhere in a pool, or in runs one stride apart.
static void fill_rows(const void **rows, const char *pool, size_t m, size_t taps, size_t stride,
                      size_t run) {
  for (size_t i = 0; i < m; i++)
    for (size_t t = 0; t < taps; t++) {
      const size_t pick = run == 0 ? next() % POOL : (i / run * 3 + t * 5) % 20 + i % run;
      rows[i * taps + t] = pool + pick * stride;
    }
}

static tk_epilogue epilogue(tk_output kind, void *c, size_t n, const int32_t *bias,
                            const int32_t *zeros, const float *factors) {
  return (tk_epilogue){.kind = kind, .c = c, .ldc = n, .bias = bias, .weight_zero = zeros,
                       .multiplier = factors, .float_bias = factors, .zero_point = 113, .lo = 3,
                       .hi = 250, .float_lo = -1e30f, .float_hi = 1e3f};
}

static void check_products(const tk_kernels *neon, size_t m, size_t n, size_t taps, size_t cin,
                           size_t run, int fill) {
  const tk_kernels *scalar = tk_table_for(TK_SCALAR);
  const size_t k = taps * cin;
  uint8_t *pool = memory(POOL * cin + MARGIN);
  int8_t *b = memory(k * n), *packed = memory(tk_u8s8_packed_count(taps, cin, n));
  float *real = memory(4 * POOL * cin), *weights = memory(4 * k * n);
  float *packed_real = memory(4 * tk_f32_packed_count(k, n)), *factors = memory(4 * n);
  int32_t *bias = memory(4 * n), *zeros = memory(4 * n);
  const void **rows = memory(8 * m * taps), **real_rows = memory(8 * m * taps);
  for (size_t i = 0; i < POOL * cin; i++) pool[i] = (uint8_t)byte(fill ? 3 - fill : 0);
  for (size_t i = 0; i < POOL * cin; i++) real[i] = (float)pool[i] / 7;
  for (size_t i = 0; i < k * n; i++) b[i] = (int8_t)byte(fill), weights[i] = (float)b[i] / 9;
  for (size_t i = 0; i < n; i++) {
    factors[i] = i % 17 == 5 ? NAN : (float)(next() % 1000) * 1e-5f;
    bias[i] = (int32_t)next(), zeros[i] = (int32_t)(next() % 256) - 128;
  }
  scalar->u8s8_pack(b, taps, cin, n, n, false, packed, NULL);
  scalar->f32_pack(weights, k, n, n, false, packed_real);
  fill_rows(rows, (char *)pool, m, taps, cin, run);
  for (size_t i = 0; i < m * taps; i++) real_rows[i] = real + ((uint8_t *)rows[i] - pool);
  char *one = memory(4 * m * n), *two = memory(4 * m * n);
  for (int kind = 0; kind < 6; kind++) {
    tk_u8s8_gemm g = {.m = m, .n = n, .taps = taps, .cin = cin, .lda = cin,
                      .rows = (const uint8_t *const *)rows, .run = run, .b = packed};
    memset(one, 1, 4 * m * n), memset(two, 1, 4 * m * n);
    g.out = epilogue((tk_output)(kind % 3), one, n, bias, kind < 3 ? NULL : zeros, factors);
    scalar->u8s8_gemm(&g, 0, m, 0, n);
    g.out.c = two;
    neon->u8s8_gemm(&g, 0, m, 0, n);
    expect(!memcmp(one, two, 4 * m * n), "u8s8 product", m, n, k);
  }
  // Dense rows further apart than they are long, and a residual.
  const size_t lda = k + 3;
  uint8_t *dense = memory(m * lda + MARGIN);
  float *dense_real = memory(4 * m * lda), *residual = memory(4 * m * n);
  for (size_t i = 0; i < m * lda; i++) dense[i] = (uint8_t)next(), dense_real[i] = dense[i] / 7.0f;
  for (size_t i = 0; i < m * n; i++) residual[i] = (float)(next() % 100);
  if (taps == 1) {
    tk_u8s8_gemm d = {.m = m, .n = n, .taps = 1, .cin = cin, .a = dense, .lda = lda, .b = packed};
    d.out = epilogue(TK_OUT_U8, one, n, bias, NULL, factors);
    scalar->u8s8_gemm(&d, 0, m, 0, n);
    d.out.c = two;
    neon->u8s8_gemm(&d, 0, m, 0, n);
    expect(!memcmp(one, two, m * n), "dense u8s8 product", m, n, k);
  }
  tk_f32_gemm g = {.m = m, .n = n, .taps = taps, .cin = cin, .lda = cin, .run = run,
                   .rows = (const float *const *)real_rows, .b = packed_real, .bias = weights,
                   .lo = -1e30f, .hi = 1e30f, .ldc = n};
  g.bias = k >= 1 ? weights : NULL;
  float *f = (float *)one, *h = (float *)two;
  g.c = f, scalar->f32_gemm(&g, 0, m, 0, n);
  g.c = h, neon->f32_gemm(&g, 0, m, 0, n);
  const double bound = (double)(k + 3) * 0x1p-23 * (double)(k + 1) * 37 * 15;
  for (size_t i = 0; i < m * n; i++) expect(fabs(f[i] - h[i]) <= bound, "float product", m, n, k);
  if (taps == 1) {
    tk_f32_gemm d = {.m = m, .n = n, .taps = 1, .cin = cin, .a = dense_real, .lda = lda,
                     .b = packed_real, .residual = residual, .ldr = n, .lo = -50, .hi = 1e30f,
                     .ldc = n};
    d.c = f, scalar->f32_gemm(&d, 0, m, 0, n);
    d.c = h, neon->f32_gemm(&d, 0, m, 0, n);
    for (size_t i = 0; i < m * n; i++)
      expect(fabs(f[i] - h[i]) <= bound, "dense float product", m, n, k);
  }
  void *all[] = {dense, dense_real, residual, pool, b, packed, real, weights, packed_real, factors, bias, zeros, rows, real_rows,
                 one, two};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void check_depthwise(const tk_kernels *neon, size_t height, size_t width, size_t channels,
                            int fill) {
  const tk_kernels *scalar = tk_table_for(TK_SCALAR);
  const size_t pixels = 13, taps = height * width;
  uint8_t *pool = memory(POOL * channels + MARGIN);
  int8_t *w = memory(taps * channels), *packed = memory(tk_depthwise_packed_count(height, width, channels));
  float *factors = memory(4 * channels);
  int32_t *bias = memory(4 * channels);
  const void **rows = memory(8 * pixels * taps);
  for (size_t i = 0; i < POOL * channels; i++) pool[i] = (uint8_t)byte(fill ? 3 - fill : 0);
  for (size_t i = 0; i < taps * channels; i++) w[i] = (int8_t)byte(fill);
  for (size_t i = 0; i < channels; i++) factors[i] = (float)(next() % 99) * 1e-4f, bias[i] = (int32_t)next() % 5000;
  scalar->u8s8_depthwise_pack(w, height, width, channels, packed, NULL);
  fill_rows(rows, (char *)pool, pixels, taps, channels, 0);
  char *one = memory(4 * pixels * channels), *two = memory(4 * pixels * channels);
  for (int kind = 0; kind < 3; kind++) {
    tk_u8s8_depthwise d = {.pixels = pixels, .height = height, .width = width, .channels = channels,
                           .run = 1, .step = 1, .rows = (const uint8_t *const *)rows,
                           .weights = packed};
    d.out = epilogue((tk_output)kind, one, channels, bias, NULL, factors);
    scalar->u8s8_depthwise(&d, 0, pixels);
    d.out.c = two;
    neon->u8s8_depthwise(&d, 0, pixels);
    const size_t bytes = pixels * channels * (kind == TK_OUT_U8 ? 1 : 4);
    expect(!memcmp(one, two, bytes), "u8s8 depthwise", height, width, channels);
  }
  void *all[] = {pool, w, packed, factors, bias, rows, one, two};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void check_q4(const tk_kernels *table, size_t m, size_t n, size_t k, size_t group,
                     size_t block, bool has_zeros, int fill) {
  const tk_kernels *scalar = tk_table_for(TK_SCALAR);
  const size_t groups = (k + group - 1) / group, blocks = block ? (k + block - 1) / block : 0;
  uint8_t *codes = memory(n * k), *packed = memory(tk_q4_packed_count(k, n, group, has_zeros));
  float *scales = memory(4 * n * groups), *zeros = memory(4 * n * groups), *a = memory(4 * m * k);
  float *one = memory(4 * m * n), *two = memory(4 * m * n);
  for (size_t i = 0; i < n * k; i++) codes[i] = fill ? 15 : next() & 15;
  for (size_t i = 0; i < n * groups; i++) scales[i] = (float)(next() % 1000) * 1e-3f - 0.3f;
  for (size_t i = 0; i < n * groups; i++) zeros[i] = fill == 2 ? 0.3f : (float)(next() % 16);
  for (size_t i = 0; i < m * k; i++) a[i] = fill ? -1 : (float)(next() % 2001) * 1e-3f - 1;
  scalar->q4_pack(codes, scales, has_zeros ? zeros : NULL, k, n, k, group, true, packed);
  tk_q4_gemm g = {.m = m, .n = n, .k = k, .group = group, .has_zeros = has_zeros, .a = a,
                  .lda = k, .b = packed, .block = block, .bias = scales, .lo = -1e30f, .hi = 1e3f,
                  .ldc = n};
  g.bias = k >= 1 ? scales : NULL;
  g.codes = memory(m * tk_q4_code_stride(k));
  g.code_scales = memory(4 * m * blocks), g.code_starts = memory(4 * m * blocks);
  g.c = one, tk_run_q4_gemm(scalar, &g);
  g.c = two, tk_run_q4_gemm(table, &g);
  const double bound = (double)(k + 3) * 0x1p-22 * (double)(k + 1) * 16;
  if (block) expect(!memcmp(one, two, 4 * m * n), "q4 product of codes", m, n, k);
  for (size_t i = 0; i < m * n; i++)
    expect(fabs(one[i] - two[i]) <= bound, "q4 product", m, n, k);
  void *all[] = {codes, packed, scales, zeros, a, one, two, g.codes, g.code_scales, g.code_starts};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void check_q4_shapes(const tk_kernels *table) {
  const size_t depths[] = {0, 1, 8, 31, 32, 33, 100, 257}, sizes[] = {16, 32, 128, 1024};
  for (size_t m = 1; m < 10; m++)
    for (size_t n = 1; n < 70; n += 17)
      for (size_t d = 0; d < sizeof depths / sizeof *depths; d++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
          for (size_t variant = 0; variant < 6; variant++) {
            const size_t blocks[] = {0, sizes[s] < 32 ? sizes[s] : 32, sizes[s]};
            check_q4(table, m, n, depths[d], sizes[s], blocks[variant % 3], variant >= 3,
                     (int)(m + d) % 3);
          }
}

// A product's second operand of codes, and transposes of any element.
static void check_copies(const tk_kernels *table, size_t rows, size_t columns, size_t spare) {
  const tk_kernels *scalar = tk_table_for(TK_SCALAR);
  const size_t ld = columns + spare, count = tk_u8s8_packed_count(1, rows, columns) + 64;
  uint8_t *x = memory(8 * (rows + 1) * ld), *one = memory(8 * rows * columns + 64);
  uint8_t *two = memory(8 * rows * columns + 64);
  int8_t *packed = memory(count * 8), *other = memory(count * 8);
  int32_t *sums = memory(4 * (rows + columns)), *others = memory(4 * (rows + columns));
  for (size_t i = 0; i < 8 * (rows + 1) * ld; i++) x[i] = (uint8_t)next();
  for (int transposed = 0; transposed < 2; transposed++) {
    const size_t k = transposed ? columns : rows, n = transposed ? rows : columns;
    tk_u8_pack(scalar, x, k, n, ld, transposed, packed, sums);
    tk_u8_pack(table, x, k, n, ld, transposed, other, others);
    expect(!memcmp(packed, other, tk_u8s8_packed_count(1, k, n)), "packed codes", k, n, ld);
    expect(!memcmp(sums, others, 4 * n), "sums of codes", k, n, ld);
  }
  for (size_t element = 1; element <= 8; element *= 2) {
    tk_strided_copy copy = {.element = element, .rank = 2, .x = x, .y = one};
    copy.axes[0] = (tk_copy_axis){columns, 1, (ptrdiff_t)rows};
    copy.axes[1] = (tk_copy_axis){rows, (ptrdiff_t)ld, 1};
    tk_run_copy(scalar, &copy);
    copy.y = two;
    tk_run_copy(table, &copy);
    expect(!memcmp(one, two, element * rows * columns), "transpose", rows, columns, element);
  }
  void *all[] = {x, one, two, packed, other, sums, others};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void check_table(const tk_kernels *table) {
  for (size_t rows = 1; rows < 150; rows += rows < 40 ? 1 : 37)
    for (size_t columns = 1; columns < 150; columns += columns < 40 ? 3 : 41)
      check_copies(table, rows, columns, rows % 4);
  for (int fill = 0; fill < 3; fill++) {
    for (size_t m = 1; m <= 13; m++)
      for (size_t n = 1; n <= 37; n += m < 8 ? 1 : 5) check_products(table, m, n, 1, 19, 0, fill);
    for (size_t cin = 1; cin <= 67; cin++) check_products(table, 7, 21, 1, cin, 0, fill);
    for (size_t cin = 1; cin <= 40; cin += 3) {
      check_products(table, 11, 45, 9, cin, 0, fill);
      check_products(table, 29, 33, 3, cin, 14, fill);
    }
    check_products(table, 6, 300, 1, 1100, 0, fill);
    const size_t kernels[][2] = {{1, 1}, {3, 1}, {2, 2}, {3, 3}, {5, 5}, {7, 1}};
    for (size_t i = 0; i < 6; i++)
      for (size_t c = 1; c <= 140; c++) check_depthwise(table, kernels[i][0], kernels[i][1], c, fill);
  }
  check_q4_shapes(table);
  const bool by_hand = table->u8s8_gemm != tk_table_for(TK_SCALAR)->u8s8_gemm;
  printf("%s: %ld comparisons, %ld differ; integers %s\n", table->name, checks, failures,
         by_hand ? "by dot products" : "as scalar");
}

int main(void) {
  const tk_isa isas[] = {TK_AVX2, TK_AVXVNNI, TK_AVX512, TK_NEON};
  for (size_t i = 0; i < sizeof isas / sizeof *isas; i++)
    if (tk_table_for(isas[i])) check_table(tk_table_for(isas[i]));
  if (checks == 0) puts("nothing to compare with");
  return failures > 0 || checks == 0;
}
