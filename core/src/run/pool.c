/* pool.c - see pool.h. Threads spin for a moment after their work before they sleep: a training step hands out work every
 * few hundred microseconds, and waking a sleeper costs tens of them. While more work of the same step is to come (held)
 * they spin longer, but give the processor to whoever else wants it. */
#include "run/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SPINS      4000
#define SPINS_HELD 80000
#define SPINS_TURN 64 /* between two offers of the processor, once SPINS are over */

/* The tasks that a worker takes first: the same ones in every job of as many tasks, so that what they read and write stays
 * in its processor's cache. It takes them from the front; whoever has done his own helps from the back. One cache line
 * each. */
typedef struct share {
    _Alignas(64) atomic_ullong left; /* [first, end): first in the upper half, end in the lower */
} share;

#define MOST_TASKS INT32_MAX

struct weir__pool {
    pthread_mutex_t busy; /* held by the caller whose job runs */
    pthread_mutex_t lock; /* protects open, changes of active, and the condition variables */
    pthread_cond_t wake, done;
    pthread_t *threads;
    int32_t thread_count; /* without the caller */
    atomic_uint generation;
    atomic_int stopping;
    atomic_int held;   /* callers that have more to hand out */
    int32_t open;      /* 1: the job may be joined */
    atomic_int active; /* threads inside the job */
    /* the job */
    void (*task)(void *, int64_t, int32_t);
    void *user;
    share *shares; /* thread_count + 1 */
    atomic_int stopped;
};

typedef struct start {
    weir__pool *pool;
    int32_t worker;
} start;

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* Whether to look again before going to sleep, after `spins` looks. */
static int keep_spinning(weir__pool *pool, int spins)
{
    if (spins >= SPINS && (spins >= SPINS_HELD || !atomic_load_explicit(&pool->held, memory_order_relaxed)))
        return 0;
    if (spins >= SPINS && spins % SPINS_TURN == 0) sched_yield();
    relax();
    return 1;
}

static int64_t take_from(share *from, int own)
{
    unsigned long long left = atomic_load_explicit(&from->left, memory_order_relaxed);
    for (;;) {
        const unsigned long long first = left >> 32, end = left & UINT32_MAX;
        if (first >= end) return -1;
        const unsigned long long rest = own ? (first + 1) << 32 | end : first << 32 | (end - 1);
        if (atomic_compare_exchange_weak_explicit(&from->left, &left, rest, memory_order_relaxed,
                                                  memory_order_relaxed))
            return (int64_t)(own ? first : end - 1);
    }
}

/* The next task of the worker's own share, or else of another's; -1: none is left. */
static int64_t take(weir__pool *pool, int32_t worker)
{
    const int32_t workers = pool->thread_count + 1;
    for (int32_t i = 0; i < workers; i++) {
        const int64_t index = take_from(&pool->shares[(worker + i) % workers], i == 0);
        if (index >= 0) return index;
    }
    return -1;
}

static void work(weir__pool *pool, int32_t worker)
{
    while (!atomic_load_explicit(&pool->stopped, memory_order_relaxed)) {
        const int64_t index = take(pool, worker);
        if (index < 0) return;
        pool->task(pool->user, index, worker);
    }
}

static unsigned wait_for_job(weir__pool *pool, unsigned seen)
{
    for (int spins = 0; keep_spinning(pool, spins); spins++) {
        const unsigned now = atomic_load_explicit(&pool->generation, memory_order_acquire);
        if (now != seen) return now;
    }
    pthread_mutex_lock(&pool->lock);
    while (atomic_load_explicit(&pool->generation, memory_order_acquire) == seen)
        pthread_cond_wait(&pool->wake, &pool->lock);
    const unsigned now = atomic_load_explicit(&pool->generation, memory_order_acquire);
    pthread_mutex_unlock(&pool->lock);
    return now;
}

/* A thread that wakes up late finds the job closed and is not waited for: on a busy machine waking takes milliseconds,
 * in which the caller has done the work alone. */
static int join_job(weir__pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    const int32_t joined = pool->open;
    if (joined) atomic_fetch_add_explicit(&pool->active, 1, memory_order_relaxed);
    pthread_mutex_unlock(&pool->lock);
    return joined;
}

static void leave_job(weir__pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    if (atomic_fetch_sub_explicit(&pool->active, 1, memory_order_release) == 1)
        pthread_cond_signal(&pool->done);
    pthread_mutex_unlock(&pool->lock);
}

static void *thread_main(void *argument)
{
    start *const s = argument;
    weir__pool *const pool = s->pool;
    const int32_t worker = s->worker;
    unsigned seen = 0;
    free(s);
    for (;;) {
        seen = wait_for_job(pool, seen);
        if (atomic_load(&pool->stopping)) return NULL;
        if (!join_job(pool)) continue;
        work(pool, worker);
        leave_job(pool);
    }
}

static void announce(weir__pool *pool, int32_t open)
{
    pthread_mutex_lock(&pool->lock);
    pool->open = open;
    atomic_fetch_add_explicit(&pool->generation, 1, memory_order_release);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

/* Signals belong to the embedder's threads: a worker blocks all of them. */
static int spawn(weir__pool *pool, int32_t worker)
{
    sigset_t all, old;
    start *const s = malloc(sizeof *s);
    if (!s) return 0;
    *s = (start){pool, worker};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    const int failed = pthread_create(&pool->threads[worker - 1], NULL, thread_main, s);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (failed) free(s);
    return !failed;
}

weir__pool *weir__pool_new(int32_t threads)
{
    weir__pool *const pool = calloc(1, sizeof *pool);
    if (!pool) return NULL;
    pool->threads = calloc((size_t)(threads > 1 ? threads : 1), sizeof *pool->threads);
    pool->shares = aligned_alloc(64, (size_t)(threads > 1 ? threads : 1) * sizeof *pool->shares);
    if (!pool->threads || !pool->shares) return free(pool->threads), free(pool->shares), free(pool), NULL;
    pthread_mutex_init(&pool->busy, NULL);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->done, NULL);
    /* Fewer threads than asked for is not an error: results do not depend on how many there are. */
    for (int32_t worker = 1; worker < threads; worker++) {
        if (!spawn(pool, worker)) break;
        pool->thread_count++;
    }
    return pool;
}

void weir__pool_free(weir__pool *pool)
{
    if (!pool) return;
    atomic_store(&pool->stopping, 1);
    announce(pool, 0);
    for (int32_t i = 0; i < pool->thread_count; i++) pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_cond_destroy(&pool->done);
    pthread_mutex_destroy(&pool->lock);
    pthread_mutex_destroy(&pool->busy);
    free(pool->threads);
    free(pool->shares);
    free(pool);
}

int32_t weir__pool_threads(const weir__pool *pool)
{
    return pool->thread_count + 1;
}

static int32_t run_here(int64_t count, void (*task)(void *, int64_t, int32_t), void *user,
                        int32_t (*poll)(void *), void *poll_user)
{
    for (int64_t i = 0; i < count; i++) {
        const int32_t stop = poll ? poll(poll_user) : 0;
        if (stop) return stop;
        task(user, i, 0);
    }
    return 0;
}

static int32_t work_and_poll(weir__pool *pool, int32_t (*poll)(void *), void *poll_user)
{
    for (;;) {
        const int32_t stop = poll ? poll(poll_user) : 0;
        if (stop) {
            atomic_store(&pool->stopped, 1);
            return stop;
        }
        const int64_t index = take(pool, 0);
        if (index < 0) return 0;
        pool->task(pool->user, index, 0);
    }
}

static void close_job(weir__pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->open = 0;
    pthread_mutex_unlock(&pool->lock);
    for (int spins = 0; keep_spinning(pool, spins); spins++)
        if (atomic_load_explicit(&pool->active, memory_order_acquire) == 0) return;
    pthread_mutex_lock(&pool->lock);
    while (atomic_load_explicit(&pool->active, memory_order_acquire) > 0)
        pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

static void deal(weir__pool *pool, int64_t count)
{
    const int32_t workers = pool->thread_count + 1;
    const int64_t least = count / workers, more = count % workers;
    int64_t first = 0;
    for (int32_t i = 0; i < workers; i++) {
        const int64_t end = first + least + (i < more);
        atomic_store_explicit(&pool->shares[i].left,
                              (unsigned long long)first << 32 | (unsigned long long)end,
                              memory_order_relaxed);
        first = end;
    }
}

int32_t weir__pool_run(weir__pool *pool, int64_t count, void (*task)(void *, int64_t, int32_t), void *user,
                       int32_t (*poll)(void *), void *poll_user)
{
    if (count <= 1 || count > MOST_TASKS || pool->thread_count == 0 || pthread_mutex_trylock(&pool->busy))
        return run_here(count, task, user, poll, poll_user);
    pool->task = task;
    pool->user = user;
    deal(pool, count);
    atomic_store(&pool->stopped, 0);
    announce(pool, 1);
    const int32_t stop = work_and_poll(pool, poll, poll_user);
    close_job(pool);
    pthread_mutex_unlock(&pool->busy);
    return stop;
}

void weir__pool_hold(weir__pool *pool)
{
    atomic_fetch_add_explicit(&pool->held, 1, memory_order_relaxed);
}

void weir__pool_release(weir__pool *pool)
{
    atomic_fetch_sub_explicit(&pool->held, 1, memory_order_relaxed);
}
