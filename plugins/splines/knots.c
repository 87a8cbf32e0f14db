/* knots.c - see knots.h. A spline is located once for every bin, in its middle: the slopes of the bin's two knots come with
 * that. */
#include "knots.h"

weir_status WEIR_NAME(knots_finite)(weir_frame *frame, int32_t count, const weir_real *values)
{
    for (int32_t k = 0; k < count; k++)
        if (values[k] - values[k] != 0)
            return weir_failf(frame, WEIR_INVALID,
                              "the parameters have no spline: they hold a value that is not finite");
    return WEIR_OK;
}

static weir_real middle(const box *self, const weir_real *x, int32_t k)
{
    return k < 0 ? -self->bound : x[k] + (x[k + 1] - x[k]) / 2;
}

weir_status WEIR_NAME(rational_knots)(const rational_spline *self, weir_frame *frame, const weir_real *theta,
                                      weir_real *x, weir_real *y, weir_real *slope)
{
    const int32_t bins = self->box.bins;
    for (int32_t k = -1; k < bins; k++) { /* -1: where the bins are */
        segment g;
        const weir_real at = middle(&self->box, x, k);
        const int64_t mark = frame->services->scratch_mark(frame);
        if (!WEIR_NAME(rational_locate)(self, frame, 1, &at, 0, theta, 1, &g)) return WEIR_ERROR;
        if (k < 0) memcpy(x, g.x.knots, ((size_t)bins + 1) * sizeof *x);
        if (k < 0) memcpy(y, g.y.knots, ((size_t)bins + 1) * sizeof *y);
        if (k >= 0) slope[k] = g.d0[0], slope[k + 1] = g.d1[0];
        frame->services->scratch_release(frame, mark);
    }
    weir_status status = WEIR_NAME(knots_finite)(frame, bins + 1, x);
    if (!status) status = WEIR_NAME(knots_finite)(frame, bins + 1, y);
    return status ? status : WEIR_NAME(knots_finite)(frame, bins + 1, slope);
}

weir_status WEIR_NAME(quadratic_knots)(const void *module, weir_frame *frame, const weir_real *theta,
                                       weir_real *x, weir_real *y, weir_real *slope)
{
    const quadratic_spline *const self = module;
    const size_t bytes = ((size_t)self->box.bins + 1) * sizeof *x;
    const weir_real at = 0;
    bend g;
    if (!WEIR_NAME(quadratic_locate)(self, frame, 1, &at, 0, theta, 1, &g)) return WEIR_ERROR;
    memcpy(x, g.x.knots, bytes);
    memcpy(y, g.y, bytes);
    memcpy(slope, g.d, bytes);
    const weir_status status = WEIR_NAME(knots_finite)(frame, self->box.bins + 1, x);
    return status ? status : WEIR_NAME(knots_finite)(frame, self->box.bins + 1, slope);
}

/* Inside, the slope at a knot is the same from both sides; outside the box it is 1, whatever it is at the ends. */
weir_status WEIR_NAME(cubic_knots)(const void *module, weir_frame *frame, const weir_real *theta,
                                   weir_real *x, weir_real *y, weir_real *slope)
{
    const cubic_spline *const self = module;
    const int32_t bins = self->box.bins;
    for (int32_t k = -1; k < bins; k++) {
        curve g;
        const weir_real at = middle(&self->box, x, k);
        const int64_t mark = frame->services->scratch_mark(frame);
        if (!WEIR_NAME(cubic_locate)(self, frame, 1, &at, 0, theta, 1, &g)) return WEIR_ERROR;
        if (k < 0) memcpy(x, g.x.knots, ((size_t)bins + 1) * sizeof *x);
        if (k < 0) memcpy(y, g.y.knots, ((size_t)bins + 1) * sizeof *y);
        if (k >= 0) slope[k] = g.left.steep[0] * g.h[0] / g.w[0];
        if (k == bins - 1) slope[bins] = g.right.steep[0] * g.h[0] / g.w[0];
        frame->services->scratch_release(frame, mark);
    }
    weir_status status = WEIR_NAME(knots_finite)(frame, bins + 1, x);
    if (!status) status = WEIR_NAME(knots_finite)(frame, bins + 1, y);
    return status ? status : WEIR_NAME(knots_finite)(frame, bins + 1, slope);
}
