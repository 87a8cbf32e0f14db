/* triangle.c - see triangle.h. */
#include "triangle.h"

#include <float.h>

#define EPSILON (WEIR_REAL == 32 ? WEIR_C(FLT_EPSILON) : WEIR_C(DBL_EPSILON))

int32_t triangle_side(weir_builder *build, const char *what)
{
    int64_t side = 0;
    while (triangle_size(side + 1) <= build->features) side++;
    if (side > 0 && triangle_size(side) == build->features) return (int32_t)side;
    weir_refuse(
        build,
        "%s row by row has d (d + 1) / 2 numbers: %d features are none such; the nearest are %lld (d = %lld) "
        "and %lld (d = %lld)",
        what, (int)build->features, (long long)triangle_size(side), (long long)side,
        (long long)triangle_size(side + 1), (long long)side + 1);
    return 0;
}

/** to -= a * b */
static void subtract_product(int32_t n, weir_real *restrict to, const weir_real *a, const weir_real *b)
{
    for (int32_t i = 0; i < n; i++) to[i] -= a[i] * b[i];
}

/** A pivot that is no more than rounding becomes NaN, and with it its row of data. */
static void pivot(int32_t n, const weir_real *diagonal, weir_real least, weir_real *to)
{
    for (int32_t i = 0; i < n; i++) {
        const weir_real root = (weir_real)sqrt((double)to[i]);
        to[i] = to[i] > least * diagonal[i] && diagonal[i] > 0 ? root : WEIR_C(NAN);
    }
}

weir_status triangle_factor(weir_frame *frame, int32_t side, const weir_tile *S, const weir_tile *L)
{
    const weir_real least = 4 * (weir_real)side * EPSILON;
    const int32_t n = frame->width;
    weir_status status = WEIR_OK;
    for (int32_t i = 0; i < side; i++)
        for (int32_t j = 0; j <= i; j++) {
            weir_real *const to = triangle_lane(L, i, j);
            weir_copy_lane(frame, triangle_lane(S, i, j), to);
            for (int32_t k = 0; k < j; k++)
                subtract_product(n, to, triangle_lane(L, i, k), triangle_lane(L, j, k));
            if (j == i) {
                pivot(n, triangle_lane(S, i, i), least, to);
            } else {
                const weir_real *const root = triangle_lane(L, j, j);
                for (int32_t r = 0; r < n; r++) to[r] /= root[r];
            }
            WEIR_TRY(status, weir_discard_unless_finite(frame, to));
        }
    return status;
}

void triangle_product(const weir_frame *frame, int32_t side, const weir_tile *L, const weir_tile *S)
{
    for (int32_t i = 0; i < side; i++)
        for (int32_t j = 0; j <= i; j++) {
            weir_real *restrict const to = triangle_lane(S, i, j);
            weir_zero_lane(frame, to);
            for (int32_t k = 0; k <= j; k++) {
                const weir_real *const a = triangle_lane(L, i, k), *const b = triangle_lane(L, j, k);
                for (int32_t r = 0; r < frame->width; r++) to[r] += a[r] * b[r];
            }
        }
}

/** The steps of triangle_factor backwards: entry (i, j) hands its cotangent to what it was made of, all before it. */
void factor_vjp(const weir_frame *frame, int32_t side, const weir_tile *L, const weir_tile *bar)
{
    const int32_t n = frame->width;
    for (int32_t i = side - 1; i >= 0; i--)
        for (int32_t j = i; j >= 0; j--) {
            weir_real *const own = triangle_lane(bar, i, j);
            const weir_real *const root = triangle_lane(L, j, j);
            for (int32_t r = 0; r < n; r++) own[r] /= j == i ? 2 * root[r] : root[r];
            if (j < i) subtract_product(n, triangle_lane(bar, j, j), own, triangle_lane(L, i, j));
            for (int32_t k = 0; k < j; k++) {
                subtract_product(n, triangle_lane(bar, i, k), own, triangle_lane(L, j, k));
                subtract_product(n, triangle_lane(bar, j, k), own, triangle_lane(L, i, k));
            }
        }
}

void product_vjp(const weir_frame *frame, int32_t side, const weir_tile *L, const weir_tile *S_bar,
                 const weir_tile *L_bar)
{
    for (int32_t f = 0; f < L_bar->features; f++) weir_zero_lane(frame, weir_lane(L_bar, f));
    for (int32_t i = 0; i < side; i++)
        for (int32_t j = 0; j <= i; j++) {
            const weir_real *const bar = triangle_lane(S_bar, i, j);
            for (int32_t k = 0; k <= j; k++) {
                const weir_real *const a = triangle_lane(L, i, k), *const b = triangle_lane(L, j, k);
                weir_real *const a_bar = triangle_lane(L_bar, i, k), *const b_bar =
                                                                         triangle_lane(L_bar, j, k);
                for (int32_t r = 0; r < frame->width; r++) {
                    const weir_real by_a = bar[r] * b[r], by_b = bar[r] * a[r];
                    a_bar[r] += by_a;
                    b_bar[r] += by_b;
                }
            }
        }
}
