/* curve.h - an increasing Bernstein polynomial on [-B, B] with straight tails, for every row of one lane.
 *
 * With r = (x + B) / 2B, M the degree, B_{j,d}(r) = C(d, j) r^j (1 - r)^(d - j) and coefficients theta_0 < ... < theta_M,
 *      y = sum_j theta_j B_{j,M}(r).
 * In terms of the increments delta_k = theta_k - theta_{k-1} > 0, k = 1 .. M, and of b = (theta_0 + theta_M) / 2
 *      y = b + sum_k delta_k (I_k - 1/2),      I_k = sum_{j >= k} B_{j,M}(r),
 *      dy/dr = M rate,                         rate = sum_k delta_k B_{k-1,M-1}(r) > 0,
 *      d rate / dr = (M - 1) sum_j (delta_{j+2} - delta_{j+1}) B_{j,M-2}(r),
 * where rate is a sum of positive terms and I_k = r B_{k-1,M-1} + sum_{j >= k} B_{j,M-1} is one too: no digit is lost.
 * Beyond B the map goes on with the slope of its end, M delta_M / 2B or M delta_1 / 2B: r is confined to [0, 1] and
 * `over` is what is left of x.
 */
#ifndef BERNSTEIN_CURVE_H
#define BERNSTEIN_CURVE_H

#include <weir/plugin.h>

#define DEGREE_LEAST 2
#define DEGREE_MOST  64

typedef struct bernstein {
    int32_t degree;
    weir_real bound, step; /* B, 2 B / M: the increments of the identity */
    weir_real min_slope, shift;
    weir_real binomials[DEGREE_MOST - 1]; /* C(M - 2, j) */
} bernstein;

/** What the parameters say, and the map at one x a row. Arrays hold n rows each, one after the other. */
typedef struct curve {
    int32_t n;
    weir_real *delta;           /* M arrays */
    weir_real *lower, *basis;   /* M - 1 and M arrays: B_{.,M-2}, B_{.,M-1} */
    weir_real *r, *rest, *over; /* lanes: r, 1 - r, x less its confinement */
    weir_real *rate, *y;
} curve;

/** Memory, and the increments from the parameters at p. 0: no memory. */
int WEIR_NAME(curve_make)(const bernstein *self, weir_frame *frame, int32_t n, const weir_real *p, int64_t s,
                          curve *c);
/** rate and y at x, with the shift at b. */
void WEIR_NAME(curve_evaluate)(const bernstein *self, const curve *c, const weir_real *x, const weir_real *b);

/** x on [-B, B]; NaN stays. */
WEIR_INLINE weir_real curve_confined(weir_real x, weir_real bound)
{
    return x > bound ? bound : x < -bound ? -bound : x;
}

#endif
