/* cubic.h - the monotone cubic of every row of one lane.
 *
 * Inside bin k, with w and h its width and height, s = h / w, xi = (x - X_k) / w, and slopes s alpha, s beta at its knots:
 *      y = Y_k + h V(xi),     V = alpha xi (1 - xi)^2 + (3 - beta) xi^2 (1 - xi) + xi^3,
 *      dy/dx = s V',          V' = alpha (1 - xi)^2 + 2 (3 - alpha - beta) xi (1 - xi) + beta xi^2.
 * alpha, beta <= 3, so V is a sum of non-negative terms and increases (Fritsch and Carlson 1980). A slope d at an inner
 * knot is Steffen's (1990): with mean slopes s, s' and widths w, w' of the bins on its two sides
 *      d = min(2 s, 2 s', p),     p = (s w' + s' w) / (w + w'), the slope there of the parabola through three knots;
 * so alpha, beta <= 2 there. At the two ends they are parameters. V' >= 2/9 min(alpha, beta, 1) wherever there are two bins
 * or more, since then at most one side of a bin is an end. */
#ifndef SPLINES_CUBIC_H
#define SPLINES_CUBIC_H

#include "grid.h"

typedef struct cubic_spline {
    box box;
    weir_real min_width, min_height;
    weir_real
        min_derivative; /* of the slope at an end, in units of the end bin's mean slope; at most 3 less this */
    weir_real shift;    /* added to an end's parameter, so that 0 gives 1 */
} cubic_spline;

/** A bin next to the row's own. */
typedef struct neighbour {
    weir_real *w, *h;    /**< the row's own bin once more where there is none */
    weir_real *there;    /**< 1 or 0 */
    weir_real *sigmoid;  /**< of the end's parameter, shifted */
    weir_real *parabola; /**< p at the knot between */
    weir_real *steep;    /**< alpha or beta */
} neighbour;

typedef struct curve {
    axis x, y;
    weir_real *bin, *x0, *w, *y0, *h;
    neighbour left, right;
} curve;

/** Everything about the bin of every row, in scratch; `on_y` says whether `at` are values of y. 0: no memory. */
int WEIR_NAME(cubic_locate)(const cubic_spline *self, weir_frame *frame, int32_t n, const weir_real *at,
                            int on_y, const weir_real *p, int64_t s, curve *g);
/** Cotangents of x and of the parameters, from those of y and of log dy/dx. 0: no memory. */
int WEIR_NAME(cubic_pull)(const cubic_spline *self, weir_frame *frame, int32_t n, const weir_real *x,
                          const curve *g, const weir_real *y_bar, const weir_real *l_bar, weir_real *x_bar,
                          weir_real *p_bar, int64_t s);

/** V */
WEIR_INLINE weir_real cubic_value(weir_real xi, weir_real alpha, weir_real beta)
{
    const weir_real rest = 1 - xi;
    return xi * (alpha * rest * rest + xi * ((3 - beta) * rest + xi));
}

/** V' */
WEIR_INLINE weir_real cubic_slope(weir_real xi, weir_real alpha, weir_real beta)
{
    const weir_real rest = 1 - xi;
    return alpha * rest * rest + 2 * (3 - alpha - beta) * xi * rest + beta * xi * xi;
}

/** V'' / V' */
WEIR_INLINE weir_real cubic_bend(weir_real xi, weir_real alpha, weir_real beta)
{
    const weir_real second = beta * xi - alpha * (1 - xi) + (3 - alpha - beta) * (1 - 2 * xi);
    return 2 * second / cubic_slope(xi, alpha, beta);
}

#endif
