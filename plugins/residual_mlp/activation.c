/* activation.c - the activations that linear objects offer, with the same slopes, lane by lane. */
#include "activation.h"

/* Written so that NaN stays NaN. */
static void rectify(int32_t n, weir_real slope, const weir_real *h, weir_real *a)
{
    for (int32_t r = 0; r < n; r++) a[r] = h[r] < 0 ? slope * h[r] : h[r];
}

static void elu(const weir_frame *frame, const weir_real *h, weir_real *a)
{
    frame->math->expm1(frame->width, h, a);
    for (int32_t r = 0; r < frame->width; r++) a[r] = h[r] > 0 ? h[r] : a[r];
}

static void activate_lane(int32_t activation, const weir_frame *frame, const weir_real *h, weir_real *a)
{
    const weir_math *const math = frame->math;
    const int32_t n = frame->width;
    if (activation == WEIR_ACTIVATION_RELU)
        rectify(n, 0, h, a);
    else if (activation == WEIR_ACTIVATION_LEAKY_RELU)
        rectify(n, WEIR_C(0.01), h, a);
    else if (activation == WEIR_ACTIVATION_TANH)
        math->tanh(n, h, a);
    else if (activation == WEIR_ACTIVATION_SIGMOID)
        math->sigmoid(n, h, a);
    else if (activation == WEIR_ACTIVATION_SOFTPLUS)
        math->softplus(n, h, a);
    else
        elu(frame, h, a);
}

void WEIR_NAME(activate)(int32_t activation, const weir_frame *frame, const weir_tile *h, const weir_tile *a)
{
    for (int32_t f = 0; f < h->features; f++)
        activate_lane(activation, frame, weir_lane(h, f), weir_lane(a, f));
}

/* act'(h) from a = act(h). softplus: sigmoid(h) = 1 - e^-a. */
static void slopes(int32_t activation, const weir_frame *frame, const weir_real *a, weir_real *slope)
{
    const int32_t n = frame->width;
    const weir_real below = activation == WEIR_ACTIVATION_LEAKY_RELU ? WEIR_C(0.01) : 0;
    if (activation == WEIR_ACTIVATION_TANH) {
        for (int32_t r = 0; r < n; r++) slope[r] = 1 - a[r] * a[r];
    } else if (activation == WEIR_ACTIVATION_SIGMOID) {
        for (int32_t r = 0; r < n; r++) slope[r] = a[r] * (1 - a[r]);
    } else if (activation == WEIR_ACTIVATION_SOFTPLUS) {
        for (int32_t r = 0; r < n; r++) slope[r] = -a[r];
        frame->math->expm1(n, slope, slope);
        for (int32_t r = 0; r < n; r++) slope[r] = -slope[r];
    } else if (activation == WEIR_ACTIVATION_ELU) {
        for (int32_t r = 0; r < n; r++) slope[r] = a[r] > 0 ? 1 : a[r] + 1;
    } else {
        for (int32_t r = 0; r < n; r++) slope[r] = a[r] > 0 ? 1 : below;
    }
}

int WEIR_NAME(activate_vjp)(int32_t activation, weir_frame *frame, const weir_tile *a, const weir_tile *a_bar,
                            const weir_tile *h_bar)
{
    const int64_t mark = frame->services->scratch_mark(frame);
    weir_real *const slope = weir_take_lane(frame);
    if (!slope) return 0;
    for (int32_t f = 0; f < a->features; f++) {
        const weir_real *const from = weir_lane(a_bar, f);
        weir_real *const to = weir_lane(h_bar, f);
        slopes(activation, frame, weir_lane(a, f), slope);
        for (int32_t r = 0; r < frame->width; r++) to[r] += from[r] * slope[r];
    }
    frame->services->scratch_release(frame, mark);
    return 1;
}
