/* pool.c - every task exactly once: small jobs in plenty, several callers at once, stopping in the middle.
 *
 * SPDX-License-Identifier: MIT
 */
#include "run/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define THREADS 4
#define MOST    1000

typedef struct ledger {
    atomic_int done[MOST];       /* how often each task ran */
    atomic_int running[THREADS]; /* tasks of one worker never overlap */
    int64_t plain[MOST];         /* written without atomics: the pool must order these before its return */
    atomic_int wrong;
    int64_t limit; /* poll stops after so many calls; < 0: never */
    int64_t polls;
} ledger;

static void task(void *user, int64_t index, int32_t worker)
{
    ledger *const l = user;
    if (worker < 0 || worker >= THREADS) {
        atomic_store(&l->wrong, 1);
        return;
    }
    if (atomic_fetch_add(&l->running[worker], 1)) atomic_store(&l->wrong, 1);
    atomic_fetch_add(&l->done[index], 1);
    l->plain[index] += index;
    atomic_fetch_sub(&l->running[worker], 1);
}

static int32_t poll_limit(void *user)
{
    ledger *const l = user;
    return l->limit >= 0 && l->polls++ >= l->limit ? 42 : 0;
}

/* Runs one job and counts: 0 when every task ran once (at most once, when it was stopped). */
static int job(weir__pool *pool, ledger *l, int64_t count, int64_t limit)
{
    memset(l, 0, sizeof *l);
    l->limit = limit;
    const int32_t answer = weir__pool_run(pool, count, task, l, poll_limit, l);
    int64_t sum = 0;
    for (int64_t i = 0; i < MOST; i++) {
        const int times = atomic_load(&l->done[i]);
        if (times > 1 || (times && i >= count) || l->plain[i] != times * i) return 1;
        sum += times;
    }
    if (atomic_load(&l->wrong)) return 2;
    if (limit >= 0 && limit < count) {
        if (answer == 0 && sum == count)
            return 0; /* the others had done it all before the caller was asked again */
        return answer == 42 ? 0 : 3;
    }
    return answer == 0 && sum == count ? 0 : 4;
}

typedef struct caller {
    weir__pool *pool;
    ledger books;
    int rounds, failed;
} caller;

static void *call(void *argument)
{
    caller *const c = argument;
    for (int i = 0; i < c->rounds && !c->failed; i++) c->failed = job(c->pool, &c->books, i % 37, -1);
    return NULL;
}

static int report(const char *what, int failed)
{
    if (failed) fprintf(stderr, "%s: failure %d\n", what, failed);
    return failed != 0;
}

int main(void)
{
    static ledger books;
    static caller callers[3];
    pthread_t threads[3];
    int wrong = 0;
    weir__pool *const pool = weir__pool_new(THREADS), *const alone = weir__pool_new(1);
    if (!pool || !alone) return 1;
    wrong |= report("size", weir__pool_threads(pool) != THREADS || weir__pool_threads(alone) != 1);
    for (int i = 0; i < 2000 && !wrong; i++)
        wrong |= report("many small jobs", job(pool, &books, i % 20, -1));
    for (int i = 0; i < 20 && !wrong; i++) wrong |= report("a large job", job(pool, &books, MOST, -1));
    for (int i = 0; i < 200 && !wrong; i++) wrong |= report("stopped", job(pool, &books, MOST, i % 25));
    weir__pool_hold(pool);
    for (int i = 0; i < 500 && !wrong; i++) wrong |= report("held", job(pool, &books, i % 20, -1));
    weir__pool_release(pool);
    wrong |= report("alone", job(alone, &books, MOST, -1));
    wrong |= report("alone, stopped", job(alone, &books, MOST, 10));
    int64_t done = 0;
    for (int i = 0; i < MOST; i++) done += atomic_load(&books.done[i]);
    wrong |= report("alone, stopped after ten", done != 10);
    for (int i = 0; i < 3; i++) {
        callers[i].pool = pool;
        callers[i].rounds = 500;
        pthread_create(&threads[i], NULL, call, &callers[i]);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        wrong |= report("several callers", callers[i].failed);
    }
    weir__pool_free(pool);
    weir__pool_free(alone);
    weir__pool_free(NULL);
    for (int i = 0; i < 50; i++)
        weir__pool_free(weir__pool_new(THREADS)); /* freed before its threads have begun */
    return wrong;
}
