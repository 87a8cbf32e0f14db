/* angles.c - see angles.h. */
#include "angles.h"

#include <stdlib.h>

/* ---- options ---- */

/** marked[i] = 1 for the inputs that are angles. */
static weir_status mark(weir_builder *build, int32_t inputs, char *marked)
{
    int64_t few[64], *list = few;
    weir_status status = WEIR_OK;
    memset(marked, 1, (size_t)inputs);
    if (!build->given(build, "angles")) return WEIR_OK;
    memset(marked, 0, (size_t)inputs);
    const int32_t count = build->integers(build, "angles", NULL, 0);
    if (count > 64 && !(list = malloc((size_t)count * sizeof *list)))
        return weir_refuse(build, "out of memory");
    build->integers(build, "angles", list, count);
    for (int32_t k = 0; k < count && status == WEIR_OK; k++) {
        if (list[k] > inputs)
            status = weir_refuse(build, "angles names input %lld, but there are %d", (long long)list[k],
                                 (int)inputs);
        else if (marked[list[k] - 1])
            status = weir_refuse(build, "angles names input %lld twice", (long long)list[k]);
        else
            marked[list[k] - 1] = 1;
    }
    if (list != few) free(list);
    return status;
}

static weir_status lay_out(weir_builder *build, const char *marked, angles *self)
{
    int64_t at = 0;
    for (int32_t i = 0; i < self->inputs; i++) {
        const int last = self->hidden && i == self->inputs - 1;
        self->first[i] = (int32_t)at;
        at += marked[i] && !last ? 2 * self->harmonics : 1;
        if (at > INT32_MAX / 2)
            return weir_refuse(build, "%d inputs of %d harmonics are too many", (int)self->inputs,
                               (int)self->harmonics);
    }
    self->first[self->inputs] = self->count = (int32_t)at;
    return WEIR_OK;
}

weir_status WEIR_NAME(angles_read)(weir_builder *build, int32_t inputs, int hidden, angles *self)
{
    const double lower = build->number(build, "lower"), upper = build->number(build, "upper");
    const double tau = 6.283185307179586;
    *self = (angles){.inputs = inputs, .harmonics = (int32_t)build->integer(build, "harmonics")};
    self->hidden = hidden != 0;
    self->rate = WEIR_C(tau / (upper - lower));
    if (!(upper - lower >= 1e-9))
        return weir_refuse(build, "a circle from %g to %g: upper must be larger than lower", lower, upper);
    char *const marked = malloc((size_t)inputs + 1);
    self->first = calloc((size_t)inputs + 1, sizeof *self->first);
    weir_status status = marked && self->first ? mark(build, inputs, marked) : WEIR_INVALID;
    if (!marked || !self->first) weir_refuse(build, "out of memory");
    if (status == WEIR_OK) status = lay_out(build, marked, self);
    free(marked);
    return status;
}

void WEIR_NAME(angles_clear)(angles *self)
{
    free(self->first);
}

/* ---- lanes ---- */

static int32_t lanes_of(const angles *self, int32_t i)
{
    return self->first[i + 1] - self->first[i];
}

void WEIR_NAME(angles_see)(const angles *self, weir_frame *frame, int32_t i, const weir_tile *x,
                           const weir_tile *seen)
{
    const weir_real *restrict const angle = weir_lane(x, i);
    const int32_t first = self->first[i], lanes = lanes_of(self, i);
    if (lanes == 1 && self->hidden && i == self->inputs - 1) {
        weir_zero_lane(frame, weir_lane(seen, first));
    } else if (lanes == 1) {
        weir_copy_lane(frame, angle, weir_lane(seen, first));
    } else {
        for (int32_t k = 0; k < lanes / 2; k++) {
            const weir_real rate = self->rate * (weir_real)(k + 1);
            weir_real *restrict const cosine = weir_lane(seen, first + 2 * k);
            weir_real *restrict const sine = weir_lane(seen, first + 2 * k + 1);
            for (int32_t r = 0; r < frame->width; r++) sine[r] = rate * angle[r];
            frame->math->cos(frame->width, sine, cosine);
            frame->math->sin(frame->width, sine, sine);
        }
    }
}

void WEIR_NAME(angles_pull)(const angles *self, const weir_frame *frame, int32_t i, const weir_tile *seen,
                            const weir_tile *seen_bar, const weir_tile *x_bar)
{
    weir_real *restrict const bar = weir_lane(x_bar, i);
    const int32_t first = self->first[i], lanes = lanes_of(self, i);
    weir_zero_lane(frame, bar);
    if (lanes == 1) {
        if (!self->hidden || i < self->inputs - 1) weir_copy_lane(frame, weir_lane(seen_bar, first), bar);
        return;
    }
    for (int32_t k = 0; k < lanes / 2; k++) {
        const weir_real rate = self->rate * (weir_real)(k + 1);
        const weir_real *restrict const cosine = weir_lane(seen, first + 2 * k);
        const weir_real *restrict const sine = weir_lane(seen, first + 2 * k + 1);
        const weir_real *restrict const cosine_bar = weir_lane(seen_bar, first + 2 * k);
        const weir_real *restrict const sine_bar = weir_lane(seen_bar, first + 2 * k + 1);
        for (int32_t r = 0; r < frame->width; r++)
            bar[r] += rate * (cosine[r] * sine_bar[r] - sine[r] * cosine_bar[r]);
    }
}
