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

/* Adds weight * y(x + h e_input) / h to column `input`, with every row's h = steps * 1e-3 (1 + |x|). */
static weir_status add_moved(weir__subject *subject, const weir__map *map, const weir__call *at,
                             weir__call *moved, int32_t input, double steps, double weight, double *jacobians)
{
    const int64_t out = map->size[WEIR__Y], in = map->size[WEIR__X];
    const weir__field *const x = &at->field[WEIR__X];
    weir__call_copy(moved, at);
    for (int32_t r = 0; r < at->rows; r++) {
        const double value = weir__field_get(x, input, r);
        weir__field_set(&moved->field[WEIR__X], input, r, value + steps * 1e-3 * (1 + fabs(value)));
    }
    weir__field_pad(&moved->field[WEIR__X], 0);
    const weir_status status = weir__evaluate(subject, map, moved);
    for (int32_t r = 0; status == WEIR_OK && r < at->rows; r++)
        for (int32_t j = 0; j < out; j++)
            jacobians[(r * out + j) * in + input] += weight * weir__field_get(&moved->field[WEIR__Y], j, r) /
                                                     (1e-3 * (1 + fabs(weir__field_get(x, input, r))));
    return status;
}

double *weir__jacobians_by_differences(weir__subject *subject, const weir__map *map, weir__call *call,
                                       weir_status *status)
{
    static const struct {
        double steps, weight;
    } stencil[] = {{-2, 1.0 / 12}, {-1, -8.0 / 12}, {1, 8.0 / 12}, {2, -1.0 / 12}};
    const int64_t out = map->size[WEIR__Y], in = map->size[WEIR__X];
    double *const jacobians = calloc((size_t)(call->rows * out * in + 1), sizeof *jacobians);
    weir__call *const moved = jacobians ? weir__call_like(subject, map, call, WEIR__PLAIN) : NULL;
    *status = moved ? WEIR_OK : WEIR_ERROR;
    for (int32_t i = 0; i < in; i++)
        for (int32_t k = 0; *status == WEIR_OK && k < 4; k++)
            *status = add_moved(subject, map, call, moved, i, stencil[k].steps, stencil[k].weight, jacobians);
    if (*status == WEIR_OK) *status = weir__evaluate(subject, map, call);
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

/* Below it digits are being lost, or all are. */
#define LEAST_PIVOT 1e-290

double weir__log_abs_det(double *a, int32_t n)
{
    double sum = 0;
    for (int32_t k = 0; k < n; k++) {
        swap_rows(a, n, k, pivot_row(a, n, k));
        const double pivot = a[k * n + k];
        if (fabs(pivot) < LEAST_PIVOT) return -INFINITY;
        sum += log(fabs(pivot));
        for (int32_t i = k + 1; i < n; i++) {
            const double factor = a[i * n + k] / pivot;
            for (int32_t j = k; j < n; j++) a[i * n + j] -= factor * a[k * n + j];
        }
    }
    return sum;
}

static double dot(const double *a, const double *b, int32_t length)
{
    double sum = 0;
    for (int32_t i = 0; i < length; i++) sum += a[i] * b[i];
    return sum;
}

/* Gram-Schmidt; each vector is made orthogonal twice, since once is not enough when it nearly lies in the others' span. */
double weir__log_volume(double *vectors, int32_t count, int32_t length)
{
    double sum = 0;
    for (int32_t k = 0; k < count; k++) {
        double *const own = vectors + (int64_t)k * length;
        for (int32_t before = 0; before < 2 * k; before++) {
            const double *const other = vectors + (int64_t)(before % k) * length;
            const double part = dot(own, other, length);
            for (int32_t i = 0; i < length; i++) own[i] -= part * other[i];
        }
        const double size = sqrt(dot(own, own, length));
        sum += log(size);
        if (size == 0) return -INFINITY;
        for (int32_t i = 0; i < length; i++) own[i] /= size;
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
    double *const a = calloc(2 * (size_t)n * (size_t)n + 1, sizeof *a);
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

double *weir__inverse_norms(weir__subject *subject, const weir__map *map, weir__call *call)
{
    const int32_t n = map->size[WEIR__X];
    weir_status status;
    if (!map->vjp || map->size[WEIR__Y] != n) return NULL;
    double *const jacobians = weir__jacobians(subject, map, call, &status);
    if (!jacobians) return NULL;
    for (int32_t r = 0; r < call->rows; r++)
        jacobians[r] = weir__inverse_norm(jacobians + (int64_t)r * n * n, n);
    return jacobians;
}
