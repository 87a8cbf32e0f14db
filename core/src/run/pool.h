/* pool.h - threads that share out numbered tasks.
 *
 * Tasks must not depend on which thread runs them: results go to places named by the task's number, so that they are the
 * same for any number of threads. */
#ifndef WEIR__POOL_H
#define WEIR__POOL_H

#include "error.h"

typedef struct weir__pool weir__pool;

/** `threads` >= 1 counts the caller. */
weir__pool *weir__pool_new(int32_t threads);
void weir__pool_free(weir__pool *pool);
int32_t weir__pool_threads(const weir__pool *pool);

/** Runs task(user, index, worker) for index 0..count-1, worker in [0, threads), on the pool and the calling thread, and
 *  returns when all are done. When the pool is busy with another caller's tasks, all run on the calling thread as
 *  worker 0. `poll`, unless NULL, is called on the calling thread between its tasks; non-zero stops handing out tasks and
 *  is returned. */
int32_t weir__pool_run(weir__pool *pool, int64_t count,
                       void (*task)(void *user, int64_t index, int32_t worker), void *user,
                       int32_t (*poll)(void *), void *poll_user);

/** Between these two more jobs follow soon: the threads are kept from sleep. Calls may nest, and come from any thread. */
void weir__pool_hold(weir__pool *pool);
void weir__pool_release(weir__pool *pool);

#endif
