/* work.h - the workloads: what each model is, and what a row of it costs in arithmetic. */
#ifndef WEIR_BENCH_WORK_H
#define WEIR_BENCH_WORK_H

#include <stddef.h>
#include <stdint.h>

typedef enum operation { TRAIN, LOG_PROB, SAMPLE, OPERATIONS } operation;
extern const char *const operation_names[OPERATIONS];

typedef enum shape { COUPLING, AUTOREGRESSIVE, PLANAR } shape;

typedef struct work {
    const char *id;
    const char *summary;
    shape shape;
    int32_t features, layers;
    int32_t width; /* of both hidden layers */
    int32_t bins;  /* of a spline; 0: affine */
} work;

#define WORKS 6
extern const work works[WORKS];

/** NULL when there is none of this name. */
const work *work_find(const char *id, size_t length);

/** The description of the model in "f32" or "f64", as weir_model_build takes it. WORK_TEXT holds that of any model of at most
 *  64 layers; returns 0 when it does not fit. */
#define WORK_TEXT 16384
int work_describe(const work *w, const char *dtype, char *json, size_t size);

/** A dense layer out x in that occurs `count` times in the model; `share` of its entries are used (a masked matrix). */
typedef struct dense {
    int32_t out, in, count;
    double share;
} dense;

/** Fills list[] with at most `most` and returns how many there are (none for planar flows). */
int work_dense(const work *w, dense *list, int most);

/** Multiplications and additions of one row: of the dense layers, where a masked entry counts nothing, and of the scalar
 *  products of planar layers. A gradient costs twice as much again. Elementwise functions are left out, so that the fraction
 *  of the machine's peak that follows from this is never too high. */
double work_flops(const work *w, operation op);

#endif
