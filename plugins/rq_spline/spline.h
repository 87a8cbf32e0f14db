/* spline.h - the spline of every row of one lane: its grid, and the rational quadratic in the row's bin.
 *
 * One element: knots X_0 = -B < X_1 < ... < X_K = B and Y_0 = -B < ... < Y_K = B with slopes d_0 = 1, ..., d_K = 1.
 * Inside bin k, with w = X_{k+1} - X_k, h = Y_{k+1} - Y_k, s = h / w, xi = (x - X_k) / w, t = xi (1 - xi):
 *      y = Y_k + h A / D,     A = s xi^2 + d_k t,     D = s (1 - 2t) + (d_k + d_{k+1}) t,
 *      dy/dx = s^2 N / D^2,   N = d_{k+1} xi^2 + 2 s t + d_k (1 - xi)^2.
 * Outside [-B, B]: y = x. D is written as a sum of positive terms (t <= 1/4), so nothing cancels.
 *
 * Work goes lane by lane in short loops over the rows, which the compiler vectorises because they have no branch: a
 * choice between results is a weight of 0 or 1 (compilers will not compute both arms of a ?: that may trap). */
#ifndef RQ_SPLINE_SPLINE_H
#define RQ_SPLINE_SPLINE_H

#include <weir/lanes.h>

typedef struct rq_spline {
    int32_t bins;
    weir_real bound, min_width, min_height, min_derivative;
    weir_real shift; /* added to a slope parameter, so that 0 gives slope 1 */
} rq_spline;

/** One direction of the grid: widths or heights. */
typedef struct axis {
    weir_real *exps;  /**< [K][n] numerators of the softmax */
    weir_real *knots; /**< [K + 1][n] */
    weir_real *norm;  /**< [n] reciprocal denominators of the softmax */
    weir_real least;  /**< least share of a bin */
} axis;

/** Where every row of a lane is, and the bin's knots and slopes there. */
typedef struct segment {
    axis x, y;
    weir_real *bin; /**< number of the bin, as a number of the lane's type so that comparisons vectorise */
    weir_real *x0, *w, *y0, *h;
    weir_real *d0, *d1;     /**< slopes, contiguous: d1 = d0 + n */
    weir_real *raw0, *raw1; /**< their parameters, shifted, likewise */
} segment;

/** Everything about the bin of every row, in scratch; `on_y` says whether `at` are values of y. 0: no memory. */
int WEIR_NAME(spline_locate)(const rq_spline *self, weir_frame *frame, int32_t n, const weir_real *at,
                             int on_y, const weir_real *p, int64_t s, segment *g);

/** Cotangents of x and of the parameters, from those of y and of log dy/dx. 0: no memory. */
int WEIR_NAME(spline_pull)(const rq_spline *self, weir_frame *frame, int32_t n, const weir_real *x,
                           const segment *g, const weir_real *y_bar, const weir_real *l_bar, weir_real *x_bar,
                           weir_real *p_bar, int64_t s);

typedef struct rational {
    weir_real xi, t, s, d0, d1;
    weir_real value; /**< A / D, in [0, 1] */
    weir_real den;   /**< D */
    weir_real num;   /**< N */
} rational;

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

/** 1 inside (-bound, bound), else 0. */
WEIR_INLINE weir_real within(weir_real x, weir_real bound)
{
    return (weir_real)((x > -bound) & (x < bound));
}

/** x moved into [-bound, bound]; NaN to an end. */
WEIR_INLINE weir_real confined(weir_real x, weir_real bound)
{
    const weir_real above = x > -bound ? x : -bound;
    return above < bound ? above : bound;
}

#endif
