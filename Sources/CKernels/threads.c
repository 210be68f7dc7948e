// The thread pool: workers spin for a while, then sleep on a futex; the caller takes part.
//
// A region is open while `gate` has its OPEN bit; a worker joins by adding one to the gate, and
// only while it is open, so the caller need not wait for workers that are still asleep. When the
// caller runs out of indices it closes the gate and waits for the count to fall to zero: only then
// may the next region overwrite the board.
//
// Each thread has a share of the indices, always the same part of them: what a thread wrote in one
// region lies in its core's cache when it reads the same part in the next. Who is done with his own
// share helps with those of others.
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

#include "internal.h"

enum {
  MAX_THREADS = 256,
  // About 50 us on the machine this was tuned on: longer than the serial gap between two layers of
  // a network, short enough not to burn a core that other processes want.
  SPINS = 4000,
};
#define OPEN 0x80000000u     // bits of the gate beside the count of workers in the region
#define AWAITED 0x40000000u  // the caller sleeps until the count is zero

static pthread_mutex_t region = PTHREAD_MUTEX_INITIALIZER;  // one region at a time
static _Thread_local bool inside;                           // this thread runs a body
static _Atomic size_t thread_count;                         // 0: not decided yet

static pthread_t workers[MAX_THREADS];
static size_t worker_count;

// What a region is announced by, in one cache line: it moves between cores as a whole.
static struct {
  _Alignas(128) _Atomic uint32_t epoch;  // one more for each region; what workers wait on
  _Atomic uint32_t gate;                 // OPEN, AWAITED | workers in the region
  void (*body)(void *, size_t);
  void *context;
  size_t shares;
} board;
static _Atomic uint32_t sleepers;  // workers that may need a wake-up call
static _Atomic bool stopping;

// The indices [next, end) of one thread; each has its own cache lines.
static struct {
  _Alignas(128) _Atomic size_t next;
  size_t end;
} shares[MAX_THREADS];

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#if defined(__linux__)
static void wait_while(_Atomic uint32_t *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake_all(_Atomic uint32_t *word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}
#else
static pthread_mutex_t sleep_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sleep_signal = PTHREAD_COND_INITIALIZER;

static void wait_while(_Atomic uint32_t *word, uint32_t value) {
  pthread_mutex_lock(&sleep_lock);
  while (atomic_load(word) == value) pthread_cond_wait(&sleep_signal, &sleep_lock);
  pthread_mutex_unlock(&sleep_lock);
}

static void wake_all(_Atomic uint32_t *word) {
  (void)word;
  pthread_mutex_lock(&sleep_lock);
  pthread_cond_broadcast(&sleep_signal);
  pthread_mutex_unlock(&sleep_lock);
}
#endif

// The own share first, then what is left of the others'.
static void work(size_t thread) {
  inside = true;
  for (size_t s = 0; s < board.shares; s++) {
    const size_t share = (thread + s) % board.shares, end = shares[share].end;
    for (;;) {
      if (atomic_load_explicit(&shares[share].next, memory_order_relaxed) >= end) break;
      const size_t i = atomic_fetch_add_explicit(&shares[share].next, 1, memory_order_relaxed);
      if (i >= end) break;
      board.body(board.context, i);
    }
  }
  inside = false;
}

static bool join_region(void) {
  uint32_t g = atomic_load_explicit(&board.gate, memory_order_relaxed);
  while (g & OPEN)
    if (atomic_compare_exchange_weak_explicit(&board.gate, &g, g + 1, memory_order_acquire,
                                              memory_order_relaxed))
      return true;
  return false;
}

static void leave_region(void) {
  const uint32_t g = atomic_fetch_sub_explicit(&board.gate, 1, memory_order_release);
  if (g == (AWAITED | 1)) wake_all(&board.gate);
}

static uint32_t next_epoch(uint32_t seen) {
  for (int i = 0; i < SPINS; i++) {
    const uint32_t e = atomic_load_explicit(&board.epoch, memory_order_acquire);
    if (e != seen) return e;
    relax();
  }
  atomic_fetch_add(&sleepers, 1);
  while (atomic_load(&board.epoch) == seen) wait_while(&board.epoch, seen);
  atomic_fetch_sub(&sleepers, 1);
  return atomic_load(&board.epoch);
}

// The epoch that each thread has seen when it starts. Thread 0 is the caller.
static uint32_t first_epochs[MAX_THREADS];

static void *worker_main(void *number) {
  const size_t thread = (uintptr_t)number;
  uint32_t seen = first_epochs[thread];
  for (;;) {
    seen = next_epoch(seen);
    if (atomic_load(&stopping)) return NULL;
    if (!join_region()) continue;
    work(thread);
    leave_region();
  }
}

static void announce(void) {
  atomic_fetch_add(&board.epoch, 1);
  if (atomic_load(&sleepers) > 0) wake_all(&board.epoch);
}

static void stop_workers(void) {
  atomic_store(&stopping, true);
  announce();
  for (size_t i = 0; i < worker_count; i++) pthread_join(workers[i], NULL);
  worker_count = 0;
  atomic_store(&stopping, false);
}

// A child process has none of its parent's workers.
static void forget_workers(void) {
  worker_count = 0;
  atomic_store(&board.gate, 0);
  atomic_store(&sleepers, 0);
  atomic_store(&stopping, false);
  pthread_mutex_init(&region, NULL);
  inside = false;
}

static void watch_forks(void) { pthread_atfork(NULL, NULL, forget_workers); }

// Fewer threads than asked for are no error: the caller does the rest.
static void start_workers(size_t count) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, watch_forks);
  const uint32_t seen = atomic_load(&board.epoch);
  while (worker_count < count) {
    const uintptr_t thread = worker_count + 1;
    first_epochs[thread] = seen;
    pthread_t *worker = &workers[worker_count];
    if (pthread_create(worker, NULL, worker_main, (void *)thread) != 0) break;
    worker_count++;
  }
}

static size_t clamped_count(size_t n) { return tk_max(1, tk_min(n, MAX_THREADS)); }

static size_t default_threads(void) {
  const char *wish = getenv("TESSERA_THREADS");
  const long wished = wish ? strtol(wish, NULL, 10) : 0;
  if (wished > 0) return clamped_count((size_t)wished);
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return clamped_count((size_t)CPU_COUNT(&set));
#endif
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return clamped_count(online > 0 ? (size_t)online : 1);
}

size_t tk_threads(void) {
  size_t n = atomic_load_explicit(&thread_count, memory_order_relaxed);
  if (n == 0) {
    size_t undecided = 0;
    n = default_threads();
    if (!atomic_compare_exchange_strong(&thread_count, &undecided, n)) n = undecided;
  }
  return n;
}

void tk_set_threads(size_t n) {
  if (inside) return;
  pthread_mutex_lock(&region);
  n = clamped_count(n);
  if (n != tk_threads()) stop_workers();
  atomic_store(&thread_count, n);
  pthread_mutex_unlock(&region);
}

static void run_serially(size_t n, void (*body)(void *, size_t), void *context) {
  for (size_t i = 0; i < n; i++) body(context, i);
}

static void close_region(void) {
  uint32_t g = atomic_fetch_and_explicit(&board.gate, ~OPEN, memory_order_acquire) & ~OPEN;
  for (int i = 0; i < SPINS && g != 0; i++) {
    relax();
    g = atomic_load_explicit(&board.gate, memory_order_acquire);
  }
  if (g == 0) return;
  g = atomic_fetch_or_explicit(&board.gate, AWAITED, memory_order_acquire) | AWAITED;
  while (g != AWAITED) {
    wait_while(&board.gate, g);
    g = atomic_load_explicit(&board.gate, memory_order_acquire);
  }
}

void tk_parallel_for(size_t n, void (*body)(void *, size_t), void *context) {
  if (n < 2 || tk_threads() < 2 || inside || pthread_mutex_trylock(&region) != 0) {
    run_serially(n, body, context);
    return;
  }
  const size_t threads = tk_threads();  // which only changes while nobody has the region
  if (threads < 2) {
    pthread_mutex_unlock(&region);
    run_serially(n, body, context);
    return;
  }
  if (worker_count + 1 < threads) start_workers(threads - 1);
  board.body = body;
  board.context = context;
  board.shares = tk_min(worker_count + 1, n);
  for (size_t s = 0; s < board.shares; s++) {
    atomic_store_explicit(&shares[s].next, n * s / board.shares, memory_order_relaxed);
    shares[s].end = n * (s + 1) / board.shares;
  }
  atomic_store_explicit(&board.gate, OPEN, memory_order_release);
  announce();
  work(0);
  close_region();
  pthread_mutex_unlock(&region);
}
