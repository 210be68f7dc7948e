// Uses the thread pool from several threads at once, for Tools/check_sanitized.sh: every index is
// called once, whatever the number of threads, which changes meanwhile; in a forked child, too.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "CKernels.h"

enum { INDICES = 97, REGIONS = 5000 };

typedef struct {
  int counts[INDICES];
} tally;

static void count(void *context, size_t i) { ((tally *)context)->counts[i]++; }

static void *regions(void *context) {
  tally *t = context;
  for (int i = 0; i < REGIONS; i++) tk_parallel_for(INDICES, count, t);
  return NULL;
}

static void *changes(void *context) {
  for (int i = 0; i < 200; i++) tk_set_threads(1 + (size_t)i % 4);
  return context;
}

static uint32_t product(void) {
  enum { M = 200, N = 96, K = 64 };
  const tk_kernels *k = tk_current();
  static uint8_t a[M * K + TK_ROW_MARGIN];
  static int8_t b[K * N];
  static int32_t c[M * N];
  for (int i = 0; i < M * K; i++) a[i] = (uint8_t)(i * 31);
  for (int i = 0; i < K * N; i++) b[i] = (int8_t)(i * 17);
  int8_t *packed = aligned_alloc(64, (tk_u8s8_packed_count(1, K, N) + 63) / 64 * 64);
  k->u8s8_pack(b, 1, K, N, N, false, packed, NULL);
  tk_u8s8_gemm g = {.m = M, .n = N, .taps = 1, .cin = K, .a = a, .lda = K, .b = packed,
                    .out = {.kind = TK_OUT_S32, .c = c, .ldc = N}};
  tk_run_u8s8_gemm(k, &g);
  free(packed);
  uint32_t hash = 0;
  for (int i = 0; i < M * N; i++) hash = hash * 31 + (uint32_t)c[i];
  return hash;
}

// What a forked child makes of the pool: 0 where all is well.
static int child(void) {
  static tally t;
  for (size_t n = 2; n <= 4; n++) {
    tk_set_threads(n);
    tk_parallel_for(INDICES, count, &t);
  }
  for (int i = 0; i < INDICES; i++)
    if (t.counts[i] != 3) return 1;
  return 0;
}

static int forked(void) {
  int status = 1;
  const pid_t pid = fork();
  if (pid == 0) _exit(child());
  return pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0;
}

int main(void) {
  static tally tallies[3];
  pthread_t threads[3];
  tk_set_threads(3);
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, regions, &tallies[i]);
  pthread_create(&threads[2], NULL, changes, NULL);
  regions(&tallies[2]);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  int wrong = 0;
  for (int t = 0; t < 3; t++)
    for (int i = 0; i < INDICES; i++) wrong += tallies[t].counts[i] != REGIONS;
  tk_set_threads(1);
  const uint32_t expected = product();
  for (size_t n = 2; n <= 6; n++) {
    tk_set_threads(n);
    wrong += product() != expected;
  }
  wrong += forked();
  printf("%d regions from three threads at once: %d wrong\n", 3 * REGIONS, wrong);
  return wrong > 0;
}
