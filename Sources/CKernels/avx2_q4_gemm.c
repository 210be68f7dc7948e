// Matrix product with packed 4-bit weights: register tiles of 16 columns by up to four rows, one row
// by 32. A sum of eight products of a byte and a code keeps within an int16.
#if defined(__x86_64__)
#include "avx2.h"
#include "q4_gemm.h"

enum {
  ROWS = 4,
  WORDS = 4,  // whose products are summed in int16
};

typedef __m256 sums[ROWS][4];

TK_INLINE_AVX2 void clear(sums s, const int rows, const int vectors) {
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) s[r][v] = _mm256_setzero_ps();
}

TK_INLINE_AVX2 void finish(const tk_q4_tile *t, sums total, const int rows, const int vectors) {
  const tk_q4_gemm *g = t->g;
  const size_t ldc = g->ldc;
  const __m256 lo = _mm256_set1_ps(g->lo), hi = _mm256_set1_ps(g->hi);
  const bool biased = g->bias;
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    const size_t n = t->column + (size_t)v * 8;
    const __m256i mask = tk_mask8(n < t->end ? t->end - n : 0);
    const __m256 bias = biased ? _mm256_maskload_ps(g->bias + n, mask) : lo;
    float *c = g->c + t->row * ldc + n;
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++, c += ldc) {
      const __m256 sum = biased ? _mm256_add_ps(total[r][v], bias) : total[r][v];
      _mm256_maskstore_ps(c, mask, tk_clamp_avx2(sum, lo, hi));
    }
  }
}

TK_INLINE_AVX2 __m256i load(const uint8_t *b) { return _mm256_load_si256((const __m256i *)b); }

// Adds the products of k number `place` of a word to the sums of a group.
TK_INLINE_AVX2 void add_products(const uint8_t *b, const float *zeros, const float *a, size_t lda,
                                 const int place, sums sum, const int rows, const int vectors) {
  __m256 weight[4];
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    const int right = place < 4 ? place * 8 : place * 8 - 28;
    const __m256i word = _mm256_srli_epi32(load(b + v * 32), right);
    const __m256 code = _mm256_cvtepi32_ps(_mm256_and_si256(word, _mm256_set1_epi32(15)));
    const __m256 zero = zeros ? _mm256_load_ps(zeros + v * 8) : _mm256_set1_ps(8);
    weight[v] = _mm256_sub_ps(code, zero);
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    const __m256 value = _mm256_set1_ps(a[r * lda + place]);
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++)
      sum[r][v] = _mm256_fmadd_ps(value, weight[v], sum[r][v]);
  }
}

TK_INLINE_AVX2 void multiply_floats(const tk_q4_tile *t, const int rows, const int vectors,
                                    const bool zeros) {
  const size_t k = t->g->k, from = t->column % TK_PANEL * 4;
  const float *a = t->a;
  const uint8_t *b = t->b + from;
  sums total;
  clear(total, rows, vectors);
  for (size_t k0 = 0; k0 < k; k0 += t->group) {
    const float *const scales = (const float *)b;
    const float *const zero = zeros ? scales + TK_PANEL : NULL;
    b += TK_Q4_FLOATS * (zeros ? 2 : 1);
    sums sum;
    clear(sum, rows, vectors);
    for (size_t w = tk_q4_words(k0, tk_min(k, k0 + t->group)); w > 0; w--) {
#pragma clang loop unroll(full)
      for (int place = 0; place < TK_Q4_WORD; place++)
        add_products(b, zero, a, t->lda, place, sum, rows, vectors);
      a += TK_Q4_WORD;
      b += TK_Q4_LINE;
    }
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      const __m256 scale = _mm256_load_ps(scales + v * 8);
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) total[r][v] = _mm256_fmadd_ps(sum[r][v], scale, total[r][v]);
    }
  }
  finish(t, total, rows, vectors);
}

typedef __m256i integers[ROWS][4];

// Adds the products of at most WORDS words of codes from a and b on.
TK_INLINE_AVX2 void add_words(const int8_t *a, size_t lda, const uint8_t *b, size_t words,
                              integers sum, const int rows, const int vectors) {
  const __m256i mask = _mm256_set1_epi8(15);
  integers few;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) few[r][v] = _mm256_setzero_si256();
  for (; words > 0; words--, a += TK_Q4_WORD, b += TK_Q4_LINE) {
    __m256i low[4], high[4];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      const __m256i word = load(b + v * 32);
      low[v] = _mm256_and_si256(word, mask);
      high[v] = _mm256_and_si256(_mm256_srli_epi16(word, 4), mask);
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      int32_t fours[2];
      memcpy(fours, a + r * lda, sizeof fours);
      const __m256i first = _mm256_set1_epi32(fours[0]), second = _mm256_set1_epi32(fours[1]);
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) {
        const __m256i left = _mm256_maddubs_epi16(low[v], first);
        const __m256i right = _mm256_maddubs_epi16(high[v], second);
        few[r][v] = _mm256_add_epi16(few[r][v], _mm256_add_epi16(left, right));
      }
    }
  }
  const __m256i ones = _mm256_set1_epi16(1);
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++)
      sum[r][v] = _mm256_add_epi32(sum[r][v], _mm256_madd_epi16(few[r][v], ones));
}

TK_INLINE_AVX2 void multiply_codes(const tk_q4_tile *t, const int rows, const int vectors,
                                   const bool zeros) {
  const size_t k = t->g->k, size = t->g->block, from = t->column % TK_PANEL * 4;
  const int8_t *a = t->a;
  const uint8_t *b = t->b + from;
  const float *scales = t->scales;
  const int32_t *starts = t->starts;
  sums total;
  clear(total, rows, vectors);
  for (size_t k0 = 0; k0 < k; k0 += t->group) {
    const size_t end = tk_min(k, k0 + t->group);
    const float *const group = (const float *)b;
    b += TK_Q4_FLOATS * (zeros ? 2 : 1);
    for (size_t start = k0; start < end; start += size, scales++, starts++) {
      integers sum;
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++)
          sum[r][v] = _mm256_set1_epi32(zeros ? 0 : starts[r * t->blocks]);
      size_t words = tk_q4_words(start, tk_min(end, start + size));
      for (size_t some; words > 0; words -= some) {
        some = tk_min(words, WORDS);
        add_words(a, t->lda, b, some, sum, rows, vectors);
        a += some * TK_Q4_WORD;
        b += some * TK_Q4_LINE;
      }
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        const __m256 factor = _mm256_set1_ps(scales[r * t->blocks]);
        const __m256 less = _mm256_set1_ps((float)starts[r * t->blocks] * 0.125f);
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
          const float *const at = group + v * 8;
          __m256 exact = _mm256_cvtepi32_ps(sum[r][v]);
          if (zeros) exact = _mm256_fmadd_ps(_mm256_load_ps(at + TK_PANEL), less, exact);
          const __m256 scale = _mm256_mul_ps(factor, _mm256_load_ps(at));
          total[r][v] = _mm256_fmadd_ps(scale, exact, total[r][v]);
        }
      }
    }
  }
  finish(t, total, rows, vectors);
}

typedef void (*multiplier)(const tk_q4_tile *);

#define MULTIPLY(kind, rows, vectors)                                                     \
  TK_TARGET_AVX2 static void kind##_##rows(const tk_q4_tile *t) {                         \
    multiply_##kind(t, rows, vectors, false);                                             \
  }                                                                                       \
  TK_TARGET_AVX2 static void kind##_##rows##_zeros(const tk_q4_tile *t) {                 \
    multiply_##kind(t, rows, vectors, true);                                              \
  }
MULTIPLY(floats, 1, 4) MULTIPLY(floats, 2, 2) MULTIPLY(floats, 3, 2) MULTIPLY(floats, 4, 2)
MULTIPLY(codes, 1, 4) MULTIPLY(codes, 2, 2) MULTIPLY(codes, 3, 2) MULTIPLY(codes, 4, 2)

static const multiplier floats[2][ROWS] = {
    {floats_1, floats_2, floats_3, floats_4},
    {floats_1_zeros, floats_2_zeros, floats_3_zeros, floats_4_zeros}};
static const multiplier codes[2][ROWS] = {
    {codes_1, codes_2, codes_3, codes_4},
    {codes_1_zeros, codes_2_zeros, codes_3_zeros, codes_4_zeros}};

static void sweep(tk_q4_tile *t, multiplier by, size_t columns) {
  while (t->column < t->end) {
    by(t);
    t->column += columns;
    if (t->column % TK_PANEL == 0) t->b += t->panel_stride;
  }
}

static void sweep_floats(tk_q4_tile *t, size_t rows) {
  sweep(t, floats[t->g->has_zeros][rows - 1], rows == 1 ? 32 : 16);
}

static void sweep_codes(tk_q4_tile *t, size_t rows) {
  sweep(t, codes[t->g->has_zeros][rows - 1], rows == 1 ? 32 : 16);
}

static void q4_gemm(const tk_q4_gemm *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  static const tk_q4_method method = {ROWS, ROWS, sweep_floats, sweep_codes};
  tk_q4_gemm_by(&method, g, m0, m1, n0, n1);
}

void tk_install_avx2_q4(tk_kernels *k) { k->q4_gemm = q4_gemm; }
#endif
