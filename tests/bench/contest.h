/* contest.h - one case: ours, the peer, ours, the peer, ..., and the line of JSON that comes of it. */
#ifndef WEIR_BENCH_CONTEST_H
#define WEIR_BENCH_CONTEST_H

#include "rivals.h"
#include "subject.h"

#define MOST_ROUNDS 99

typedef struct contest {
    subject *subject;
    rivals *rivals; /* NULL: no peer */
    operation op;
    int64_t batch;
    int threads, rounds;
    double seconds;      /* of each measurement */
    double gemm_ceiling; /* of the multiply-add peak, what products alone reach; 0: none */
} contest;

/** Runs the case and prints its line. Returns 0 with a message. */
int contest_run(const contest *c, char *message, size_t size);

#endif
