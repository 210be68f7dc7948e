// Chooses the table of kernels: what the processor has, capped by TESSERA_ISA.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum { TABLES = 5 };

static tk_kernels tables[TABLES];
static bool present[TABLES];
static int chosen = TK_SCALAR;
static pthread_once_t once = PTHREAD_ONCE_INIT;

#if defined(__x86_64__)
static bool has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
}

static bool has_avxvnni(void) { return has_avx2() && __builtin_cpu_supports("avxvnni"); }

static bool has_avx512(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni");
}
#endif

static int highest_allowed(void) {
  const char *cap = getenv("TESSERA_ISA");
  if (cap && !strcmp(cap, "scalar")) return TK_SCALAR;
  if (cap && !strcmp(cap, "avx2")) return TK_AVX2;
  if (cap && !strcmp(cap, "avxvnni")) return TK_AVXVNNI;
  if (cap && !strcmp(cap, "avx512")) return TK_AVX512;
  return TK_NEON;
}

static void build_tables(void) {
  tk_install_scalar(&tables[TK_SCALAR]);
  present[TK_SCALAR] = true;
#if defined(__x86_64__)
  __builtin_cpu_init();
  present[TK_AVX2] = has_avx2();
  present[TK_AVXVNNI] = has_avxvnni();
  present[TK_AVX512] = has_avx512();
  tables[TK_AVX2] = tables[TK_SCALAR];
  tk_install_avx2(&tables[TK_AVX2]);
  tables[TK_AVXVNNI] = tables[TK_AVX2];
  tk_install_avxvnni(&tables[TK_AVXVNNI]);
  tables[TK_AVX512] = tables[TK_AVX2];
  tk_install_avx512(&tables[TK_AVX512]);
#elif defined(__aarch64__)
  present[TK_NEON] = true;
  tables[TK_NEON] = tables[TK_SCALAR];
  tk_install_neon(&tables[TK_NEON]);
#endif
  const int cap = highest_allowed();
  for (int isa = TK_SCALAR; isa <= cap && isa < TABLES; isa++)
    if (present[isa]) chosen = isa;
}

const tk_kernels *tk_current(void) {
  pthread_once(&once, build_tables);
  return &tables[chosen];
}

const tk_kernels *tk_table_for(tk_isa isa) {
  pthread_once(&once, build_tables);
  return (int)isa >= 0 && (int)isa < TABLES && present[isa] ? &tables[isa] : NULL;
}
