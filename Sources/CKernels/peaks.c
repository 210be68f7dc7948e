// What one core can do at most, to judge kernels by: multiply-adds between registers, and reading.
#include <string.h>

#include "internal.h"

enum { CHAINS = 12 };  // independent sums: more than latency times throughput

// Makes a value unknown to the compiler, in its register, so that nothing is computed once for all.
#if defined(__x86_64__)
#define KEEP(x) __asm__ volatile("" : "+x"(x))
#define KEEP512(x) __asm__ volatile("" : "+v"(x))
#elif defined(__aarch64__)
#define KEEP(x) __asm__ volatile("" : "+w"(x))
#endif

// What the compiler makes of C for any processor of the architecture, as it does of the scalar table.
typedef float four_floats __attribute__((vector_size(16)));

static double scalar_f32(size_t rounds) {
  four_floats acc[CHAINS] = {0}, x = {1e-3f, 1e-3f, 1e-3f, 1e-3f};
  for (size_t i = 0; i < rounds; i++)
#pragma clang loop unroll(full)
    for (int c = 0; c < CHAINS; c++) {
      KEEP(x);
      acc[c] += x * x;
      KEEP(acc[c]);
    }
  return 2.0 * CHAINS * 4 * (double)rounds;
}

static double scalar_u8s8(size_t rounds) {
  enum { TERMS = 16, COLUMNS = 32 };
  uint8_t a[TERMS];
  int8_t b[TERMS * COLUMNS];
  uint32_t acc[COLUMNS] = {0};
  memset(a, 3, sizeof a);
  memset(b, 3, sizeof b);
  for (size_t i = 0; i < rounds; i++) {
    __asm__ volatile("" : : "r"(a), "r"(b), "r"(acc) : "memory");
    for (int k = 0; k < TERMS; k++)
      for (int j = 0; j < COLUMNS; j++)
        acc[j] += (uint32_t)((int32_t)a[k] * b[k * COLUMNS + j]);
  }
  __asm__ volatile("" : : "r"(acc) : "memory");
  return 2.0 * TERMS * COLUMNS * (double)rounds;
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2,fma"))) static double avx2_f32(size_t rounds) {
  __m256 acc[CHAINS] = {0}, x = _mm256_set1_ps(1e-3f);
  KEEP(x);
  for (size_t i = 0; i < rounds; i++)
#pragma clang loop unroll(full)
    for (int c = 0; c < CHAINS; c++) {
      acc[c] = _mm256_fmadd_ps(x, x, acc[c]);
      KEEP(acc[c]);
    }
  return 2.0 * CHAINS * 8 * (double)rounds;
}

__attribute__((target("avx2"))) static double avx2_u8s8(size_t rounds) {
  __m256i acc[CHAINS] = {0}, x = _mm256_set1_epi16(3);
  for (size_t i = 0; i < rounds; i++)
#pragma clang loop unroll(full)
    for (int c = 0; c < CHAINS; c++) {
      KEEP(x);
      acc[c] = _mm256_add_epi32(acc[c], _mm256_madd_epi16(x, x));
      KEEP(acc[c]);
    }
  return 2.0 * CHAINS * 16 * (double)rounds;
}

__attribute__((target("avx2,avxvnni"))) static double avxvnni_u8s8(size_t rounds) {
  __m256i acc[CHAINS] = {0}, x = _mm256_set1_epi8(3);
  KEEP(x);
  for (size_t i = 0; i < rounds; i++)
#pragma clang loop unroll(full)
    for (int c = 0; c < CHAINS; c++) {
      acc[c] = _mm256_dpbusd_avx_epi32(acc[c], x, x);
      KEEP(acc[c]);
    }
  return 2.0 * CHAINS * 32 * (double)rounds;
}

__attribute__((target("avx512f"))) static double avx512_f32(size_t rounds) {
  __m512 acc[CHAINS] = {0}, x = _mm512_set1_ps(1e-3f);
  KEEP512(x);
  for (size_t i = 0; i < rounds; i++)
#pragma clang loop unroll(full)
    for (int c = 0; c < CHAINS; c++) {
      acc[c] = _mm512_fmadd_ps(x, x, acc[c]);
      KEEP512(acc[c]);
    }
  return 2.0 * CHAINS * 16 * (double)rounds;
}

__attribute__((target("avx512f,avx512vnni"))) static double avx512_u8s8(size_t rounds) {
  __m512i acc[CHAINS] = {0}, x = _mm512_set1_epi8(3);
  KEEP512(x);
  for (size_t i = 0; i < rounds; i++)
#pragma clang loop unroll(full)
    for (int c = 0; c < CHAINS; c++) {
      acc[c] = _mm512_dpbusd_epi32(acc[c], x, x);
      KEEP512(acc[c]);
    }
  return 2.0 * CHAINS * 64 * (double)rounds;
}
#elif defined(__aarch64__)
#include "neon.h"

enum { NEON_CHAINS = 20 };  // of 32 registers; large cores have four pipes of four cycles

static double neon_f32(size_t rounds) {
  float32x4_t acc[NEON_CHAINS] = {0}, x = vdupq_n_f32(1e-3f);
  KEEP(x);
  for (size_t i = 0; i < rounds; i++)
#pragma clang loop unroll(full)
    for (int c = 0; c < NEON_CHAINS; c++) {
      acc[c] = vfmaq_f32(acc[c], x, x);
      KEEP(acc[c]);
    }
  return 2.0 * NEON_CHAINS * 4 * (double)rounds;
}

// The dot product of mixed bytes is as fast as this one wherever there is one.
__attribute__((target("dotprod"))) static double neon_dot(size_t rounds) {
  int32x4_t acc[NEON_CHAINS] = {0};
  int8x16_t x = vdupq_n_s8(3);
  KEEP(x);
  for (size_t i = 0; i < rounds; i++)
#pragma clang loop unroll(full)
    for (int c = 0; c < NEON_CHAINS; c++) {
      acc[c] = vdotq_s32(acc[c], x, x);
      KEEP(acc[c]);
    }
  return 2.0 * NEON_CHAINS * 16 * (double)rounds;
}

static double neon_u8s8(size_t rounds) {
  return tk_neon_has_dot() ? neon_dot(rounds) : scalar_u8s8(rounds);
}
#endif

double tk_peak_f32(tk_isa isa, size_t rounds) {
#if defined(__x86_64__)
  if (isa == TK_AVX2 || isa == TK_AVXVNNI) return avx2_f32(rounds);
  if (isa == TK_AVX512) return avx512_f32(rounds);
#elif defined(__aarch64__)
  if (isa == TK_NEON) return neon_f32(rounds);
#endif
  return scalar_f32(rounds);
}

double tk_peak_u8s8(tk_isa isa, size_t rounds) {
#if defined(__x86_64__)
  if (isa == TK_AVX2) return avx2_u8s8(rounds);
  if (isa == TK_AVXVNNI) return avxvnni_u8s8(rounds);
  if (isa == TK_AVX512) return avx512_u8s8(rounds);
#elif defined(__aarch64__)
  if (isa == TK_NEON) return neon_u8s8(rounds);
#endif
  return scalar_u8s8(rounds);
}

static inline __attribute__((always_inline)) uint64_t sum_words(const uint64_t *x, size_t n) {
  enum { LANES = 16 };
  uint64_t sums[LANES] = {0}, sum = 0;
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++) sums[j] += x[i + j];
  for (; i < n; i++) sum += x[i];
  for (int j = 0; j < LANES; j++) sum += sums[j];
  return sum;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static uint64_t avx2_sum_words(const uint64_t *x, size_t n) {
  return sum_words(x, n);
}

__attribute__((target("avx512f"))) static uint64_t avx512_sum_words(const uint64_t *x, size_t n) {
  return sum_words(x, n);
}
#endif

uint64_t tk_sum_words(tk_isa isa, const uint64_t *x, size_t n) {
#if defined(__x86_64__)
  if (isa == TK_AVX2 || isa == TK_AVXVNNI) return avx2_sum_words(x, n);
  if (isa == TK_AVX512) return avx512_sum_words(x, n);
#endif
  (void)isa;
  return sum_words(x, n);
}
