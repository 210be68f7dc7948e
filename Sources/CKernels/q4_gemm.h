// How the products with weights of 4 bits walk through their operands: tiles of rows times one panel
// after the other. So few bytes of weights feed so many multiplications that no block of them has to be
// kept in a cache.
#ifndef TESSERA_CKERNELS_Q4_GEMM_H
#define TESSERA_CKERNELS_Q4_GEMM_H

#include "internal.h"

enum {
  TK_Q4_WORD = 8,                // codes of one column side by side
  TK_Q4_LINE = TK_PANEL * 4,     // bytes of a panel's words
  TK_Q4_FLOATS = TK_PANEL * sizeof(float),  // bytes of a panel's scales, or zero points
};

// A tile of rows, and the panel that it is multiplied with next.
typedef struct {
  const tk_q4_gemm *g;
  const void *a;        // the first row's floats or codes, up to the end of the last word
  size_t lda;           // in floats or codes
  const float *scales;  // of codes: the first row's, with their starts
  const int32_t *starts;
  size_t blocks;        // from row to row of those
  size_t group;         // at most k
  const uint8_t *b;     // the panel of `column`
  size_t panel_stride;  // bytes from panel to panel
  size_t row, column, end;
} tk_q4_tile;

typedef struct {
  size_t float_rows, code_rows;  // of a tile, at most
  void (*sweep_floats)(tk_q4_tile *tile, size_t rows);
  void (*sweep_codes)(tk_q4_tile *tile, size_t rows);
} tk_q4_method;

void tk_q4_gemm_by(const tk_q4_method *method, const tk_q4_gemm *g, size_t m0, size_t m1, size_t n0,
                   size_t n1);

void tk_install_scalar_q4(tk_kernels *k);
void tk_install_avx2_q4(tk_kernels *k);
void tk_install_avx512_q4(tk_kernels *k);
void tk_install_neon_q4(tk_kernels *k);
void tk_install_scalar_q8(tk_kernels *k);
void tk_install_avx2_q8(tk_kernels *k);
void tk_install_avx512_q8(tk_kernels *k);

// The words that hold the codes of k up to `end`.
static inline size_t tk_q4_words(size_t k, size_t end) {
  return (end - k + TK_Q4_WORD - 1) / TK_Q4_WORD;
}

#endif
