/* arena.h - passes over pieces of the parameter arena: gradients added up, their squares, the optimizers' updates.
 *
 * Each exists for several instruction sets, and all give the same bits: every number is one rounded operation after
 * another in a fixed order, nothing is fused, and the terms of a sum go to a fixed count of partial sums. There is none for
 * AVX-512: roots and quotients, on which Adam waits, come no faster there. */
#ifndef WEIR__ARENA_H
#define WEIR__ARENA_H

#include "math/tables.h"

/** Adam's step, with the corrections of its bias multiplied in:
 *      g' = factor g + added p,  m = beta1 m + (1 - beta1) g',  v = beta2 v + (1 - beta2) g'^2,
 *      p = kept p - rate m / (sqrt(scale2 v) + epsilon) */
typedef struct weir__adam_rule {
    double factor, added, kept, beta1, beta2, rate, scale2, epsilon;
} weir__adam_rule;

/** g' = factor g + added p,  m = momentum m + g',  p -= rate (ahead m + direct g') */
typedef struct weir__sgd_rule {
    double factor, added, momentum, rate, ahead, direct;
} weir__sgd_rule;

#define WEIR__ARENA_ADD(name)     void name(int64_t n, const void *from, void *into)
#define WEIR__ARENA_DRAIN(name)   void name(int64_t n, void *from, void *into)
#define WEIR__ARENA_SQUARES(name) double name(int64_t n, double scale, void *g)
#define WEIR__ARENA_ADAM(name)                                                                               \
    void name(const weir__adam_rule *rule, int64_t n, const void *g, void *p, void *m, void *v)
#define WEIR__ARENA_SGD(name)                                                                                \
    void name(const weir__sgd_rule *rule, int64_t n, const void *g, void *p, void *m)

/** The passes in one precision. Nothing overlaps. */
typedef struct weir__arena {
    /** into += from */
    WEIR__ARENA_ADD((*add));
    /** into += from, from = 0, for what other threads have written: it comes with the right to write. Had it only been read
     *  here, the next write there would wait long for each line of the cache. Where `from` stays with its thread, zeroes
     *  just before its next use are cheaper: they bring it into the cache. */
    WEIR__ARENA_DRAIN((*drain));
    /** g *= scale, and the sum of its squares, summed in double. */
    WEIR__ARENA_SQUARES((*squares));
    WEIR__ARENA_ADAM((*adam));
    WEIR__ARENA_SGD((*sgd));
} weir__arena;

/** The best for this processor, within what WEIR_MATH allows. */
const weir__arena *weir__arena_passes(int32_t precision);

extern const weir__arena weir__arena_base_f32, weir__arena_base_f64;
#if WEIR__X86_64
extern const weir__arena weir__arena_avx2_f32, weir__arena_avx2_f64;
#endif

#endif
