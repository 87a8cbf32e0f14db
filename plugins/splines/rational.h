/* rational.h - the rational-quadratic spline of every row of one lane: its grid, its value and its derivatives.
 *
 * Inside bin k of the grid, with w = X_{k+1} - X_k, h = Y_{k+1} - Y_k, s = h / w, xi = (x - X_k) / w, t = xi (1 - xi)
 * and slopes d_k, d_{k+1} at its knots:
 *      y = Y_k + h A / D,     A = s xi^2 + d_k t,     D = s (1 - 2t) + (d_k + d_{k+1}) t,
 *      dy/dx = s^2 N / D^2,   N = d_{k+1} xi^2 + 2 s t + d_k (1 - xi)^2.
 * D is written as a sum of positive terms (t <= 1/4), so nothing cancels. Two modules are made of it:
 *   rq_spline        d_0 = d_K = 1 and y = x outside [-B, B]; parameters of the slopes: K - 1, of the inner knots
 *   circular_spline  d_0 = d_K, for -B and B are the same point and there is no outside; K, of knots 0 .. K - 1 */
#ifndef SPLINES_RATIONAL_H
#define SPLINES_RATIONAL_H

#include "grid.h"

typedef struct rational_spline {
    box box;
    weir_real min_width, min_height, min_derivative;
    weir_real shift; /* added to a slope parameter, so that 0 gives slope 1 */
    weir_real tail;  /* where the tails begin: the bound; on a circle infinity */
    int periodic;
} rational_spline;

/** Where every row of a lane is, and the bin's knots and slopes there. */
typedef struct segment {
    axis x, y;
    weir_real *bin; /**< number of the bin, as a number of the lane's type so that comparisons vectorise */
    weir_real *x0, *w, *y0, *h;
    weir_real *d0, *d1;     /**< slopes, contiguous: d1 = d0 + n */
    weir_real *raw0, *raw1; /**< their parameters, shifted, likewise */
} segment;

/** Reads min_width, min_height and min_derivative; the box is there already. */
weir_status WEIR_NAME(rational_read)(weir_builder *build, rational_spline *self);

/** Everything about the bin of every row, in scratch; `on_y` says whether `at` are values of y. 0: no memory. */
int WEIR_NAME(rational_locate)(const rational_spline *self, weir_frame *frame, int32_t n, const weir_real *at,
                               int on_y, const weir_real *p, int64_t s, segment *g);
/** y and dy/dx, which is 1 in the tails; the slope is NaN where x is not finite. */
void WEIR_NAME(rational_values)(const rational_spline *self, int32_t n, const weir_real *x, const segment *g,
                                weir_real *y, weir_real *slope);
/** The inverse: x and dy/dx there. */
void WEIR_NAME(rational_roots)(const rational_spline *self, int32_t n, const weir_real *y, const segment *g,
                               weir_real *x, weir_real *slope);

/** Cotangents of x and of the parameters, from those of y and of log dy/dx. 0: no memory. */
int WEIR_NAME(rational_pull)(const rational_spline *self, weir_frame *frame, int32_t n, const weir_real *x,
                             const segment *g, const weir_real *y_bar, const weir_real *l_bar,
                             weir_real *x_bar, weir_real *p_bar, int64_t s);
/** The same for the inverse at its output x: y_bar from x_bar and the cotangent of log dx/dy. 0: no memory. */
int WEIR_NAME(rational_pull_inverse)(const rational_spline *self, weir_frame *frame, int32_t n,
                                     const weir_real *x, const segment *g, const weir_real *x_bar,
                                     const weir_real *l_bar, weir_real *y_bar, weir_real *p_bar, int64_t s);

typedef struct rational {
    weir_real xi, t, s, d0, d1;
    weir_real value; /**< A / D, in [0, 1] */
    weir_real den;   /**< D */
    weir_real num;   /**< N */
} rational;

/** xi, from what lies between x and its bin's lower knot, and 1 / w. The upper knot is rounded apart from the size, so that x
 *  may lie beyond X_k + w by a rounding; beyond 1 the formulas below would not hold. */
WEIR_INLINE weir_real share_of_bin(weir_real above, weir_real per_w)
{
    const weir_real xi = above * per_w;
    return xi < 1 ? xi : 1;
}

WEIR_INLINE rational rational_at(weir_real xi, weir_real s, weir_real d0, weir_real d1)
{
    rational q = {.xi = xi, .t = xi * (1 - xi), .s = s, .d0 = d0, .d1 = d1};
    q.den = s * (1 - 2 * q.t) + (d0 + d1) * q.t;
    q.num = d1 * xi * xi + 2 * s * q.t + d0 * (1 - xi) * (1 - xi);
    q.value = (s * xi * xi + d0 * q.t) / q.den;
    return q;
}

/** dy/dx, ordered so that steep slopes do not overflow. */
WEIR_INLINE weir_real rational_slope(const rational *q)
{
    const weir_real r = q->s / q->den;
    return r * (r * q->num);
}

/** d log(dy/dx) / d xi */
WEIR_INLINE weir_real rational_bend(const rational *q)
{
    const weir_real num_xi = 2 * (q->d1 * q->xi + q->s * (1 - 2 * q->xi) - q->d0 * (1 - q->xi));
    const weir_real den_xi = (q->d0 + q->d1 - 2 * q->s) * (1 - 2 * q->xi);
    return num_xi / q->num - 2 * den_xi / q->den;
}

#endif
