/* plan.h - what is to be measured, as the command line says. */
#ifndef WEIR_BENCH_PLAN_H
#define WEIR_BENCH_PLAN_H

#include "work.h"

#define PLAN_MOST 16

typedef struct plan {
    const work *works[WORKS];
    operation ops[OPERATIONS];
    int64_t batches[PLAN_MOST];
    int threads[PLAN_MOST];
    int work_count, op_count, batch_count, thread_count;
    int batches_given;
    int rounds;
    double seconds;
    int cases, limits, startup, accuracy;
    int model, memory; /* only when asked for: they have models of their own */
    const char *peer, *python;
} plan;

/** Everything, 5 rounds of 0.3 s, without a peer. */
void plan_default(plan *p);
/** Takes one option and its value; 0 when they make no sense. */
int plan_read(plan *p, const char *name, const char *value);
/** Is this case measured? Unless batches were given, nobody trains on single rows, and one row has no work for two threads. */
int plan_has(const plan *p, operation op, int64_t batch, int threads);
int plan_cases(const plan *p);
int plan_most_threads(const plan *p);
int64_t plan_largest_batch(const plan *p);

#endif
