/* activation_body.h - activations in one precision; included by activation_*.c for each. Needs REAL and NAME(f).
 * Every element is one rounded operation after another, so that the instruction set changes no bit.
 * Comparisons are written so that NaN passes through: a broken row must stay visible. */

#ifndef PIECE
/* Elements that a sweep with a temporary takes at once. */
#define PIECE 64
#endif

static void NAME(add_bias)(int64_t n, REAL b, REAL *restrict y)
{
    for (int64_t i = 0; i < n; i++) y[i] += b;
}

static void NAME(relu)(int64_t n, REAL b, REAL *restrict y)
{
    for (int64_t i = 0; i < n; i++) {
        const REAL x = y[i] + b;
        y[i] = x < 0 ? 0 : x;
    }
}

static void NAME(leaky_relu)(int64_t n, REAL b, REAL *restrict y)
{
    for (int64_t i = 0; i < n; i++) {
        const REAL x = y[i] + b;
        y[i] = x < 0 ? (REAL)WEIR__LEAKY_SLOPE * x : x;
    }
}

/* max(x, 0) + (e^min(x, 0) - 1): one of the two terms is zero. */
static void NAME(elu)(const weir_math *math, int64_t n, REAL b, REAL *restrict y)
{
    REAL below[PIECE];
    for (int64_t first = 0; first < n; first += PIECE) {
        const int64_t count = n - first < PIECE ? n - first : PIECE;
        REAL *const part = y + first;
        NAME(add_bias)(count, b, part);
        for (int64_t i = 0; i < count; i++) below[i] = part[i] > 0 ? 0 : part[i];
        math->expm1(count, below, below);
        for (int64_t i = 0; i < count; i++) part[i] = part[i] > 0 ? part[i] : below[i];
    }
}

WEIR__ACTIVATE(NAME(weir__activate))
{
    for (int64_t f = 0; f < lanes; f++) {
        const REAL b = bias ? ((const REAL *)bias)[f] : 0;
        REAL *const lane = (REAL *)y + f * stride;
        switch (activation) {
        case WEIR_ACTIVATION_RELU:
            NAME(relu)(n, b, lane);
            continue;
        case WEIR_ACTIVATION_LEAKY_RELU:
            NAME(leaky_relu)(n, b, lane);
            continue;
        case WEIR_ACTIVATION_ELU:
            NAME(elu)(math, n, b, lane);
            continue;
        default:
            break;
        }
        if (bias) NAME(add_bias)(n, b, lane);
        switch (activation) {
        case WEIR_ACTIVATION_TANH:
            math->tanh(n, lane, lane);
            break;
        case WEIR_ACTIVATION_SIGMOID:
            math->sigmoid(n, lane, lane);
            break;
        case WEIR_ACTIVATION_SOFTPLUS:
            math->softplus(n, lane, lane);
            break;
        default:
            break;
        }
    }
}

/* d/dx log(1 + e^x) = 1 - e^-y. */
static void NAME(softplus_vjp)(const weir_math *math, int64_t n, const REAL *restrict y, REAL *restrict y_bar)
{
    REAL slope[PIECE];
    for (int64_t first = 0; first < n; first += PIECE) {
        const int64_t count = n - first < PIECE ? n - first : PIECE;
        for (int64_t i = 0; i < count; i++) slope[i] = -y[first + i];
        math->expm1(count, slope, slope);
        for (int64_t i = 0; i < count; i++) y_bar[first + i] *= -slope[i];
    }
}

static inline void NAME(lane_vjp)(const weir_math *math, int32_t activation, int64_t n,
                                  const REAL *restrict y, REAL *restrict y_bar)
{
    switch (activation) {
    case WEIR_ACTIVATION_RELU:
        for (int64_t i = 0; i < n; i++) y_bar[i] = y[i] > 0 ? y_bar[i] : 0;
        break;
    case WEIR_ACTIVATION_LEAKY_RELU:
        for (int64_t i = 0; i < n; i++) y_bar[i] *= y[i] > 0 ? (REAL)1 : (REAL)WEIR__LEAKY_SLOPE;
        break;
    case WEIR_ACTIVATION_TANH:
        for (int64_t i = 0; i < n; i++) y_bar[i] *= 1 - y[i] * y[i];
        break;
    case WEIR_ACTIVATION_SIGMOID:
        for (int64_t i = 0; i < n; i++) y_bar[i] *= y[i] * (1 - y[i]);
        break;
    case WEIR_ACTIVATION_ELU:
        for (int64_t i = 0; i < n; i++) y_bar[i] *= y[i] > 0 ? (REAL)1 : 1 + y[i];
        break;
    case WEIR_ACTIVATION_SOFTPLUS:
        NAME(softplus_vjp)(math, n, y, y_bar);
        break;
    default:
        break;
    }
}

WEIR__ACTIVATION_VJP(NAME(weir__activation_vjp))
{
    for (int64_t f = 0; f < lanes; f++) {
        const REAL *const y = (const REAL *)output + f * output_stride;
        NAME(lane_vjp)(math, activation, n, y, (REAL *)cotangent + f * stride);
    }
}

#undef REAL
#undef NAME
