#include "KernelPeaks.h"

#if defined(__x86_64__)
#include <immintrin.h>

enum { CHAINS = 12 };  // independent sums: more than latency times throughput

// Keeps a value alive without storing it.
#define KEEP(x) __asm__ volatile("" : "+x"(x))
#define KEEP512(x) __asm__ volatile("" : "+v"(x))

__attribute__((target("avx2,fma"))) static void fma256(size_t rounds) {
  __m256 acc[CHAINS] = {0}, x = _mm256_set1_ps(1e-3f);
  KEEP(x);
  for (size_t i = 0; i < rounds; i++)
#pragma clang loop unroll(full)
    for (int c = 0; c < CHAINS; c++) {
      acc[c] = _mm256_fmadd_ps(x, x, acc[c]);
      KEEP(acc[c]);
    }
}

__attribute__((target("avx2"))) static void madd256(size_t rounds) {
  __m256i acc[CHAINS] = {0}, x = _mm256_set1_epi16(3);
  KEEP(x);
  for (size_t i = 0; i < rounds; i++)
#pragma clang loop unroll(full)
    for (int c = 0; c < CHAINS; c++) {
      __m256i product = _mm256_madd_epi16(x, x);
      KEEP(product);
      acc[c] = _mm256_add_epi32(acc[c], product);
      KEEP(acc[c]);
    }
}

__attribute__((target("avx512f"))) static void fma512(size_t rounds) {
  __m512 acc[CHAINS] = {0}, x = _mm512_set1_ps(1e-3f);
  KEEP512(x);
  for (size_t i = 0; i < rounds; i++)
#pragma clang loop unroll(full)
    for (int c = 0; c < CHAINS; c++) {
      acc[c] = _mm512_fmadd_ps(x, x, acc[c]);
      KEEP512(acc[c]);
    }
}

__attribute__((target("avx512f,avx512vnni"))) static void vnni512(size_t rounds) {
  __m512i acc[CHAINS] = {0}, x = _mm512_set1_epi8(3);
  KEEP512(x);
  for (size_t i = 0; i < rounds; i++)
#pragma clang loop unroll(full)
    for (int c = 0; c < CHAINS; c++) {
      acc[c] = _mm512_dpbusd_epi32(acc[c], x, x);
      KEEP512(acc[c]);
    }
}

double peak_f32(int isa, size_t rounds) {
  if (isa == 1) fma256(rounds);
  if (isa == 2) fma512(rounds);
  return isa == 1 || isa == 2 ? 2.0 * CHAINS * (double)rounds * (isa == 1 ? 8 : 16) : 0;
}

double peak_u8s8(int isa, size_t rounds) {
  if (isa == 1) madd256(rounds);
  if (isa == 2) vnni512(rounds);
  return isa == 1 || isa == 2 ? 2.0 * CHAINS * (double)rounds * (isa == 1 ? 16 : 64) : 0;
}
#else
double peak_f32(int isa, size_t rounds) { return 0 * (double)rounds * isa; }
double peak_u8s8(int isa, size_t rounds) { return 0 * (double)rounds * isa; }
#endif
