/* dense.h - Jacobians of small maps, built from VJPs, and the little linear algebra they need. */
#ifndef WEIR__DENSE_H
#define WEIR__DENSE_H

#include "check/call.h"

/** The Jacobians at every row of the call: out * in numbers a row, row-major, caller frees. One forward with tape,
 *  rewound for one VJP per output. NULL with *status set when a call failed. */
double *weir__jacobians(weir__subject *subject, const weir__map *map, weir__call *call, weir_status *status);
/** The same by fourth-order central differences, for maps without a VJP: good to about 1e-9 of the map's scale. */
double *weir__jacobians_by_differences(weir__subject *subject, const weir__map *map, weir__call *call,
                                       weir_status *status);
/** log |det| of an n x n matrix, by elimination with partial pivoting. Overwrites it with its factors. -infinity when
 *  singular. */
double weir__log_abs_det(double *matrix, int32_t n);
/** log of the volume that `count` vectors span, row by row, each of `length` >= count numbers. Overwrites them. -infinity when
 *  they lie in fewer dimensions. */
double weir__log_volume(double *vectors, int32_t count, int32_t length);
/** Largest row sum of the inverse of an n x n matrix; infinite when singular. NAN when memory is exhausted. */
double weir__inverse_norm(const double *matrix, int32_t n);
/** Norms of the inverse Jacobian at every row; NULL when they cannot be had (no VJP, not square, a call failed). Caller
 *  frees. */
double *weir__inverse_norms(weir__subject *subject, const weir__map *map, weir__call *call);

#endif
