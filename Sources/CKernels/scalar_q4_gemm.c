// Matrix product with packed 4-bit weights: the reference.
#include <string.h>

#include "q4_gemm.h"

// Codes of one column, `step` apart, into its lane of the words from `lane` on, which are zero.
static void pack_group(const uint8_t *codes, size_t step, size_t count, uint8_t *lane) {
  size_t i = 0;
  for (; step == 1 && i + TK_Q4_WORD <= count; i += TK_Q4_WORD, lane += TK_Q4_LINE) {
    uint32_t low, high;
    memcpy(&low, codes + i, sizeof low);
    memcpy(&high, codes + i + 4, sizeof high);
    low = (low & 0x0F0F0F0F) | (high & 0x0F0F0F0F) << 4;
    memcpy(lane, &low, sizeof low);
  }
  for (size_t place = 0; i < count; i++) {
    lane[place % 4] |= (uint8_t)((codes[i * step] & 15) << (place < 4 ? 0 : 4));
    place = (place + 1) % TK_Q4_WORD;
    if (place == 0) lane += TK_Q4_LINE;
  }
}

static void q4_pack(const uint8_t *codes, const float *scales, const float *zeros, size_t k,
                    size_t n, size_t ld, size_t group, bool transposed, uint8_t *packed) {
  memset(packed, 0, tk_q4_packed_count(k, n, group, zeros));
  const size_t groups = (k + group - 1) / group, step = transposed ? 1 : ld;
  for (size_t panel = 0; panel < n; panel += TK_PANEL)
    for (size_t g = 0, k0 = 0; g < groups; g++, k0 += group) {
      float *scale = (float *)packed, *zero = scale + TK_PANEL;
      packed += TK_Q4_FLOATS * (zeros ? 2 : 1);
      const size_t count = tk_min(group, k - k0);
      for (size_t j = panel; j < tk_min(n, panel + TK_PANEL); j++) {
        scale[j - panel] = scales[j * groups + g];
        if (zeros) zero[j - panel] = zeros[j * groups + g];
        const uint8_t *first = codes + (transposed ? j * ld + k0 : k0 * ld + j);
        pack_group(first, step, count, packed + (j - panel) * 4);
      }
      packed += tk_q4_words(0, count) * TK_Q4_LINE;
    }
}

// Brings the codes of one lane of `count` codes one after the other.
static void unpack_group(const uint8_t *lane, size_t count, uint8_t *codes) {
  for (size_t i = 0; i < count; i++) {
    const uint8_t byte = lane[i / TK_Q4_WORD * TK_Q4_LINE + i % 4];
    codes[i] = i % TK_Q4_WORD < 4 ? byte & 15 : byte >> 4;
  }
}

// The part of the sum of a row and column that a group of floats makes.
static float float_group(const float *a, const uint8_t *codes, size_t count, float zero,
                         float scale) {
  float sum = 0;
  for (size_t i = 0; i < count; i++) sum += a[i] * ((float)codes[i] - zero);
  return sum * scale;
}

// The sum of a row and column so far, with the blocks of the group from k0 on.
static float code_group(const tk_q4_gemm *g, size_t row, const uint8_t *codes, size_t k0,
                        size_t count, float zero, float scale, float sum) {
  const size_t blocks = (g->k + g->block - 1) / g->block;
  const int8_t *a = g->codes + row * tk_q4_code_stride(g->k) + k0;
  for (size_t start = 0; start < count; start += g->block) {
    const size_t block = row * blocks + (k0 + start) / g->block;
    const size_t end = tk_min(count, start + g->block);
    int32_t products = 0, total = 0;
    for (size_t i = start; i < end; i++) {
      products += a[i] * codes[i];
      total += a[i];
    }
    const float exact = fmaf(-zero, (float)total, (float)products);
    sum = fmaf(g->code_scales[block] * scale, exact, sum);
  }
  return sum;
}

// The first scale of column n, with its zero point TK_PANEL further on.
static const uint8_t *start_of(const tk_q4_gemm *g, size_t n) {
  const size_t panel = tk_q4_packed_count(g->k, 1, g->group, g->has_zeros);
  return g->b + n / TK_PANEL * panel + n % TK_PANEL * sizeof(float);
}

static void unpack(const tk_q4_gemm *g, size_t n, uint8_t *codes) {
  const uint8_t *b = start_of(g, n);
  for (size_t k0 = 0, count; k0 < g->k; k0 += count) {
    count = tk_min(g->group, g->k - k0);
    b += TK_Q4_FLOATS * (g->has_zeros ? 2 : 1);
    unpack_group(b, count, codes + k0);
    b += tk_q4_words(0, count) * TK_Q4_LINE;
  }
}

static float element(const tk_q4_gemm *g, size_t row, size_t n, const uint8_t *codes) {
  const uint8_t *b = start_of(g, n);
  float sum = 0;
  for (size_t k0 = 0, count; k0 < g->k; k0 += count) {
    count = tk_min(g->group, g->k - k0);
    const float scale = ((const float *)b)[0];
    const float zero = g->has_zeros ? ((const float *)b)[TK_PANEL] : 8;
    if (g->block > 0)
      sum = code_group(g, row, codes + k0, k0, count, zero, scale, sum);
    else
      sum += float_group(g->a + row * g->lda + k0, codes + k0, count, zero, scale);
    b += TK_Q4_FLOATS * (g->has_zeros ? 2 : 1) + tk_q4_words(0, count) * TK_Q4_LINE;
  }
  if (g->bias) sum += g->bias[n];
  return tk_clamped(sum, g->lo, g->hi);
}

static void q4_gemm(const tk_q4_gemm *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  uint8_t *codes = tk_scratch(g->k);
  for (size_t n = n0; n < n1; n++) {
    unpack(g, n, codes);
    for (size_t row = m0; row < m1; row++) g->c[row * g->ldc + n] = element(g, row, n, codes);
  }
}

void tk_install_scalar_q4(tk_kernels *k) {
  k->q4_pack = q4_pack;
  k->q4_gemm = q4_gemm;
}
