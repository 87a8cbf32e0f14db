/* skew.c - see skew.h. */
#include "skew.h"

#define MOST 1e4 /* for the norm: exp and (I + A)^-1 lose about as many digits as it has */

weir_status WEIR_NAME(skew_declare)(factor *self, weir_builder *build, const start *from)
{
    const int64_t n = self->features, half[1] = {n * (n - 1) / 2}, side[2] = {n, n};
    const weir_init normal = {.struct_size = (uint32_t)sizeof normal, .kind = WEIR_INIT_NORMAL, .b = 1};
    self->main = build->parameter(build, self->name, 1, half, from->random ? &normal : NULL, 0);
    self->dense = build->derived(build, "rotation", 2, side);
    return WEIR_OK;
}

static void lay_out(int32_t n, const weir_real *packed, double *a)
{
    for (int32_t i = 0; i < n; i++) {
        a[(int64_t)i * n + i] = 0;
        for (int32_t j = 0; j < i; j++) {
            a[(int64_t)i * n + j] = (double)packed[packed_index(i, j)];
            a[(int64_t)j * n + i] = -(double)packed[packed_index(i, j)];
        }
    }
}

weir_status WEIR_NAME(skew_read)(const factor *self, weir_frame *frame, double *a, double *norm)
{
    const int32_t n = self->features;
    lay_out(n, weir_tensor(frame, self->main), a);
    *norm = 0;
    for (int32_t i = 0; i < n; i++) {
        double sum = 0;
        for (int32_t j = 0; j < n; j++) sum += fabs(a[(int64_t)i * n + j]);
        if (!(sum <= MOST))
            return weir_failf(
                frame, WEIR_INVALID,
                "the entries of the parameter `skew` that turn feature %d add up to %g, and beyond %g the "
                "rotation is lost in rounding: load smaller ones, or train with a smaller learning rate",
                (int)(i + 1), sum, MOST);
        *norm = fmax(*norm, sum);
    }
    return WEIR_OK;
}

void WEIR_NAME(skew_pull)(const factor *self, weir_frame *frame, const double *a_bar)
{
    const int32_t n = self->features;
    weir_real *const packed_bar = weir_gradient(frame, self->main);
    for (int32_t i = 0; packed_bar && i < n; i++)
        for (int32_t j = 0; j < i; j++)
            packed_bar[packed_index(i, j)] += WEIR_C(a_bar[(int64_t)i * n + j] - a_bar[(int64_t)j * n + i]);
}
