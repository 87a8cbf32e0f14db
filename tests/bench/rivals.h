/* rivals.h - the peer as every number of threads and every BLAS makes it, and which of them is the fastest at a task. */
#ifndef WEIR_BENCH_RIVALS_H
#define WEIR_BENCH_RIVALS_H

#include "accuracy.h"
#include "peer.h"
#include "work.h"

#define MOST_RIVALS   8
#define MOST_VARIANTS 4

typedef struct rival {
    peer_setup setup;
    char folder[256];
    const char *blas;
    peer *process; /* started when first asked */
    const work *loaded;
    char variants[OPERATIONS][MOST_VARIANTS][24];
    int counts[OPERATIONS];
    int hopeless[OPERATIONS][MOST_VARIANTS];
} rival;

typedef struct rivals {
    rival list[MOST_RIVALS];
    int count;
    char name[64];
    const char *model, *data, *answers; /* files of the current work */
    const double *expected;             /* log_prob of the rows in data, by the library */
    const double *exact;                /* the same in f64 */
    int64_t rows;
    const work *work;
    int threads;  /* of the last choice */
    double worst; /* largest distance from `expected`, in units of the tolerance */
    deviation
        exact_by; /* how far the most accurate variant is from `exact`; infinitely before any has answered */
} rivals;

typedef struct choice {
    rival *rival;
    const char *variant;
    double
        usual; /* samples a second of the fastest that runs the network once for each feature; 0: the same as the choice */
} choice;

/** Finds the installed BLAS libraries and starts a first process. Returns 0 with a message. `most_threads` >= 1. */
int rivals_open(rivals *all, const char *program, const char *script, int most_threads, char *message,
                size_t size);
void rivals_close(rivals *all);

/** The next work: its model file, rows to check on, where answers may be written, and what they must be, by the library's
 *  f32 and in f64. */
void rivals_set(rivals *all, const work *w, const char *model, const char *data, const char *answers,
                const double *expected, const double *exact, int64_t rows);

/** The fastest at this by trying all for `seconds` each; those far behind at the batch before are not asked again. Returns 1;
 *  0 with "" when the peer has no such operation; 0 with a message when it failed or disagrees about log-likelihoods. */
int rivals_choose(rivals *all, operation op, int64_t batch, int threads, double seconds, choice *best,
                  char *message, size_t size);

/** Samples a second; negative with a message. */
double rivals_rate(rivals *all, const choice *who, operation op, int64_t batch, double seconds, char *message,
                   size_t size);

#endif
