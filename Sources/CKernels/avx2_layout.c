// Transposes and packing.
//
// A square of registers is transposed by rounds of perfect shuffles: in each, rows i and i + half
// are interleaved into rows 2 i and 2 i + 1; log2(rows) rounds bring columns where rows were.
#if defined(__x86_64__)
#include "avx2.h"

#define SHUFFLE(bits, side)                                                                      \
  TK_INLINE_AVX2 void shuffle_##bits(__m128i *x) {                                               \
    __m128i y[side];                                                                             \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < side / 2; i++) {                      \
      y[2 * i] = _mm_unpacklo_epi##bits(x[i], x[i + side / 2]);                                  \
      y[2 * i + 1] = _mm_unpackhi_epi##bits(x[i], x[i + side / 2]);                              \
    }                                                                                            \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < side; i++) x[i] = y[i];               \
  }

// Squares of `side` by `side` elements of 16 bytes a row; what is left at the edges one by one.
#define TRANSPOSE(bits, side, rounds)                                                            \
  SHUFFLE(bits, side)                                                                            \
  TK_INLINE_AVX2 void square_##bits(const tk_element_##bits *x, size_t ldx,                      \
                                    tk_element_##bits *y, size_t ldy) {                          \
    __m128i rows[side];                                                                          \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < side; i++)                            \
        rows[i] = _mm_loadu_si128((const __m128i *)(x + i * ldx));                               \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < rounds; i++) shuffle_##bits(rows);    \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < side; i++)                            \
        _mm_storeu_si128((__m128i *)(y + i * ldy), rows[i]);                                     \
  }                                                                                              \
  TK_TARGET_AVX2 static void transpose_##bits(const void *from, size_t rows, size_t cols,        \
                                              size_t ldx, void *to, size_t ldy) {                \
    const tk_element_##bits *x = from;                                                           \
    tk_element_##bits *y = to;                                                                   \
    const size_t whole_rows = rows / side * side, whole_cols = cols / side * side;               \
    for (size_t c = 0; c < whole_cols; c += side) {                                              \
      for (size_t r = 0; r < whole_rows; r += side)                                              \
        square_##bits(x + r * ldx + c, ldx, y + c * ldy + r, ldy);                               \
      for (size_t i = c; i < c + side; i++)                                                      \
        for (size_t r = whole_rows; r < rows; r++) y[i * ldy + r] = x[r * ldx + i];              \
    }                                                                                            \
    for (size_t c = whole_cols; c < cols; c++)                                                   \
      for (size_t r = 0; r < rows; r++) y[c * ldy + r] = x[r * ldx + c];                         \
  }

TRANSPOSE(8, 16, 4)
TRANSPOSE(16, 8, 3)
TRANSPOSE(32, 4, 2)

// Three rows become dense triples, as the colours of a picture do. Each store writes more than it
// has to; the next one mends that, so the last columns are done one by one.
TK_TARGET_AVX2 static size_t triples_8(const uint8_t *x, size_t cols, size_t ldx, uint8_t *y) {
  const __m128i pick = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
  const __m128i none = _mm_setzero_si128();
  size_t c = 0;
  for (; c + 18 <= cols; c += 16) {
    const __m128i a = _mm_loadu_si128((const __m128i *)(x + c));
    const __m128i b = _mm_loadu_si128((const __m128i *)(x + ldx + c));
    const __m128i d = _mm_loadu_si128((const __m128i *)(x + 2 * ldx + c));
    const __m128i low = _mm_unpacklo_epi8(a, b), high = _mm_unpackhi_epi8(a, b);
    const __m128i low2 = _mm_unpacklo_epi8(d, none), high2 = _mm_unpackhi_epi8(d, none);
    const __m128i fours[4] = {_mm_unpacklo_epi16(low, low2), _mm_unpackhi_epi16(low, low2),
                              _mm_unpacklo_epi16(high, high2), _mm_unpackhi_epi16(high, high2)};
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 4; i++)
      _mm_storeu_si128((__m128i *)(y + 3 * c + 12 * i), _mm_shuffle_epi8(fours[i], pick));
  }
  return c;
}

TK_TARGET_AVX2 static size_t triples_32(const tk_element_32 *x, size_t cols, size_t ldx,
                                        tk_element_32 *y) {
  size_t c = 0;
  for (; c + 5 <= cols; c += 4) {
    __m128i rows[4] = {_mm_loadu_si128((const __m128i *)(x + c)),
                       _mm_loadu_si128((const __m128i *)(x + ldx + c)),
                       _mm_loadu_si128((const __m128i *)(x + 2 * ldx + c)), _mm_setzero_si128()};
    shuffle_32(rows);
    shuffle_32(rows);
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 4; i++) _mm_storeu_si128((__m128i *)(y + 3 * (c + i)), rows[i]);
  }
  return c;
}

#define WITH_TRIPLES(bits)                                                                     \
  static void transpose_or_triples_##bits(const void *from, size_t rows, size_t cols,          \
                                          size_t ldx, void *to, size_t ldy) {                  \
    const tk_element_##bits *x = from;                                                         \
    tk_element_##bits *y = to;                                                                 \
    const size_t done = rows == 3 && ldy == 3 ? triples_##bits(x, cols, ldx, y) : 0;           \
    transpose_##bits(x + done, rows, cols - done, ldx, y + done * ldy, ldy);                   \
  }

WITH_TRIPLES(8)
WITH_TRIPLES(32)

// Columns `width` and on of the k rows of a panel of 32-bit elements are zero.
static void clear_columns(tk_element_32 *panel, size_t k, size_t width) {
  if (width == TK_PANEL) return;
  for (size_t i = 0; i < k; i++)
    memset(panel + i * TK_PANEL + width, 0, (TK_PANEL - width) * sizeof *panel);
}

static void f32_pack(const float *b, size_t k, size_t n, size_t ld, bool transposed,
                     float *packed) {
  for (size_t panel = 0; panel < n; panel += TK_PANEL, packed += k * TK_PANEL) {
    const size_t width = tk_min(TK_PANEL, n - panel);
    if (transposed) {
      transpose_32(b + panel * ld, width, k, ld, packed, TK_PANEL);
    } else {
      for (size_t i = 0; i < k; i++)
        memcpy(packed + i * TK_PANEL, b + i * ld + panel, width * sizeof *b);
    }
    clear_columns((tk_element_32 *)packed, k, width);
  }
}

static int32_t sum_row(const int8_t *row, size_t k) {
  int32_t sum = 0;
  for (size_t i = 0; i < k; i++) sum += row[i];
  return sum;
}

// Four consecutive k of one column are one 32-bit element, so that packing a transposed matrix is
// transposing it back, where no group of four crosses a tap or a row.
static void u8s8_pack(const int8_t *b, size_t taps, size_t cin, size_t n, size_t ld,
                      bool transposed, int8_t *packed, int32_t *column_sums) {
  if (!transposed || cin % 4 != 0 || ld % 4 != 0 || (uintptr_t)b % 4 != 0) {
    tk_table_for(TK_SCALAR)->u8s8_pack(b, taps, cin, n, ld, transposed, packed, column_sums);
    return;
  }
  const size_t k = taps * cin;
  for (size_t panel = 0; panel < n; panel += TK_PANEL, packed += k * TK_PANEL) {
    const size_t width = tk_min(TK_PANEL, n - panel);
    transpose_32(b + panel * ld, width, k / 4, ld / 4, packed, TK_PANEL);
    clear_columns((tk_element_32 *)packed, k / 4, width);
  }
  for (size_t j = 0; column_sums && j < n; j++) column_sums[j] = sum_row(b + j * ld, k);
}

void tk_install_avx2_layout(tk_kernels *k) {
  k->transpose_8 = transpose_or_triples_8;
  k->transpose_16 = transpose_16;
  k->transpose_32 = transpose_or_triples_32;
  k->f32_pack = f32_pack;
  k->u8s8_pack = u8s8_pack;
}
#endif
