/* covariance.c - see covariance.h. */
#include "covariance.h"

#include <float.h>

/* Entry (i, j), j <= i, of a lower triangle with its diagonal, row by row. */
static int64_t at(int32_t i, int32_t j)
{
    return (int64_t)i * (i + 1) / 2 + j;
}

/* ---- gathering ------------------------------------------------------------------------------------------------ */

/* The finite rows of a tile, feature by feature, in double; how many there are, or -1 when scratch is exhausted. */
static int32_t take_finite_rows(weir_frame *frame, const weir_tile *tile, double **rows)
{
    const int32_t n = tile->features, most = frame->rows;
    int32_t *const kept = weir_take(frame, (most + 1) * (int64_t)sizeof *kept), count = 0;
    *rows = weir_take(frame, ((int64_t)n * most + 1) * (int64_t)sizeof **rows);
    if (!kept || !*rows) return -1;
    for (int32_t r = 0; r < most; r++) {
        int finite = 1;
        for (int32_t f = 0; f < n; f++) finite = finite && weir_lane(tile, f)[r] - weir_lane(tile, f)[r] == 0;
        if (finite) kept[count++] = r;
    }
    for (int32_t f = 0; f < n; f++)
        for (int32_t k = 0; k < count; k++)
            (*rows)[(int64_t)f * count + k] = (double)weir_lane(tile, f)[kept[k]];
    return count;
}

/* Moves each feature's values to mean 0, and writes the mean. */
static void centre(int32_t n, int32_t count, double *rows, double *mean)
{
    for (int32_t f = 0; f < n; f++) {
        double *const values = rows + (int64_t)f * count;
        mean[f] = 0;
        for (int32_t k = 0; k < count; k++) mean[f] += (values[k] - mean[f]) / (k + 1);
        for (int32_t k = 0; k < count; k++) values[k] -= mean[f];
    }
}

static void fill_products(int32_t n, int32_t count, const double *rows, double *products)
{
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j <= i; j++) {
            const double *const a = rows + (int64_t)i * count, *const b = rows + (int64_t)j * count;
            double sum = 0;
            for (int32_t k = 0; k < count; k++) sum += a[k] * b[k];
            products[at(i, j)] = sum;
        }
}

weir_status WEIR_NAME(covariance_add)(weir_frame *frame, const weir_tile *tile, double *partial)
{
    const int32_t n = tile->features;
    double *rows, *const here = weir_take(frame, covariance_size(n) * (int64_t)sizeof *here);
    const int32_t count = here ? take_finite_rows(frame, tile, &rows) : -1;
    if (count < 0) return WEIR_ERROR;
    here[0] = count;
    centre(n, count, rows, here + 1);
    fill_products(n, count, rows, here + 1 + n);
    WEIR_NAME(covariance_merge)(n, partial, here);
    return WEIR_OK;
}

void WEIR_NAME(covariance_merge)(int32_t n, double *into, const double *from)
{
    const double total = into[0] + from[0];
    double *const mean = into + 1, *const products = into + 1 + n;
    if (!(from[0] > 0)) return;
    const double share = from[0] / total, weight = into[0] * share;
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j <= i; j++)
            products[at(i, j)] +=
                from[1 + n + at(i, j)] + weight * ((from[1 + i] - mean[i]) * (from[1 + j] - mean[j]));
    for (int32_t i = 0; i < n; i++) mean[i] += share * (from[1 + i] - mean[i]);
    into[0] = total;
}

/* ---- the factor ----------------------------------------------------------------------------------------------- */

/* What is left of feature i's deviation when the features before it are known, if more than rounding of data in this
 * precision (around a mean), and of the sums in double, explains; else 0. */
static double remaining(int32_t n, double variance, double left, double mean)
{
    const double epsilon = WEIR_REAL == 32 ? (double)FLT_EPSILON : DBL_EPSILON;
    const double noise = 8 * epsilon * (sqrt(variance) + fabs(mean));
    if (!(left > 4 * n * DBL_EPSILON * variance)) return 0;
    return sqrt(left) > noise && sqrt(left) > 0x1p-126 ? sqrt(left) : 0;
}

static weir_status refuse_feature(weir_frame *frame, int32_t i, double variance)
{
    if (!(variance - variance == 0))
        return weir_failf(
            frame, WEIR_INVALID,
            "the variance of feature %d overflows: rescale the data before this layer, with standardize "
            "for instance",
            (int)(i + 1));
    return weir_failf(
        frame, WEIR_INVALID,
        "the covariance is singular: feature %d is %s, so no Gaussian density exists; remove it, "
        "or set jitter to the deviation of some noise to add",
        (int)(i + 1), variance > 0 ? "a linear combination of the features before it" : "constant");
}

static weir_status require_rows(weir_frame *frame, int32_t n, double rows, double jitter)
{
    if (rows > n || (jitter > 0 && rows >= 1)) return WEIR_OK;
    return weir_failf(
        frame, WEIR_INVALID,
        "%.0f rows of finite values do not determine a Gaussian of %d features: give at least %d%s", rows,
        (int)n, (int)n + 1, rows >= 1 ? ", or set jitter to the deviation of some noise to add" : "");
}

weir_status WEIR_NAME(covariance_factor)(weir_frame *frame, int32_t n, const double *total, double jitter,
                                         double *factor)
{
    const double *const mean = total + 1, *const products = total + 1 + n;
    if (require_rows(frame, n, total[0], jitter) != WEIR_OK) return WEIR_INVALID;
    memset(factor, 0, (size_t)n * (size_t)n * sizeof *factor);
    for (int32_t i = 0; i < n; i++) {
        double *const row = factor + (int64_t)i * n;
        const double variance = products[at(i, i)] / total[0] + jitter * jitter;
        double left = variance;
        for (int32_t j = 0; j < i; j++) {
            const double *const other = factor + (int64_t)j * n;
            double sum = products[at(i, j)] / total[0];
            for (int32_t k = 0; k < j; k++) sum -= row[k] * other[k];
            row[j] = sum / other[j];
            left -= row[j] * row[j];
        }
        row[i] = remaining(n, variance, left, mean[i]);
        if (!(row[i] > 0) || !(variance - variance == 0)) return refuse_feature(frame, i, variance);
    }
    return WEIR_OK;
}
