/* subject.h - a workload's model in the library, and the operations on it; the public interface alone. */
#ifndef WEIR_BENCH_SUBJECT_H
#define WEIR_BENCH_SUBJECT_H

#include "work.h"

#include <weir.h>

typedef struct subject {
    const work *work;
    weir_model *model;   /* what log_prob and sample use */
    weir_model *learner; /* what training changes */
    weir_trainer *trainer;
    float *rows; /* POOL_ROWS of data, then room for the largest sample */
    float *made;
    double *log_p;
    int64_t largest; /* batch */
} subject;

#define POOL_ROWS INT64_C(16384)

/** Builds the model, trains it for a moment, so that no parameter is what it started as, and saves it. */
weir_status subject_make(weir_runtime *runtime, const work *w, const char *path, weir_error *error);

/** Opens a saved model for batches up to `largest` rows (at most POOL_ROWS). subject_close frees what there is, also after
 *  a failure. */
weir_status subject_open(subject *s, weir_runtime *runtime, const work *w, const char *path, int64_t largest,
                         weir_error *error);
/** The same of a new model, as initialised: what it computes is beside the point. */
weir_status subject_build(subject *s, weir_runtime *runtime, const work *w, int64_t largest,
                          weir_error *error);
void subject_close(subject *s);

/** Samples a second of one operation; negative with *error filled when it fails. */
double subject_rate(subject *s, operation op, int64_t batch, double seconds, weir_error *error);

/** `count` rows of the pool as a matrix, from row `first`. */
weir_matrix subject_rows(const subject *s, int64_t first, int64_t count);

/** Normal-ish data of the work: correlated, slightly skewed, the spread of a feature given by the one before it, so that a
 *  model that has seen some of it is far from the identity. The same in every run. */
void subject_fill(const work *w, float *rows, int64_t count);

#endif
