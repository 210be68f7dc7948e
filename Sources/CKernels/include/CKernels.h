// The kernels of Tessera: one table of functions per instruction set, and the thread pool.
//
// Rules that hold for every entry of the table
// - Counts are elements, not bytes; a count of zero is allowed and touches nothing.
// - Arrays need the alignment of their elements only, except packed weights: 64 bytes.
// - Output may be the very same array as an input of equal element size (in place), but for products,
//   convolutions, pools and what says so; any other overlap is the caller's mistake.
// - A kernel never allocates in the steady state, never locks, and reads nothing past what is said
//   here. Where a kernel may read past the end of a row this is called a margin.
// - Integer results are bit-equal across tables. A float sum of n terms stays within
//   n * epsilon * sum |term| of the exact one; the order of addition of one output element depends
//   neither on the thread count nor on the number of rows worked on at once.
// - The rounding mode must be to nearest even, denormals must not be flushed (both the default).
#ifndef TESSERA_CKERNELS_H
#define TESSERA_CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__clang__)
#pragma clang assume_nonnull begin
#else
#define _Nullable
#define _Nonnull
#endif

typedef enum {
  TK_SCALAR = 0,
  TK_AVX2 = 1,     // AVX2, FMA, F16C
  TK_AVXVNNI = 2,  // AVX2 and AVX-VNNI: for integer products only
  TK_AVX512 = 3,   // AVX-512 F, BW, VL, DQ, VNNI; tables of 256 bytes also with VBMI
  TK_NEON = 4,     // NEON; integers also with the dot product, or i8mm, where there is one
} tk_isa;

// ---------------------------------------------------------------------------------------------
// Packed weights
// ---------------------------------------------------------------------------------------------

// Columns of one panel of packed weights, the same for every instruction set:
//   float  [ceil(n / 32)][k][32]
//   int8   [ceil(n / 32)][taps][ceil(cin / 4)][32][4]      (four consecutive k side by side)
// Columns past n and rows past cin are zero. The memory must be 64-byte aligned.
#define TK_PANEL 32

// Channels of one block of packed depthwise weights:
//   [ceil(c / 64)][width][ceil(height / 4)][4][16][4]
// A column of taps at a time, four of them side by side. Position (q, l) of a block holds channel
// 16 * (l / 4) + 4 * q + l % 4, the order that byte interleaving of four rows produces. Channels and
// taps past the end are zero.
#define TK_DEPTHWISE_BLOCK 64

// Readable bytes that must follow the end of each row of unsigned 8-bit activations (dense rows as
// well as what row pointers point at). Their values do not matter. In practice: allocate
// activations with 63 bytes to spare at the end of the arena.
#define TK_ROW_MARGIN 63

// Weights of 4 bits, two to a byte, with a scale (and a zero point) for each `group` of k and column:
//   [ceil(n / 32)][ceil(k / group)]: 32 scales, 32 zero points if there are any, and
//   [ceil(group / 8)][32][4] bytes, of which the low halves hold four consecutive k, the high ones the
//   next four
// The group is a multiple of 8, or at least k: the last one may be shorter. Codes past the end are zero.

// Elements (floats or bytes) of packed weights; a pure function of the shape.
size_t tk_f32_packed_count(size_t k, size_t n);
size_t tk_u8s8_packed_count(size_t taps, size_t cin, size_t n);
size_t tk_depthwise_packed_count(size_t height, size_t width, size_t channels);
size_t tk_q4_packed_count(size_t k, size_t n, size_t group, bool has_zeros);

// Bytes from row to row of activations that tk_run_q4_gemm rounds to bytes.
size_t tk_q4_code_stride(size_t k);

// ---------------------------------------------------------------------------------------------
// Arguments and results
// ---------------------------------------------------------------------------------------------

// min and max of the finite values (+inf and -inf where there is none), how many are not finite,
// and the index of the first such (n where there is none).
typedef struct {
  float min, max;
  size_t non_finite, first_non_finite;
} tk_range;

typedef struct {
  double sum, sum_of_squares;
} tk_sums;

// Sums over pairs (x, y) that are both finite, and over the others how many are unlike: an infinity
// equals itself, NaN equals NaN.
typedef struct {
  double signal, energy, product;  // y^2, x^2, x y
  double noise, distance;          // (x - y)^2, |x - y|
  double greatest;                 // the greatest |x - y|
  size_t non_finite;               // the unlike
} tk_errors;

typedef struct {
  double sum;
  size_t inside;
} tk_clamped_sum;

// C[m, n] = clamp(A[m, k] . B[k, n] + bias[n] + residual[m, n], lo, hi), k = taps * cin.
// The sum of a row and column runs over k in ascending order, then bias, then residual.
// A NaN stays a NaN through the clamp.
typedef struct {
  size_t m, n, taps, cin;              // dense: taps = 1
  const float *_Nullable a;            // dense A, row stride lda
  size_t lda;
  // Indirect A where not NULL: row r, tap t are the cin floats at rows[r * taps + t] + row_offset,
  // except that the pointer pad_row is taken as it is. One list of pointers so serves every
  // image of a batch and every group.
  const float *_Nonnull const *_Nullable rows;
  ptrdiff_t row_offset;
  const float *_Nullable pad_row;
  // Indirect rows come in runs of `run` from row 0 on, within which the pointers of each row are
  // those of the row before plus lda, and none is pad_row. 0 says nothing. Saves copies.
  size_t run;
  const float *b;                      // from f32_pack
  const float *_Nullable bias;         // [n]
  const float *_Nullable residual;     // [m, n], row stride ldr; may be c itself
  size_t ldr;
  float lo, hi;                        // -INFINITY and INFINITY: no clamp
  float *c;                            // row stride ldc
  size_t ldc;
} tk_f32_gemm;

typedef enum { TK_OUT_S32 = 0, TK_OUT_U8 = 1, TK_OUT_F32 = 2 } tk_output;

// What becomes of an int32 sum in column (or channel) j of row i:
//   v = acc + bias[j] - weight_zero[j] * rowsum_i      (int32, wraps)
//   S32:  v
//   U8:   clamp(roundHalfEven(float(v) * multiplier[j]) + zero_point, lo, hi), a NaN gives lo
//   F32:  clamp(float(v) * multiplier[j] + float_bias[j], float_lo, float_hi), two roundings
// which is what ONNX Runtime computes, bit for bit, where the caller folded the activation's zero
// point: bias' = bias - za * column_sum [+ k * za * weight_zero]. rowsum_i is the sum of the bytes
// of row i (all taps). 0 <= lo <= hi <= 255.
typedef struct {
  tk_output kind;
  void *c;                                // int32, uint8 or float; row stride ldc
  size_t ldc;
  const int32_t *_Nullable bias;          // [n]
  const int32_t *_Nullable weight_zero;   // [n]; a slower path
  const float *_Nullable multiplier;      // [n]; not for S32
  const float *_Nullable float_bias;      // [n]; for F32 only
  int32_t zero_point, lo, hi;
  float float_lo, float_hi;
} tk_epilogue;

// Unsigned bytes times signed bytes. Signed activations are given as byte + 128 (xor 0x80) with
// the zero point raised by 128; unsigned weights as byte - 128 likewise.
// Sums are exact for k <= 65793 (2^31 / (255 * 128)) and wrap beyond.
typedef struct {
  size_t m, n, taps, cin;
  const uint8_t *_Nullable a;             // dense, row stride lda, TK_ROW_MARGIN behind each row
  size_t lda;
  const uint8_t *_Nonnull const *_Nullable rows;   // indirect, as in tk_f32_gemm
  ptrdiff_t row_offset;
  const uint8_t *_Nullable pad_row;       // cin bytes of the activation's zero point + margin
  size_t run;
  const int8_t *b;                        // from u8s8_pack
  tk_epilogue out;
} tk_u8s8_gemm;

// C[m, n] = clamp(A[m, k] . W[k, n] + bias[n], lo, hi), W = scale * (code - zero), codes 0...15, a
// scale and a zero point for each group of k and column; without zero points they are 8.
//
// Float activations (block = 0): the sum over a group of a * (code - zero), times the scale, for one
// group after the other.
//
// Activations of 8 bits (block > 0): each row is cut into blocks, of which q8_quantize makes signed
// bytes and a scale. With the exact integers sum = sum of byte * code and total = sum of bytes:
//   C = fma(byte scale * scale, fma(-zero, float(total), float(sum)), C)
// for one block after the other, from 0 on, which every table computes bit for bit. Blocks are a
// multiple of 8 and at most 8192 long; a group is a multiple of them, or at least k.
typedef struct {
  size_t m, n, k, group;
  bool has_zeros;
  const float *_Nullable a;               // row stride lda; NULL where the codes are made already
  size_t lda;
  const uint8_t *b;                       // from q4_pack
  size_t block;
  int8_t *_Nullable codes;                // [m][tk_q4_code_stride(k)]: memory for the bytes, and
  float *_Nullable code_scales;           // [m][ceil(k / block)]
  int32_t *_Nullable code_starts;         // [m][ceil(k / block)]
  const float *_Nullable bias;            // [n]
  float lo, hi;
  float *c;                               // row stride ldc
  size_t ldc;
} tk_q4_gemm;

// Depthwise convolution over pixels given by row pointers [pixels][height * width], each to
// `channels` contiguous values (NHWC); any kernel, stride and dilation. Out: [pixels, channels].
// A kernel of one row is faster as one of one column.
//
// Neighbouring pixels often read the same columns: from pixel 0 on, the pixels come in runs of `run`,
// and within one, tap (y, x + step) of a pixel points where tap (y, x) of the next does, 1 <= step.
// run = 1 says nothing; 0 is not allowed.
typedef struct {
  size_t pixels, height, width, channels;
  size_t run, step;
  const uint8_t *_Nonnull const *_Nonnull rows;
  ptrdiff_t row_offset;
  const uint8_t *_Nullable pad_row;
  const int8_t *weights;                  // from u8s8_depthwise_pack
  tk_epilogue out;                        // weight_zero: the sum is over the channel's taps
} tk_u8s8_depthwise;

typedef struct {
  size_t pixels, taps, channels;
  const float *_Nonnull const *_Nonnull rows;
  ptrdiff_t row_offset;
  const float *_Nullable pad_row;
  const float *weights;                   // [taps][channels]
  const float *_Nullable bias;            // [channels]
  float lo, hi;
  float *c;                               // row stride ldc
  size_t ldc;
} tk_f32_depthwise;

// Largest value over the taps of each pixel. Padding: point at a row of 0 (uint8) or -inf (float),
// or at another tap of the same window. taps >= 1. A NaN wins.
typedef struct {
  size_t pixels, taps, channels;
  const void *_Nonnull const *_Nonnull rows;
  ptrdiff_t row_offset;                   // in elements
  const void *_Nullable pad_row;
  void *c;                                // row stride ldc
  size_t ldc;
} tk_max_pool;

// The mean over the taps of each pixel, summed in their order: numbers, or codes
//   clamp(roundHalfEven(mean / scale + zero), lo, hi) ^ flip
// as ONNX Runtime's QLinearAveragePool, which adds the zero point before it rounds. Signed codes are
// computed with their own zero point and bounds; flip = 0x80 then gives unsigned ones.
typedef struct {
  size_t pixels, taps, channels;
  const float *_Nonnull const *_Nonnull rows;
  ptrdiff_t row_offset;
  const float *_Nullable pad_row;         // zeros
  const float *divisors;                  // [pixels]
  float *_Nullable means;                 // [pixels, channels]; or
  uint8_t *_Nullable codes;               // [pixels, channels]
  float scale, zero, lo, hi;
  uint8_t flip;
} tk_average_pool;

// x / (bias + factor * sum of the squares of `size` neighbouring channels)^beta, the channel itself
// in the middle (of an even number: before the middle), size <= 2^16. Rows of [rows, channels], dense;
// not in place. Within 8 ulp.
typedef struct {
  size_t rows, channels, size;
  float factor, beta, bias;
  const float *x;
  float *y;
} tk_response_norm;

// One quantized operand or result of an element-wise operation: real = scale * (code - zero).
typedef struct {
  float scale;
  int32_t zero_point;
} tk_quant;

typedef enum {
  TK_ADD = 0, TK_SUB, TK_MUL, TK_DIV,
  TK_MAX, TK_MIN,   // a NaN on either side gives NaN
} tk_binary;

// Computed in double and rounded once: at most 0.51 ulp from the exact value, TK_GELU 0.53, denormal
// results included (measured over floats of all exponents); the same bits in every table. NaN gives NaN.
typedef enum {
  TK_RELU = 0,
  TK_SIGMOID, TK_TANH, TK_EXP, TK_ERF,
  TK_GELU,        // x / 2 * (1 + erf(x / sqrt 2))
  TK_GELU_TANH,   // x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
  TK_SILU,        // x * sigmoid(x)
} tk_unary;

// ---------------------------------------------------------------------------------------------
// The table
// ---------------------------------------------------------------------------------------------

typedef struct tk_kernels {
  tk_isa isa;
  const char *name;

  // Small floats. To nearest even; overflow gives infinity, denormals are kept, NaN gives a quiet
  // NaN of the same sign.
  void (*_Nonnull f16_to_f32)(const uint16_t *x, float *y, size_t n);
  void (*_Nonnull f32_to_f16)(const float *x, uint16_t *y, size_t n);
  void (*_Nonnull bf16_to_f32)(const uint16_t *x, float *y, size_t n);
  void (*_Nonnull f32_to_bf16)(const float *x, uint16_t *y, size_t n);

  // clamp(roundHalfEven(x / scale) + zero_point, q_min, q_max) with a true float32 division, as
  // ONNX Runtime. NaN gives q_min, infinities saturate. q_min <= q_max within the element's range,
  // zero_point within [q_min, q_max].
  void (*_Nonnull quantize_u8)(const float *x, uint8_t *y, size_t n, float scale,
                               int32_t zero_point, int32_t q_min, int32_t q_max);
  void (*_Nonnull quantize_s8)(const float *x, int8_t *y, size_t n, float scale,
                               int32_t zero_point, int32_t q_min, int32_t q_max);
  void (*_Nonnull quantize_u16)(const float *x, uint16_t *y, size_t n, float scale,
                                int32_t zero_point, int32_t q_min, int32_t q_max);
  void (*_Nonnull quantize_s16)(const float *x, int16_t *y, size_t n, float scale,
                                int32_t zero_point, int32_t q_min, int32_t q_max);
  void (*_Nonnull quantize_s32)(const float *x, int32_t *y, size_t n, float scale,
                                int32_t zero_point, int32_t q_min, int32_t q_max);
  // What quantizing and dequantizing leaves of floats, bit by bit, without the codes between. In place is
  // allowed. Bounds of at most 16 bits.
  void (*_Nonnull round_to_codes)(const float *x, float *y, size_t n, float scale,
                                  int32_t zero_point, int32_t q_min, int32_t q_max);

  // float(q - zero_point) * scale; the difference is an int32 (wraps), one rounding each for the
  // conversion and the product.
  void (*_Nonnull dequantize_u8)(const uint8_t *q, float *y, size_t n, float scale, int32_t zero);
  void (*_Nonnull dequantize_s8)(const int8_t *q, float *y, size_t n, float scale, int32_t zero);
  void (*_Nonnull dequantize_u16)(const uint16_t *q, float *y, size_t n, float scale,
                                  int32_t zero);
  void (*_Nonnull dequantize_s16)(const int16_t *q, float *y, size_t n, float scale, int32_t zero);
  void (*_Nonnull dequantize_s32)(const int32_t *q, float *y, size_t n, float scale, int32_t zero);

  // Statistics, accumulated in double.
  tk_range (*_Nonnull min_max)(const float *x, size_t n);
  tk_sums (*_Nonnull sums)(const float *x, size_t n);
  double (*_Nonnull squared_error)(const float *a, const float *b, size_t n);  // sum (a - b)^2
  double (*_Nonnull dot)(const float *a, const float *b, size_t n);
  // How far x is from y, pair by pair.
  tk_errors (*_Nonnull errors)(const float *x, const float *y, size_t n);
  // The sum of clamp(x + shift, lo, hi), lo < hi, and how many are between the bounds; the sum in float.
  tk_clamped_sum (*_Nonnull clamped_sum)(const float *x, size_t n, float shift, float lo, float hi);
  // The same added to sums[channels], for each channel of [pixels, channels]; no shift where NULL.
  void (*_Nonnull clamped_channel_sums)(const float *x, size_t pixels, size_t channels,
                                        const float *_Nullable shift, float lo, float hi,
                                        tk_clamped_sum *sums);
  // Adds to counts[2 * bins]: x > 0 at bins + int(x * scale), x < 0 at bins - 1 - int(-x * scale).
  // Returns how many are 0. |x| * scale < bins for all x, bins <= 2^24.
  size_t (*_Nonnull count_magnitudes)(const float *x, size_t n, float scale, uint64_t *counts,
                                      size_t bins);

  // B[k, n] (row stride ld), or its transpose [n, k] where `transposed`, into panels.
  void (*_Nonnull f32_pack)(const float *b, size_t k, size_t n, size_t ld, bool transposed,
                            float *packed);
  // The same for B[taps * cin, n]; column_sums[n] = sum of each column, where not NULL.
  void (*_Nonnull u8s8_pack)(const int8_t *b, size_t taps, size_t cin, size_t n, size_t ld,
                             bool transposed, int8_t *packed, int32_t *_Nullable column_sums);
  // Weights [height * width][channels] into blocks; sums[channels] = sum over taps, where not NULL.
  void (*_Nonnull u8s8_depthwise_pack)(const int8_t *weights, size_t height, size_t width,
                                       size_t channels, int8_t *packed, int32_t *_Nullable sums);

  // Codes [k, n] (one a byte, row stride ld), or their transpose [n, k] where `transposed`, with scales
  // and zero points [n][ceil(k / group)], into panels. A group of one value v is the scale v, the code
  // 0 and the zero point -1.
  void (*_Nonnull q4_pack)(const uint8_t *codes, const float *scales, const float *_Nullable zeros,
                           size_t k, size_t n, size_t ld, size_t group, bool transposed,
                           uint8_t *packed);
  // A row of k floats in blocks: scale = greatest magnitude / 127, code = roundHalfEven(x / scale)
  // within -127...127, all zero where the scale is zero or not finite; a NaN makes the scale NaN.
  // starts = -8 * the sum of the codes. Codes up to the next multiple of 8 are zero.
  void (*_Nonnull q8_quantize)(const float *x, size_t k, size_t block, int8_t *codes, float *scales,
                               int32_t *starts);

  // The part [m0, m1) x [n0, n1) of the product (n0 a multiple of TK_PANEL; n1 too or n), serial.
  void (*_Nonnull f32_gemm)(const tk_f32_gemm *args, size_t m0, size_t m1, size_t n0, size_t n1);
  void (*_Nonnull u8s8_gemm)(const tk_u8s8_gemm *args, size_t m0, size_t m1, size_t n0, size_t n1);
  // The codes must be made already where there is a block.
  void (*_Nonnull q4_gemm)(const tk_q4_gemm *args, size_t m0, size_t m1, size_t n0, size_t n1);
  // The pixels [p0, p1), serial.
  void (*_Nonnull u8s8_depthwise)(const tk_u8s8_depthwise *args, size_t p0, size_t p1);
  void (*_Nonnull f32_depthwise)(const tk_f32_depthwise *args, size_t p0, size_t p1);
  void (*_Nonnull max_pool_u8)(const tk_max_pool *args, size_t p0, size_t p1);
  void (*_Nonnull max_pool_f32)(const tk_max_pool *args, size_t p0, size_t p1);

  void (*_Nonnull average_pool)(const tk_average_pool *args, size_t p0, size_t p1);
  // The rows [r0, r1), serial.
  void (*_Nonnull response_norm)(const tk_response_norm *args, size_t r0, size_t r1);

  // Sum over pixels of each channel of [pixels, channels] with row stride ld. The int32 sum is
  // exact for pixels < 2^23; the float sum runs over pixels in ascending order.
  void (*_Nonnull sum_pixels_u8)(const uint8_t *x, size_t pixels, size_t channels, size_t ld,
                                 int32_t *sums);
  void (*_Nonnull sum_pixels_f32)(const float *x, size_t pixels, size_t channels, size_t ld,
                                  float *sums);
  // Sum of each row of [rows, n] with row stride ld.
  void (*_Nonnull sum_rows_u8)(const uint8_t *x, size_t rows, size_t n, size_t ld, int32_t *sums);

  // 8-bit sums and products, bit-equal to ONNX Runtime's QLinearAdd (on processors with FMA) and
  // QLinearMul; a NaN gives the least code. Where signed codes are held with 128 added, that is the
  // offset, else 0: codes and zero points are computed with less the offset, which decides where ties
  // go.
  // add: clamp(roundHalfEven(fma(a, ra, fma(b, rb, c)))) with ra = a.scale / y.scale, rb likewise and
  //      c = y.zero_point - fma(ra, a.zero_point, rb * b.zero_point).
  // mul: clamp(roundHalfEven((a - za) * (b - zb) * r + y.zero_point)), r = a.scale * b.scale / y.scale.
  // Each step is rounded to float32.
  void (*_Nonnull add_u8)(const uint8_t *a, tk_quant qa, const uint8_t *b, tk_quant qb, uint8_t *y,
                          tk_quant qy, int32_t offset, size_t n);
  void (*_Nonnull mul_u8)(const uint8_t *a, tk_quant qa, const uint8_t *b, tk_quant qb, uint8_t *y,
                          tk_quant qy, int32_t offset, size_t n);
  void (*_Nonnull lookup_u8)(const uint8_t *x, const uint8_t *table, uint8_t *y, size_t n);
  void (*_Nonnull clamp_u8)(const uint8_t *x, uint8_t *y, size_t n, uint8_t lo, uint8_t hi);
  // x ^ 0x80: signed to unsigned bytes and back.
  void (*_Nonnull flip_sign)(const uint8_t *x, uint8_t *y, size_t n);

  // y[c, r] = x[r, c] for elements of 1, 2, 4 and 8 bytes, strides in elements. NCHW to NHWC is
  // [channels, pixels] to [pixels, channels] of each image. Not in place.
  void (*_Nonnull transpose_8)(const void *x, size_t rows, size_t cols, size_t ldx, void *y,
                               size_t ldy);
  void (*_Nonnull transpose_16)(const void *x, size_t rows, size_t cols, size_t ldx, void *y,
                                size_t ldy);
  void (*_Nonnull transpose_32)(const void *x, size_t rows, size_t cols, size_t ldx, void *y,
                                size_t ldy);
  void (*_Nonnull transpose_64)(const void *x, size_t rows, size_t cols, size_t ldx, void *y,
                                size_t ldy);

  // y[p, c, r] = x[p, r, c]: the channels of pixels, in `rows` groups of `cols`, are dealt out like
  // cards (the shuffle of grouped convolutions). Dense, not in place.
  void (*_Nonnull shuffle_8)(const uint8_t *x, size_t pixels, size_t rows, size_t cols, uint8_t *y);
  void (*_Nonnull shuffle_32)(const uint32_t *x, size_t pixels, size_t rows, size_t cols,
                              uint32_t *y);

  // y[i] = a[i * a_step] op b[i * b_step], steps 0 (a scalar) or 1.
  void (*_Nonnull binary)(tk_binary op, const float *a, size_t a_step, const float *b,
                          size_t b_step, float *y, size_t n);
  void (*_Nonnull unary)(tk_unary op, const float *x, float *y, size_t n);
  void (*_Nonnull clamp)(const float *x, float *y, size_t n, float lo, float hi);

  // Rows of [rows, n], dense. In place is allowed.
  // exp(x - max) / sum, within 1.5 ulp; a row of all -inf, or with a NaN or +inf, gives NaN.
  void (*_Nonnull softmax)(const float *x, float *y, size_t rows, size_t n);
  // (x - mean) / sqrt(variance + epsilon) * gamma + beta, in double and rounded once: 0.501 ulp, and
  // what cancels in x - mean, up to n * 2^-51 * max |x| times the factor of that x.
  void (*_Nonnull layer_norm)(const float *x, const float *_Nullable gamma,
                              const float *_Nullable beta, float epsilon, float *y, size_t rows,
                              size_t n);
  // x / sqrt(mean(x^2) + epsilon) * gamma, likewise.
  void (*_Nonnull rms_norm)(const float *x, const float *_Nullable gamma, float epsilon, float *y,
                            size_t rows, size_t n);
} tk_kernels;

// The best table of this machine, capped by the environment variable TESSERA_ISA (scalar, avx2,
// avxvnni, avx512, neon); decided once.
const tk_kernels *tk_current(void);

// The table of one instruction set, or NULL where this machine lacks it (TESSERA_ISA is ignored).
const tk_kernels *_Nullable tk_table_for(tk_isa isa);

// ---------------------------------------------------------------------------------------------
// Threads
// ---------------------------------------------------------------------------------------------

// Calls body(context, i) for every i in 0..<n, on the caller and the workers of one pool, in any
// order; returns when all are done. Inside such a body, or while another thread runs a region, it
// runs serially on the caller.
void tk_parallel_for(size_t n, void (*_Nonnull body)(void *_Nullable context, size_t i),
                     void *_Nullable context);

// How many threads a region uses, the caller included. Starts as TESSERA_THREADS or the number of
// processors this process may use. Setting (1...256, else clamped) waits for a running region and
// does nothing inside of one. A child process that is forked outside of a region starts its own.
size_t tk_threads(void);
void tk_set_threads(size_t n);

// Whole operations, shared out over the threads; the results do not depend on their number.
void tk_run_f32_gemm(const tk_kernels *k, const tk_f32_gemm *args);
void tk_run_u8s8_gemm(const tk_kernels *k, const tk_u8s8_gemm *args);
void tk_run_q4_gemm(const tk_kernels *k, const tk_q4_gemm *args);  // makes the codes first
void tk_run_u8s8_depthwise(const tk_kernels *k, const tk_u8s8_depthwise *args);
void tk_run_f32_depthwise(const tk_kernels *k, const tk_f32_depthwise *args);
void tk_run_max_pool_u8(const tk_kernels *k, const tk_max_pool *args);
void tk_run_max_pool_f32(const tk_kernels *k, const tk_max_pool *args);
void tk_run_average_pool(const tk_kernels *k, const tk_average_pool *args);
void tk_run_response_norm(const tk_kernels *k, const tk_response_norm *args);

enum { TK_COPY_AXES = 8 };

typedef struct {
  size_t length;
  ptrdiff_t x, y;  // elements from neighbour to neighbour on both sides
} tk_copy_axis;

// y = x, element by element along the same axes, outermost first; the two do not overlap. Steps of y
// are not 0. Runs of neighbours are copied whole, and where neighbours in y are apart in x, blocks are
// transposed.
typedef struct {
  size_t element;  // bytes: 1, 2, 4 or 8
  size_t rank;     // at most TK_COPY_AXES
  tk_copy_axis axes[TK_COPY_AXES];
  const void *_Nullable x;  // not NULL in a call
  void *_Nullable y;
} tk_strided_copy;

void tk_run_copy(const tk_kernels *k, const tk_strided_copy *args);

// u8s8_pack of B less 128, for second operands that are computed anew in every run: unsigned codes
// B[k, n], or their transpose, with row stride ld. Serial.
void tk_u8_pack(const tk_kernels *kernels, const uint8_t *b, size_t k, size_t n, size_t ld,
                bool transposed, int8_t *packed, int32_t *column_sums);

// At least `bytes` of 64-byte aligned memory of the calling thread, valid until a product runs on it,
// or the next call. Grows and stays, so that a steady state allocates nothing.
void *tk_scratch(size_t bytes);

// ---------------------------------------------------------------------------------------------
// What a core can do at most
// ---------------------------------------------------------------------------------------------

// Runs `rounds` rounds of independent multiply-adds, between registers and in the form that the
// table's kernels use, on the calling thread, and returns how many operations (two for each
// multiply-add) that were. Of the scalar table, and of integers on NEON without a dot product: what
// the compiler makes of a loop in C, from the nearest cache. The machine must have the table.
double tk_peak_f32(tk_isa isa, size_t rounds);
double tk_peak_u8s8(tk_isa isa, size_t rounds);

// The sum of n words, modulo 2^64: reads memory as fast as the calling thread can.
uint64_t tk_sum_words(tk_isa isa, const uint64_t *x, size_t n);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#ifdef __cplusplus
}
#endif

#endif
