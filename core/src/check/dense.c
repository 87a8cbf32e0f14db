/* dense.c - Jacobians from VJPs; elimination. */
#include "check/dense.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void pick_output(weir__call *call, int32_t output)
{
    weir__field *const y_bar = &call->field[WEIR__Y_BAR];
    weir__field_fill(y_bar, 0);
    for (int32_t r = 0; r < call->rows; r++) weir__field_set(y_bar, output, r, 1);
}

static void store_row(const weir__call *call, int32_t output, int32_t out, int32_t in, double *jacobians)
{
    for (int32_t r = 0; r < call->rows; r++)
        for (int32_t i = 0; i < in; i++)
            jacobians[((int64_t)r * out + output) * in + i] =
                weir__field_get(&call->field[WEIR__X_BAR], i, r);
}

static weir_status fill_rows(weir__subject *subject, const weir__map *map, weir__call *call,
                             double *jacobians)
{
    static const weir__manner taped = {.tape = 1};
    weir_frame *const frame = weir__call_frame(subject, call, &taped);
    if (!frame) return WEIR_ERROR;
    weir_status status = weir__call_run(subject, map, call, frame);
    const int64_t mark = weir__solo_tape_mark(subject->solo);
    for (int32_t j = 0; status == WEIR_OK && j < map->size[WEIR__Y]; j++) {
        pick_output(call, j);
        weir__solo_tape_rewind(subject->solo, mark);
        status = weir__call_vjp(subject, map, call, frame);
        store_row(call, j, map->size[WEIR__Y], map->size[WEIR__X], jacobians);
    }
    return status;
}

double *weir__jacobians(weir__subject *subject, const weir__map *map, weir__call *call, weir_status *status)
{
    const int64_t out = map->size[WEIR__Y], in = map->size[WEIR__X];
    double *const jacobians = calloc((size_t)(call->rows * out * in + 1), sizeof *jacobians);
    const uint32_t omit = call->omit;
    call->omit |= WEIR__BIT(WEIR__LANE_BAR) | WEIR__BIT(WEIR__PARAMS_BAR);
    *status = jacobians ? fill_rows(subject, map, call, jacobians) : WEIR_ERROR;
    call->omit = omit;
    if (*status == WEIR_OK) return jacobians;
    free(jacobians);
    return NULL;
}

static int32_t pivot_row(const double *a, int32_t n, int32_t k)
{
    int32_t best = k;
    for (int32_t i = k + 1; i < n; i++)
        if (fabs(a[i * n + k]) > fabs(a[best * n + k])) best = i;
    return best;
}

static void swap_rows(double *a, int32_t columns, int32_t i, int32_t j)
{
    for (int32_t k = 0; k < columns; k++) {
        const double kept = a[i * columns + k];
        a[i * columns + k] = a[j * columns + k];
        a[j * columns + k] = kept;
    }
}

double weir__log_abs_det(double *a, int32_t n)
{
    double sum = 0;
    for (int32_t k = 0; k < n; k++) {
        swap_rows(a, n, k, pivot_row(a, n, k));
        const double pivot = a[k * n + k];
        sum += log(fabs(pivot));
        if (pivot == 0) return -INFINITY;
        for (int32_t i = k + 1; i < n; i++) {
            const double factor = a[i * n + k] / pivot;
            for (int32_t j = k; j < n; j++) a[i * n + j] -= factor * a[k * n + j];
        }
    }
    return sum;
}

/* Gauss-Jordan on [A | I] in rows of 2n. */
static int reduce(double *a, int32_t n)
{
    const int32_t m = 2 * n;
    for (int32_t k = 0; k < n; k++) {
        int32_t best = k;
        for (int32_t i = k + 1; i < n; i++)
            if (fabs(a[i * m + k]) > fabs(a[best * m + k])) best = i;
        swap_rows(a, m, k, best);
        const double pivot = a[k * m + k];
        if (pivot == 0) return 0;
        for (int32_t j = 0; j < m; j++) a[k * m + j] /= pivot;
        for (int32_t i = 0; i < n; i++) {
            const double factor = i == k ? 0 : a[i * m + k];
            for (int32_t j = 0; j < m; j++) a[i * m + j] -= factor * a[k * m + j];
        }
    }
    return 1;
}

double weir__inverse_norm(const double *matrix, int32_t n)
{
    double *const a = calloc((size_t)(2 * n * n + 1), sizeof *a);
    double norm = 0;
    if (!a) return NAN;
    for (int32_t i = 0; i < n; i++) {
        memcpy(a + (size_t)i * 2 * (size_t)n, matrix + (size_t)i * (size_t)n, (size_t)n * sizeof *a);
        a[i * 2 * n + n + i] = 1;
    }
    if (!reduce(a, n)) norm = INFINITY;
    for (int32_t i = 0; i < n && isfinite(norm); i++) {
        double sum = 0;
        for (int32_t j = 0; j < n; j++) sum += fabs(a[i * 2 * n + n + j]);
        norm = fmax(norm, sum);
    }
    free(a);
    return norm;
}
