/* accuracy.h - how far log-densities in f32 are from what the same weights say in f64. */
#ifndef WEIR_BENCH_ACCURACY_H
#define WEIR_BENCH_ACCURACY_H

#include "work.h"

#include <weir.h>

/** log_prob of the rows by a model of the same description and weights that computes in f64. */
weir_status accuracy_exact(weir_runtime *runtime, const work *w, const weir_model *model,
                           const weir_matrix *x, double *log_p, weir_error *error);

/** Distances |a - b| / (features + |b|). An answer that is not finite is infinitely far. */
typedef struct deviation {
    double usual; /* at the 99th percentile of the rows */
    double worst;
} deviation;

/** Returns 0 when memory is out. */
int accuracy_compare(const double *a, const double *b, int64_t rows, int32_t features, deviation *out);

#endif
