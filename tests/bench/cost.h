/* cost.h - the model of cost: what an operation should take, from the shape of the flow, the rows, the threads and what the
 * machine can do. core/SPEED.md writes the formula out. */
#ifndef WEIR_BENCH_COST_H
#define WEIR_BENCH_COST_H

#include "limit.h"
#include "work.h"

#include <weir.h>

/* Limits of the machine that the formula takes, measured as they are asked for. */
typedef struct cost_product {
    int32_t out, in, rows;
    product which;
    double rate; /* FLOP/s of one thread */
} cost_product;

#define COST_PRODUCTS 512
#define COST_COPIES   5
#define COST_THREADS  8

typedef struct cost_machine {
    cost_product products[COST_PRODUCTS];
    int count;
    double copy[COST_COPIES]; /* bytes a second, read and written, among 32 KiB, 512 KiB, 8, 32 and 128 MiB */
    double share[COST_THREADS + 1]; /* of its pace alone that a thread keeps beside others */
    double seconds;                 /* of each measurement */
} cost_machine;

void cost_machine_measure(cost_machine *m, int most_threads, double seconds);

/* What no limit of the machine says: constants of an operation on one kind of layer, found from flows that have hardly
 * anything else. */
typedef struct cost_constants {
    double call;    /* seconds of a call */
    double wake;    /* more of them when other threads take part */
    double layer;   /* of a layer's calls on one tile */
    double feature; /* of those that every number has one of, however many rows */
    double element; /* of one number through the univariate, on one row */
} cost_constants;

/** Seconds of one call over `rows` rows. `parameters` is the number of them in the model. */
double cost_predict(cost_machine *m, const cost_constants *k, const work *w, operation op, int64_t rows,
                    int threads, int64_t parameters);

/** Runs the series over depth, width, features, rows and threads for every kind of layer, and prints a line of JSON for each
 *  point: measured, predicted. Returns 0 with *error filled. */
int cost_series(weir_runtime *const *runtimes, const int *threads, int thread_count, const operation *ops,
                int op_count, double seconds, weir_error *error);

#endif
