/* dense.h - small dense systems, one per row, for supplied inverses and their gradients. */
#ifndef WEIR__DENSE_H
#define WEIR__DENSE_H

#include <stdint.h>

/** Solves A x = b in place of b for a dense row-major n x n matrix, which is overwritten, by elimination with partial
 *  pivoting. 0: singular or not finite. */
int weir__solve_dense(double *a, double *b, int32_t n);

#endif
