// Threads that share the tasks of a kernel. Tasks are taken one by one from a counter: a thread that comes late, because its core is taken by somebody else,
// takes fewer of them and is not waited for. What a task computes must not depend on which tasks there are: then the number of threads does not matter.
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_HELPERS = 15, SPIN_NS = 100000 }; // kernels follow each other within 0.1 ms, and waking a sleeper takes nearly as long

/** Does one task. scratch: room of the thread's own, as much as was asked for. */
typedef void (*Work)(void *job, int task, float *scratch);

static struct {
  pthread_mutex_t busy; // held by the thread whose job it is
  pthread_mutex_t lock; // of `wake`
  pthread_cond_t wake;
  int started;
  Work work;
  void *job;
  int tasks, helpers;
  float *scratch;
  size_t room;
  _Alignas(64) atomic_int next; // the task to be taken next
  _Alignas(64) atomic_int generation, open, active, sleeping;
} pool = {.busy = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void takeTasks(int thread) {
  for (int task; (task = atomic_fetch_add(&pool.next, 1)) < pool.tasks;) pool.work(pool.job, task, pool.scratch + (size_t)thread * pool.room);
}

/** Returns when there is another job than that numbered `seen`. */
static void awaitJob(int seen) {
  for (int64_t end = now() + SPIN_NS; now() < end;) {
    for (int i = 0; i < 16; i++) {
      if (atomic_load(&pool.generation) != seen) return;
      relax();
    }
  }
  pthread_mutex_lock(&pool.lock);
  atomic_fetch_add(&pool.sleeping, 1);
  while (atomic_load(&pool.generation) == seen) pthread_cond_wait(&pool.wake, &pool.lock);
  atomic_fetch_sub(&pool.sleeping, 1);
  pthread_mutex_unlock(&pool.lock);
}

static void *helper(void *id) {
  for (int seen = 0;;) {
    awaitJob(seen);
    seen = atomic_load(&pool.generation);
    atomic_fetch_add(&pool.active, 1); // first this, then a look at `open`: who closes the job looks in the opposite order
    if (atomic_load(&pool.open) && (intptr_t)id < pool.helpers) takeTasks(1 + (int)(intptr_t)id);
    atomic_fetch_sub(&pool.active, 1);
  }
  return NULL;
}

/** Starts threads until there are n. They stay, so the code that they run must, too, when the thread of Node that loaded it ends. */
static void startHelpers(int n) {
  if (pool.started >= n) return;
  Dl_info self;
  if (!dladdr((void *)helper, &self) || !dlopen(self.dli_fname, RTLD_NOW | RTLD_NODELETE)) return;
  for (pthread_t thread; pool.started < n; pool.started++) {
    if (pthread_create(&thread, NULL, helper, (void *)(intptr_t)pool.started)) return;
    pthread_detach(thread);
  }
}

/** Room on 64 bytes that stays until its thread ends; it grows. */
typedef struct {
  float *data;
  size_t length;
} Room;

static bool reserve(Room *room, size_t n) {
  if (room->length >= n) return true;
  free(room->data);
  room->data = aligned_alloc(64, (4 * n + 63) / 64 * 64);
  room->length = room->data ? n : 0;
  return room->data != NULL;
}

static _Thread_local Room scratchRoom;

/** Does the tasks 0 … tasks−1, on so many threads if they are free. room: floats of scratch for each of them. False: out of memory. */
static bool run(Work work, void *job, int tasks, int threads, size_t room) {
  room = (room + 15) / 16 * 16;
  if (threads > tasks) threads = tasks;
  if (threads > 1 + MAX_HELPERS) threads = 1 + MAX_HELPERS;
  if (!reserve(&scratchRoom, room * (size_t)(threads > 1 ? threads : 1))) return false;
  if (threads < 2 || pthread_mutex_trylock(&pool.busy)) {
    for (int task = 0; task < tasks; task++) work(job, task, scratchRoom.data);
    return true;
  }
  startHelpers(threads - 1);
  pool.work = work;
  pool.job = job;
  pool.tasks = tasks;
  pool.helpers = threads - 1;
  pool.scratch = scratchRoom.data;
  pool.room = room;
  atomic_store(&pool.next, 0);
  atomic_store(&pool.open, 1);
  atomic_fetch_add(&pool.generation, 1);
  if (atomic_load(&pool.sleeping)) {
    pthread_mutex_lock(&pool.lock);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.lock);
  }
  takeTasks(0);
  atomic_store(&pool.open, 0);
  for (int spins = 0; atomic_load(&pool.active); spins++) {
    if (spins < 2000) relax();
    else sched_yield();
  }
  pthread_mutex_unlock(&pool.busy);
  return true;
}
