// Small floats, quantize and dequantize, element-wise work on codes.
#if defined(__x86_64__)
#include "avx512.h"

TK_TARGET_AVX512 static void f16_to_f32(const uint16_t *x, float *y, size_t n) {
  for (size_t i = 0; i < n; i += 16) {
    const __mmask16 mask = tk_mask16(n - i);
    _mm512_mask_storeu_ps(y + i, mask, _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, x + i)));
  }
}

TK_TARGET_AVX512 static void f32_to_f16(const float *x, uint16_t *y, size_t n) {
  for (size_t i = 0; i < n; i += 16) {
    const __mmask16 mask = tk_mask16(n - i);
    const __m512 v = _mm512_maskz_loadu_ps(mask, x + i);
    _mm256_mask_storeu_epi16(y + i, mask, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
  }
}

TK_TARGET_AVX512 static void bf16_to_f32(const uint16_t *x, float *y, size_t n) {
  const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF), inf = _mm512_set1_epi32(0x7F800000);
  for (size_t i = 0; i < n; i += 16) {
    const __mmask16 mask = tk_mask16(n - i);
    const __m512i words = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, x + i));
    const __m512i bits = _mm512_slli_epi32(words, 16);
    const __mmask16 nan = _mm512_cmpgt_epi32_mask(_mm512_and_si512(bits, magnitude), inf);
    _mm512_mask_storeu_epi32(
        y + i, mask, _mm512_mask_or_epi32(bits, nan, bits, _mm512_set1_epi32(0x400000)));
  }
}

// Integer arithmetic: the bfloat16 instructions flush denormals.
TK_TARGET_AVX512 static void f32_to_bf16(const float *x, uint16_t *y, size_t n) {
  const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF), inf = _mm512_set1_epi32(0x7F800000);
  const __m512i one = _mm512_set1_epi32(1), half = _mm512_set1_epi32(0x7FFF);
  for (size_t i = 0; i < n; i += 16) {
    const __mmask16 mask = tk_mask16(n - i);
    const __m512i bits = _mm512_maskz_loadu_epi32(mask, x + i);
    const __mmask16 nan = _mm512_cmpgt_epi32_mask(_mm512_and_si512(bits, magnitude), inf);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), one);
    __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, half), odd);
    rounded = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x400000));
    _mm256_mask_storeu_epi16(y + i, mask, _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
  }
}

// Int32 codes of 16 floats.
typedef struct {
  __m512 scale, low, high;
  __m512i zero;
} quantizer;

TK_INLINE_AVX512 quantizer make_quantizer(float scale, int32_t zero, int32_t lo, int32_t hi) {
  return (quantizer){_mm512_set1_ps(scale), _mm512_set1_ps((float)(lo - zero)),
                     _mm512_set1_ps((float)(hi - zero)), _mm512_set1_epi32(zero)};
}

TK_INLINE_AVX512 __m512i codes_of(const quantizer *q, __m512 x) {
  return tk_round_clamped_avx512(_mm512_div_ps(x, q->scale), q->low, q->high, q->zero);
}

#define QUANTIZE_8(suffix, type)                                                                \
  TK_TARGET_AVX512 static void quantize_##suffix(const float *x, type *y, size_t n, float scale, \
                                                 int32_t zero, int32_t lo, int32_t hi) {        \
    const quantizer q = make_quantizer(scale, zero, lo, hi);                                    \
    for (size_t i = 0; i < n; i += 16) {                                                        \
      const __mmask16 mask = tk_mask16(n - i);                                                  \
      const __m512i code = codes_of(&q, _mm512_maskz_loadu_ps(mask, x + i));                    \
      _mm_mask_storeu_epi8(y + i, mask, _mm512_cvtepi32_epi8(code));                            \
    }                                                                                           \
  }

#define QUANTIZE_16(suffix, type)                                                               \
  TK_TARGET_AVX512 static void quantize_##suffix(const float *x, type *y, size_t n, float scale, \
                                                 int32_t zero, int32_t lo, int32_t hi) {        \
    const quantizer q = make_quantizer(scale, zero, lo, hi);                                    \
    for (size_t i = 0; i < n; i += 16) {                                                        \
      const __mmask16 mask = tk_mask16(n - i);                                                  \
      const __m512i code = codes_of(&q, _mm512_maskz_loadu_ps(mask, x + i));                    \
      _mm256_mask_storeu_epi16(y + i, mask, _mm512_cvtepi32_epi16(code));                       \
    }                                                                                           \
  }

QUANTIZE_8(u8, uint8_t)
QUANTIZE_8(s8, int8_t)
QUANTIZE_16(u16, uint16_t)
QUANTIZE_16(s16, int16_t)

TK_TARGET_AVX512 static void round_to_codes(const float *x, float *y, size_t n, float scale,
                                            int32_t zero, int32_t lo, int32_t hi) {
  quantizer q = make_quantizer(scale, zero, lo, hi);
  q.zero = _mm512_setzero_si512();
  for (size_t i = 0; i < n; i += 16) {
    const __mmask16 mask = tk_mask16(n - i);
    const __m512i code = codes_of(&q, _mm512_maskz_loadu_ps(mask, x + i));
    _mm512_mask_storeu_ps(y + i, mask, _mm512_mul_ps(_mm512_cvtepi32_ps(code), q.scale));
  }
}

#define DEQUANTIZE(suffix, type, load, widen)                                                \
  TK_TARGET_AVX512 static void dequantize_##suffix(const type *q, float *y, size_t n,        \
                                                   float scale, int32_t zero) {              \
    const __m512 factor = _mm512_set1_ps(scale);                                             \
    const __m512i origin = _mm512_set1_epi32(zero);                                          \
    for (size_t i = 0; i < n; i += 16) {                                                     \
      const __mmask16 mask = tk_mask16(n - i);                                               \
      const __m512i code = _mm512_sub_epi32(widen(load(mask, q + i)), origin);               \
      _mm512_mask_storeu_ps(y + i, mask, _mm512_mul_ps(_mm512_cvtepi32_ps(code), factor));   \
    }                                                                                        \
  }

#define AS_IT_IS(x) (x)
DEQUANTIZE(u8, uint8_t, _mm_maskz_loadu_epi8, _mm512_cvtepu8_epi32)
DEQUANTIZE(s8, int8_t, _mm_maskz_loadu_epi8, _mm512_cvtepi8_epi32)
DEQUANTIZE(u16, uint16_t, _mm256_maskz_loadu_epi16, _mm512_cvtepu16_epi32)
DEQUANTIZE(s16, int16_t, _mm256_maskz_loadu_epi16, _mm512_cvtepi16_epi32)
DEQUANTIZE(s32, int32_t, _mm512_maskz_loadu_epi32, AS_IT_IS)

TK_INLINE_AVX512 __m512 distance(const uint8_t *x, __mmask16 mask, int32_t zero) {
  const __m512i code = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, x));
  return _mm512_cvtepi32_ps(_mm512_sub_epi32(code, _mm512_set1_epi32(zero)));
}

TK_TARGET_AVX512 static void mul_u8(const uint8_t *a, tk_quant qa, const uint8_t *b, tk_quant qb,
                                    uint8_t *y, tk_quant qy, int32_t offset, size_t n) {
  const __m512 ratio = _mm512_set1_ps(qa.scale * qb.scale / qy.scale);
  const __m512 zero = _mm512_set1_ps((float)(qy.zero_point - offset));
  const __m512 low = _mm512_set1_ps((float)-offset), high = _mm512_set1_ps((float)(255 - offset));
  const __m512i back = _mm512_set1_epi32(offset);
  for (size_t i = 0; i < n; i += 16) {
    const __mmask16 mask = tk_mask16(n - i);
    const __m512 product = _mm512_mul_ps(distance(a + i, mask, qa.zero_point),
                                         distance(b + i, mask, qb.zero_point));
    const __m512 code = _mm512_add_ps(_mm512_mul_ps(product, ratio), zero);
    const __m512i whole = tk_round_clamped_avx512(code, low, high, back);
    _mm_mask_storeu_epi8(y + i, mask, _mm512_cvtepi32_epi8(whole));
  }
}

// Codes as numbers; those with 128 added less that.
TK_INLINE_AVX512 __m512 number(const uint8_t *x, const bool is_signed) {
  const __m128i codes = _mm_loadu_si128((const __m128i *)x);
  if (!is_signed) return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(codes));
  const __m128i flipped = _mm_xor_si128(codes, _mm_set1_epi8((char)0x80));
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(flipped));
}

// Codes of 64 sums; packing saturates, the greatest must only not be too great for an integer.
TK_INLINE_AVX512 __m512i add_64(const uint8_t *a, const uint8_t *b, const tk_addition *t,
                                const bool is_signed) {
  const __m512 ra = _mm512_set1_ps(t->a), rb = _mm512_set1_ps(t->b);
  const __m512 constant = _mm512_set1_ps(t->constant), high = _mm512_set1_ps(255);
  __m512i code[4];
#pragma clang loop unroll(full)
  for (int v = 0; v < 4; v++) {
    const __m512 partial = _mm512_fmadd_ps(number(b + v * 16, is_signed), rb, constant);
    const __m512 sum = _mm512_fmadd_ps(number(a + v * 16, is_signed), ra, partial);
    code[v] = _mm512_cvtps_epi32(_mm512_min_ps(high, sum));  // a NaN becomes the least integer
  }
  const __m512i left = _mm512_packs_epi32(code[0], code[1]);
  const __m512i right = _mm512_packs_epi32(code[2], code[3]);
  const __m512i bytes = is_signed ? _mm512_xor_si512(_mm512_packs_epi16(left, right),
                                                     _mm512_set1_epi8((char)0x80))
                                  : _mm512_packus_epi16(left, right);
  return _mm512_permutexvar_epi32(tk_packed_order_avx512(), bytes);
}

TK_INLINE_AVX512 void add_all(const uint8_t *a, const uint8_t *b, uint8_t *y, const tk_addition *t,
                              const bool is_signed, size_t n) {
  size_t i = 0;
  for (; i + 64 <= n; i += 64) _mm512_storeu_si512(y + i, add_64(a + i, b + i, t, is_signed));
  if (i == n) return;
  const __mmask64 mask = tk_mask64(n - i);
  uint8_t last[2][64];
  _mm512_storeu_si512(last[0], _mm512_maskz_loadu_epi8(mask, a + i));
  _mm512_storeu_si512(last[1], _mm512_maskz_loadu_epi8(mask, b + i));
  _mm512_mask_storeu_epi8(y + i, mask, add_64(last[0], last[1], t, is_signed));
}

TK_TARGET_AVX512 static void add_u8(const uint8_t *a, tk_quant qa, const uint8_t *b, tk_quant qb,
                                    uint8_t *y, tk_quant qy, int32_t offset, size_t n) {
  const tk_addition t = tk_addition_of(qa, qb, qy, offset);
  if (offset)
    add_all(a, b, y, &t, true, n);
  else
    add_all(a, b, y, &t, false, n);
}

TK_TARGET_AVX512 static void clamp_u8(const uint8_t *x, uint8_t *y, size_t n, uint8_t lo,
                                      uint8_t hi) {
  const __m512i low = _mm512_set1_epi8((char)lo), high = _mm512_set1_epi8((char)hi);
  for (size_t i = 0; i < n; i += 64) {
    const __mmask64 mask = tk_mask64(n - i);
    const __m512i v = _mm512_max_epu8(_mm512_maskz_loadu_epi8(mask, x + i), low);
    _mm512_mask_storeu_epi8(y + i, mask, _mm512_min_epu8(v, high));
  }
}

TK_TARGET_AVX512 static void flip_sign(const uint8_t *x, uint8_t *y, size_t n) {
  const __m512i sign = _mm512_set1_epi8((char)0x80);
  for (size_t i = 0; i < n; i += 64) {
    const __mmask64 mask = tk_mask64(n - i);
    const __m512i v = _mm512_maskz_loadu_epi8(mask, x + i);
    _mm512_mask_storeu_epi8(y + i, mask, _mm512_xor_si512(v, sign));
  }
}

TK_TARGET_AVX512 static void sum_pixels_u8(const uint8_t *x, size_t pixels, size_t channels,
                                           size_t ld, int32_t *sums) {
  for (size_t c = 0; c < channels; c += 16) {
    const __mmask16 mask = tk_mask16(channels - c);
    __m512i sum = _mm512_setzero_si512();
    for (size_t p = 0; p < pixels; p++) {
      const __m128i codes = _mm_maskz_loadu_epi8(mask, x + p * ld + c);
      sum = _mm512_add_epi32(sum, _mm512_cvtepu8_epi32(codes));
    }
    _mm512_mask_storeu_epi32(sums + c, mask, sum);
  }
}

TK_TARGET_AVX512 static void sum_rows_u8(const uint8_t *x, size_t rows, size_t n, size_t ld,
                                         int32_t *sums) {
  for (size_t r = 0; r < rows; r++) {
    __m512i sum = _mm512_setzero_si512();
    for (size_t i = 0; i < n; i += 64) {
      const __m512i codes = _mm512_maskz_loadu_epi8(tk_mask64(n - i), x + r * ld + i);
      sum = _mm512_add_epi64(sum, _mm512_sad_epu8(codes, _mm512_setzero_si512()));
    }
    sums[r] = (int32_t)_mm512_reduce_add_epi64(sum);
  }
}

void tk_install_avx512_convert(tk_kernels *k) {
  k->f16_to_f32 = f16_to_f32;
  k->f32_to_f16 = f32_to_f16;
  k->bf16_to_f32 = bf16_to_f32;
  k->f32_to_bf16 = f32_to_bf16;
  k->quantize_u8 = quantize_u8;
  k->quantize_s8 = quantize_s8;
  k->quantize_u16 = quantize_u16;
  k->quantize_s16 = quantize_s16;
  k->round_to_codes = round_to_codes;
  k->dequantize_u8 = dequantize_u8;
  k->dequantize_s8 = dequantize_s8;
  k->dequantize_u16 = dequantize_u16;
  k->dequantize_s16 = dequantize_s16;
  k->dequantize_s32 = dequantize_s32;
  k->add_u8 = add_u8;
  k->mul_u8 = mul_u8;
  k->clamp_u8 = clamp_u8;
  k->flip_sign = flip_sign;
  k->sum_pixels_u8 = sum_pixels_u8;
  k->sum_rows_u8 = sum_rows_u8;
}
#endif
