// Memory that a thread keeps for its kernels.
#include <pthread.h>
#include <stdlib.h>

#include "internal.h"

typedef struct {
  void *memory;
  size_t size;
} scratch;

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local scratch *mine;

static void release(void *pointer) {
  scratch *s = pointer;
  free(s->memory);
  free(s);
  mine = NULL;
}

static void make_key(void) {
  if (pthread_key_create(&key, release) != 0) abort();
}

void *tk_scratch(size_t bytes) {
  if (!mine) {
    pthread_once(&once, make_key);
    mine = calloc(1, sizeof *mine);
    if (!mine || pthread_setspecific(key, mine) != 0) abort();
  }
  if (mine->size < bytes) {
    free(mine->memory);
    mine->size = tk_round_up(tk_max(bytes, 64 * 1024), 4096);
    if (posix_memalign(&mine->memory, 64, mine->size) != 0) abort();
  }
  return mine->memory;
}
