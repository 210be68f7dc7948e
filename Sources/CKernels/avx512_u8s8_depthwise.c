// Integer depthwise convolution: four pixels and 64 channels at a time.
//
// Bytes of four taps of one column are interleaved channel by channel, so that one VNNI instruction
// sums four taps of 16 channels; the packed weights are in the order that the interleaving gives.
// A column once interleaved serves every pixel of the four that reads it.
//
// Where 32 channels or fewer are left, another four pixels share the vectors as twins: their channels
// lie in the upper halves.
#if defined(__x86_64__)
#include "avx512.h"

enum { PIXELS = 4 };  // worked on at once

// 64 channels of sums: part q, lane 4 b + i holds channel 16 b + 4 q + i.
typedef struct {
  __m512i part[4];
} channels64;

// From that order to the channels' order, or back: a transpose of 4 x 4 lanes of 128 bits.
TK_INLINE_AVX512 channels64 reordered(channels64 a) {
  const __m512i t0 = _mm512_shuffle_i32x4(a.part[0], a.part[1], 0x44);
  const __m512i t1 = _mm512_shuffle_i32x4(a.part[0], a.part[1], 0xEE);
  const __m512i t2 = _mm512_shuffle_i32x4(a.part[2], a.part[3], 0x44);
  const __m512i t3 = _mm512_shuffle_i32x4(a.part[2], a.part[3], 0xEE);
  return (channels64){{_mm512_shuffle_i32x4(t0, t2, 0x88), _mm512_shuffle_i32x4(t0, t2, 0xDD),
                       _mm512_shuffle_i32x4(t1, t3, 0x88), _mm512_shuffle_i32x4(t1, t3, 0xDD)}};
}

// 64 channels of a list of 32-bit numbers, of which `left` are there; zeros where there is none.
TK_INLINE_AVX512 channels64 load_numbers(const void *numbers, size_t left) {
  channels64 a;
#pragma clang loop unroll(full)
  for (size_t q = 0; q < 4; q++) {
    const __mmask16 mask = tk_mask16(numbers && left > q * 16 ? left - q * 16 : 0);
    a.part[q] = _mm512_maskz_loadu_epi32(mask, (const int32_t *)numbers + q * 16);
  }
  return a;
}

// What the pixels of a run have in common for 64 channels from `channel` on.
typedef struct {
  const tk_u8s8_depthwise *d;
  size_t channel, left;
  __mmask64 mask;
  const int8_t *weights;
  channels64 bias, multiplier;
  bool simple, twin;
} block;

// The lower half in both halves.
TK_INLINE_AVX512 channels64 doubled(channels64 a) {
#pragma clang loop unroll(full)
  for (int q = 0; q < 4; q++) a.part[q] = _mm512_shuffle_i64x2(a.part[q], a.part[q], 0x44);
  return a;
}

TK_INLINE_AVX512 block block_of(const tk_u8s8_depthwise *d, size_t c) {
  const size_t left = d->channels - c;
  const int32_t *bias = d->out.bias;
  const float *multiplier = d->out.multiplier;
  return (block){.d = d,
                 .channel = c,
                 .left = left,
                 .mask = tk_mask64(left),
                 .weights = d->weights + c * tk_round_up(d->height, 4) * d->width,
                 .bias = reordered(load_numbers(bias ? bias + c : NULL, left)),
                 .multiplier = reordered(load_numbers(multiplier ? multiplier + c : NULL, left)),
                 .twin = left <= 32 && d->out.kind == TK_OUT_U8,
                 .simple = tk_has_simple_codes(&d->out, c, tk_min(c + 64, d->channels))};
}

// `apart`: how many pixels further the twin is, or 0.
TK_INLINE_AVX512 void store_u8(const block *b, size_t p, channels64 sums, const size_t apart) {
  const tk_epilogue *out = &b->d->out;
  const tk_requantization by = tk_requantization_of(out);
  __m512 factors[4];
#pragma clang loop unroll(full)
  for (int q = 0; q < 4; q++) factors[q] = _mm512_castsi512_ps(b->multiplier.part[q]);
  // Packing brings the channels back into order.
  const __m512i bytes = b->simple ? tk_requantize_avx512(&by, sums.part, factors, true)
                                  : tk_requantize_avx512(&by, sums.part, factors, false);
  uint8_t *c = (uint8_t *)out->c + p * out->ldc + b->channel;
  if (!apart) {
    _mm512_mask_storeu_epi8(c, b->mask, bytes);
    return;
  }
  const __mmask32 mask = (__mmask32)b->mask;
  _mm256_mask_storeu_epi8(c, mask, _mm512_castsi512_si256(bytes));
  _mm256_mask_storeu_epi8(c + apart * out->ldc, mask, _mm512_extracti64x4_epi64(bytes, 1));
}

TK_INLINE_AVX512 void store_wide(const block *b, size_t p, channels64 sums) {
  const tk_epilogue *out = &b->d->out;
  const __m512 lo = _mm512_set1_ps(out->float_lo), hi = _mm512_set1_ps(out->float_hi);
  const channels64 ordered = reordered(sums);
#pragma clang loop unroll(full)
  for (size_t q = 0; q < 4; q++) {
    const size_t n = b->channel + q * 16, at = p * out->ldc + n;
    const __mmask16 mask = tk_mask16(b->left > q * 16 ? b->left - q * 16 : 0);
    if (out->kind == TK_OUT_S32) {
      _mm512_mask_storeu_epi32((int32_t *)out->c + at, mask, ordered.part[q]);
      continue;
    }
    const __m512 factor = _mm512_maskz_loadu_ps(mask, out->multiplier + n);
    __m512 real = _mm512_mul_ps(_mm512_cvtepi32_ps(ordered.part[q]), factor);
    if (out->float_bias)
      real = _mm512_add_ps(real, _mm512_maskz_loadu_ps(mask, out->float_bias + n));
    _mm512_mask_storeu_ps((float *)out->c + at, mask, tk_clamp_avx512(real, lo, hi));
  }
}

TK_INLINE_AVX512 void store(const block *b, size_t p, channels64 sums, const size_t apart) {
  if (apart || b->d->out.kind == TK_OUT_U8)
    store_u8(b, p, sums, apart);
  else
    store_wide(b, p, sums);
}

// Adds four taps.
TK_INLINE_AVX512 void add_products(channels64 *sums, channels64 bytes, const int8_t *weights,
                                   const bool twin) {
#pragma clang loop unroll(full)
  for (int q = 0; q < 4; q++) {
    const void *w = weights + q * 64;
    const __m512i factors =
        twin ? _mm512_broadcast_i64x4(_mm256_load_si256(w)) : _mm512_load_si512(w);
    sums->part[q] = _mm512_dpbusd_epi32(sums->part[q], bytes.part[q], factors);
  }
}

// The bytes under a tap; those of the twin above them, whose pointer is `apart` entries further.
TK_INLINE_AVX512 __m512i load_row(const block *b, const uint8_t *const *tap, const size_t apart) {
  const tk_u8s8_depthwise *d = b->d;
  const uint8_t *row = tk_row_u8(*tap, d->row_offset, d->pad_row) + b->channel;
  if (!apart) return _mm512_maskz_loadu_epi8(b->mask, row);
  const __mmask32 mask = (__mmask32)b->mask;
  const uint8_t *twin = tk_row_u8(tap[apart], d->row_offset, d->pad_row) + b->channel;
  return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_maskz_loadu_epi8(mask, row)),
                            _mm256_maskz_loadu_epi8(mask, twin), 1);
}

// The bytes under four taps of a column from row y on, side by side; zeros below the kernel.
TK_INLINE_AVX512 channels64 load_four(const block *b, const uint8_t *const *column, size_t y,
                                      const size_t height, const size_t width,
                                      const size_t apart) {
  const __m512i none = _mm512_setzero_si512();
  __m512i x[4] = {none, none, none, none};
#pragma clang loop unroll(full)
  for (size_t r = 0; r < 4; r++) {
    if (y + r >= height) continue;
    x[r] = load_row(b, column + (y + r) * width, apart * height * width);
  }
  const __m512i low01 = _mm512_unpacklo_epi8(x[0], x[1]), high01 = _mm512_unpackhi_epi8(x[0], x[1]);
  const __m512i low23 = _mm512_unpacklo_epi8(x[2], x[3]), high23 = _mm512_unpackhi_epi8(x[2], x[3]);
  return (channels64){{_mm512_unpacklo_epi16(low01, low23), _mm512_unpackhi_epi16(low01, low23),
                       _mm512_unpacklo_epi16(high01, high23),
                       _mm512_unpackhi_epi16(high01, high23)}};
}

// `pixels` neighbours from p on, and their twins `apart` further; what follows from constants is decided by the compiler.
TK_INLINE_AVX512 void convolve(const block *b, size_t p, const size_t height, const size_t width,
                               const size_t step, const size_t pixels, const size_t apart) {
  const size_t fours = (height + 3) / 4;
  const uint8_t *const *rows = b->d->rows + p * height * width;
  channels64 sums[PIXELS];
#pragma clang loop unroll(full)
  for (size_t i = 0; i < pixels; i++) sums[i] = b->bias;
#pragma clang loop unroll(full)
  for (size_t column = 0; column < step * (pixels - 1) + width; column++) {
    // A pixel that reads this column, and where it finds it.
    const size_t reader = tk_min(column / step, pixels - 1);
    const uint8_t *const *top = rows + reader * height * width + (column - reader * step);
#pragma clang loop unroll(full)
    for (size_t four = 0; four < fours; four++) {
      const channels64 bytes = load_four(b, top, four * 4, height, width, apart);
      // Else the compiler loads so far ahead that the sums of tall kernels leave their registers.
      if (fours > 1) __asm__ volatile("" ::: "memory");
#pragma clang loop unroll(full)
      for (size_t i = 0; i < pixels; i++) {
        if (column < i * step || column >= i * step + width) continue;
        add_products(&sums[i], bytes, b->weights + ((column - i * step) * fours + four) * 256,
                     apart > 0);
      }
    }
  }
#pragma clang loop unroll(full)
  for (size_t i = 0; i < pixels; i++) store(b, p + i, sums[i], apart);
}

// Pixels one by one, whatever they share.
TK_TARGET_AVX512 static void sweep_any(const block *b, size_t p0, size_t p1) {
  const size_t height = b->d->height, width = b->d->width;
  for (size_t p = p0; p < p1; p++) {
    const uint8_t *const *rows = b->d->rows + p * height * width;
    const int8_t *w = b->weights;
    channels64 sums = b->bias;
    for (size_t x = 0; x < width; x++)
      for (size_t y = 0; y < height; y += 4, w += 256)
        add_products(&sums, load_four(b, rows + x, y, height, width, 0), w, false);
    store(b, p, sums, 0);
  }
}

// The block with what belongs to the twins' channels.
TK_INLINE_AVX512 block twins_of(const block *b) {
  block twins = *b;
  twins.bias = doubled(b->bias);
  twins.multiplier = doubled(b->multiplier);
  return twins;
}

// Four by four; the last four may begin among those before, whose results come out once more.
#define SWEEP(height, width, step)                                                          \
  TK_TARGET_AVX512 static void sweep_##height##x##width##_##step(const block *b, size_t p0, \
                                                                 size_t p1) {               \
    size_t p = p0;                                                                          \
    if (b->twin && p1 - p0 >= 2 * PIXELS) {                                                 \
      const block twins = twins_of(b);                                                      \
      for (; p < p1; p += 2 * PIXELS)                                                       \
        convolve(&twins, tk_min(p, p1 - 2 * PIXELS), height, width, step, PIXELS, PIXELS);  \
    } else if (p1 - p0 < PIXELS) {                                                          \
      sweep_any(b, p0, p1);                                                                 \
      return;                                                                               \
    }                                                                                       \
    for (; p < p1; p += PIXELS)                                                             \
      convolve(b, tk_min(p, p1 - PIXELS), height, width, step, PIXELS, 0);                  \
  }
SWEEP(1, 1, 1) SWEEP(3, 3, 1) SWEEP(3, 3, 2) SWEEP(5, 5, 1) SWEEP(5, 5, 2)

typedef void (*sweeper)(const block *, size_t, size_t);

static sweeper sweeper_for(const tk_u8s8_depthwise *d) {
  if (d->height == 1 && d->width == 1) return sweep_1x1_1;
  if (d->height == 3 && d->width == 3 && d->step == 1) return sweep_3x3_1;
  if (d->height == 3 && d->width == 3 && d->step == 2) return sweep_3x3_2;
  if (d->height == 5 && d->width == 5 && d->step == 1) return sweep_5x5_1;
  if (d->height == 5 && d->width == 5 && d->step == 2) return sweep_5x5_2;
  return sweep_any;
}

TK_TARGET_AVX512 static void u8s8_depthwise(const tk_u8s8_depthwise *d, size_t p0, size_t p1) {
  if (d->out.weight_zero) {
    tk_table_for(TK_SCALAR)->u8s8_depthwise(d, p0, p1);
    return;
  }
  enum { STRIP = 32 };  // pixels that need not share anything go through all channels together
  const sweeper sweep = sweeper_for(d);
  const size_t run = sweep == sweep_any || sweep == sweep_1x1_1 ? STRIP : d->run;
  for (size_t p = p0, end; p < p1; p = end) {
    end = tk_min(p1, p - p % run + run);
    for (size_t c = 0; c < d->channels; c += 64) {
      const block b = block_of(d, c);
      sweep(&b, p, end);
    }
  }
}

void tk_install_avx512_u8s8_depthwise(tk_kernels *k) { k->u8s8_depthwise = u8s8_depthwise; }
#endif
