// Depthwise convolution of floats: four pixels and up to 64 channels at a time, so that a tap's
// weights are loaded once for all of them.
#if defined(__x86_64__)
#include "avx512.h"

enum { PIXELS = 4 };

// `vectors` of 16 channels from c on, the last one masked.
TK_INLINE_AVX512 void convolve(const tk_f32_depthwise *d, size_t p, size_t c, const int vectors,
                               const size_t pixels) {
  const __mmask16 last = tk_mask16(d->channels - c - (size_t)(vectors - 1) * 16);
  const float *weights = d->weights + c;
  __m512 sums[PIXELS][4];
#pragma clang loop unroll(full)
  for (size_t i = 0; i < pixels; i++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sums[i][v] = _mm512_setzero_ps();
  for (size_t t = 0; t < d->taps; t++, weights += d->channels) {
    __m512 w[4];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++)
      w[v] = v + 1 < vectors ? _mm512_loadu_ps(weights + v * 16)
                             : _mm512_maskz_loadu_ps(last, weights + v * 16);
#pragma clang loop unroll(full)
    for (size_t i = 0; i < pixels; i++) {
      const float *row =
          tk_row_f32(d->rows[(p + i) * d->taps + t], d->row_offset, d->pad_row) + c;
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) {
        const __m512 x = v + 1 < vectors ? _mm512_loadu_ps(row + v * 16)
                                         : _mm512_maskz_loadu_ps(last, row + v * 16);
        sums[i][v] = _mm512_fmadd_ps(x, w[v], sums[i][v]);
      }
    }
  }
  const __m512 lo = _mm512_set1_ps(d->lo), hi = _mm512_set1_ps(d->hi);
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    const __mmask16 mask = v + 1 < vectors ? (__mmask16)0xFFFF : last;
    const size_t n = c + (size_t)v * 16;
    const bool biased = d->bias;
    const __m512 bias = biased ? _mm512_maskz_loadu_ps(mask, d->bias + n) : lo;
    float *y = d->c + p * d->ldc + n;
#pragma clang loop unroll(full)
    for (size_t i = 0; i < pixels; i++, y += d->ldc) {
      const __m512 sum = biased ? _mm512_add_ps(sums[i][v], bias) : sums[i][v];
      _mm512_mask_storeu_ps(y, mask, tk_clamp_avx512(sum, lo, hi));
    }
  }
}

#define CHANNELS(vectors)                                                                  \
  TK_TARGET_AVX512 static void channels_##vectors(const tk_f32_depthwise *d, size_t p0,     \
                                                  size_t p1, size_t c) {                    \
    size_t p = p0;                                                                          \
    for (; p + PIXELS <= p1; p += PIXELS) convolve(d, p, c, vectors, PIXELS);               \
    for (; p < p1; p++) convolve(d, p, c, vectors, 1);                                      \
  }
CHANNELS(1) CHANNELS(2) CHANNELS(3) CHANNELS(4)

static void f32_depthwise(const tk_f32_depthwise *d, size_t p0, size_t p1) {
  enum { STRIP = 32 };  // pixels that go through all channels together: their rows stay in cache
  for (size_t p = p0, end; p < p1; p = end) {
    end = tk_min(p1, p + STRIP);
    size_t c = 0;
    for (; c + 48 < d->channels; c += 64) channels_4(d, p, end, c);
    if (c + 32 < d->channels)
      channels_3(d, p, end, c);
    else if (c + 16 < d->channels)
      channels_2(d, p, end, c);
    else if (c < d->channels)
      channels_1(d, p, end, c);
  }
}

void tk_install_avx512_f32_depthwise(tk_kernels *k) { k->f32_depthwise = f32_depthwise; }
#endif
