/* grid.h - what all splines share: the box they live in, shares of it from a softmax, knots, and the bin of every row.
 *
 * A spline maps [-B, B] onto itself in K bins. Knots are X_0 = -B < ... < X_K = B, at running sums of widths
 * 2B (min + (1 - K min) softmax(p)); heights make Y_0 .. Y_K in the same way. Both ends are exact.
 *
 * Work goes lane by lane in short loops over the rows, which the compiler vectorises because they have no branch: a
 * choice between results is a weight of 0 or 1 (compilers will not compute both arms of a ?: that may trap). */
#ifndef SPLINES_GRID_H
#define SPLINES_GRID_H

#include <weir/lanes.h>

#if WEIR_REAL == 32
#define REAL_SQRT sqrtf
#define REAL_ABS  fabsf
#else
#define REAL_SQRT sqrt
#define REAL_ABS  fabs
#endif

typedef struct box {
    int32_t bins;
    weir_real bound;
} box;

/** One direction of the grid: widths or heights. */
typedef struct axis {
    weir_real *exps;  /**< [K][n] numerators of the softmax */
    weir_real *knots; /**< [K + 1][n] */
    weir_real *norm;  /**< [n] reciprocal denominators of the softmax */
    weir_real least;  /**< least share of a bin */
} axis;

/* ---- options ---- */

#define MOST_BINS 256

#define BINS_OPTION(least)                                                                                   \
    {                                                                                                        \
        .struct_size = (uint32_t)sizeof(weir_option), .type = WEIR_INTEGER, .name = "bins",                  \
        .default_json = "8", .minimum = (least), .maximum = MOST_BINS, .summary = "number of bins, K"        \
    }
#define BOUND_OPTION                                                                                         \
    {                                                                                                        \
        .struct_size = (uint32_t)sizeof(weir_option), .type = WEIR_NUMBER, .name = "bound",                  \
        .default_json = "5", .minimum = 1e-3, .maximum = 1e6,                                                \
        .summary =                                                                                           \
            "the spline lives on [-bound, bound], the tails are the identity; 5 suits standardized data"     \
    }
/** min_width, min_height: `of` says what the share is a fraction of. */
#define SHARE_OPTION(option, what, of)                                                                       \
    {                                                                                                        \
        .struct_size = (uint32_t)sizeof(weir_option), .type = WEIR_NUMBER, .name = option,                   \
        .default_json = "1e-3", .minimum = 1e-6, .maximum = 0.5,                                             \
        .summary = "least " what " of a bin as a fraction of " of "; bins * " option " < 1"                  \
    }
#define SLOPE_OPTION(meaning)                                                                                \
    {                                                                                                        \
        .struct_size = (uint32_t)sizeof(weir_option), .type = WEIR_NUMBER, .name = "min_derivative",         \
        .default_json = "1e-3", .minimum = 1e-6, .maximum = 0.5, .summary = meaning                          \
    }

/** Reads the options bins and bound. */
box WEIR_NAME(box_read)(weir_builder *build);
/** Reads the least share `name`; refused when the bins have no room for it. */
weir_status WEIR_NAME(share_read)(weir_builder *build, int32_t bins, const char *name, weir_real *least);

/* ---- from parameters to the bin of every row ---- */

/** Of a width (or height): what every bin has of it, and what the softmax shares out. */
WEIR_INLINE weir_real least_size(const box *self, const axis *a)
{
    return 2 * self->bound * a->least;
}

WEIR_INLINE weir_real shared_size(const box *self, const axis *a)
{
    return 2 * self->bound - least_size(self, a) * (weir_real)self->bins;
}

/** p less the row's largest, so that no exponential overflows; `top` is working memory. */
void WEIR_NAME(less_largest)(int32_t n, int32_t bins, const weir_real *p, int64_t s, weir_real *top,
                             weir_real *out);
/** Knots from the exponentials. */
void WEIR_NAME(place_knots)(const box *self, int32_t n, const axis *a);
/** bin = how many inner knots `at` has reached, as a number of the lane's type; 0 for NaN. */
void WEIR_NAME(find_bins)(int32_t n, int32_t bins, const weir_real *at, const weir_real *knots,
                          weir_real *bin);

/* ---- and back: cotangents of the softmax's parameters, overwritten ---- */

/** When only the two knots of the row's bin have cotangents, knot0 and knot1, which are used up. `knot` and `size`: the
 *  bin's lower knot and its width (or height); `rest` is working memory. */
void WEIR_NAME(knots_pull)(const box *self, int32_t n, const axis *a, const weir_real *bin,
                           const weir_real *knot, const weir_real *size, weir_real *knot0, weir_real *knot1,
                           weir_real *rest, weir_real *p_bar, int64_t s);
/** When every bin's width (or height) has one: size_bar [K][n]. `mean` is working memory. */
void WEIR_NAME(sizes_pull)(const box *self, int32_t n, const axis *a, const weir_real *size_bar,
                           weir_real *mean, weir_real *p_bar, int64_t s);

/* ---- inside and outside ---- */

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
