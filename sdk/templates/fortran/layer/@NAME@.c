/* @ID@ - every feature is scaled, and pushed by the one before it: a staircase. The table and the memory of a
 * call are here, the mathematics in kernel.F90, which says why. */
#include <weir/plugin.h>

#include <stdlib.h>

typedef struct stair {
    int32_t features;
    weir_handle raw, push; /* parameters [features]; push[0] is not used */
    weir_handle scale;     /* derived tensor [features], computed in prepare */
} stair;

static const char stair_doc[] =
    "z_0 = a_0 x_0,  z_f = a_f x_f + w_f tanh(x_(f-1)), with scales a = softplus(raw) > 0. Parameters: raw [features],\n"
    "push [features] = w. Starts at the identity: a = 1, w = 0. Derived: scale = a.\n"
    "J is lower triangular: log|det J| = sum log a_f. The inverse goes up the stairs, x_0 first, and is exact.\n"
    "Cost: one tanh a value in either direction. Rows that overflow are discarded.";

/* Arguments as kernel.F90 declares them: n and the numbers a and w by value, arrays of n, and two sums. */
void WEIR_NAME(stair_up)(int32_t n, weir_real a, weir_real w, const weir_real *x, const weir_real *below,
                         weir_real *z);
void WEIR_NAME(stair_down)(int32_t n, weir_real a, weir_real w, const weir_real *z, const weir_real *below,
                           weir_real *x);
void WEIR_NAME(stair_pull)(int32_t n, weir_real a, weir_real w, const weir_real *bar, const weir_real *above,
                           const weir_real *own, weir_real *x_bar);
void WEIR_NAME(stair_solve)(int32_t n, weir_real a, weir_real w, const weir_real *bar, const weir_real *above,
                            const weir_real *own, weir_real *z_bar);
void WEIR_NAME(stair_sums)(int32_t rows, const weir_real *bar, const weir_real *x, const weir_real *below,
                           weir_real *along, weir_real *pushed);

/* Tensors of the last update of the parameters: what does not depend on rows is done here, once per update. */
static weir_status stair_prepare(const void *module, weir_frame *frame)
{
    const stair *const self = module;
    frame->math->softplus(self->features, weir_tensor(frame, self->raw), weir_tensor(frame, self->scale));
    return WEIR_OK;
}

/* All tiles have added to the gradient of scale; it goes on to raw. */
static weir_status stair_prepare_vjp(const void *module, weir_frame *frame)
{
    const stair *const self = module;
    const weir_real *const raw = weir_tensor(frame, self->raw);
    const weir_real *const by_scale = weir_gradient(frame, self->scale);
    weir_real *const by_raw = weir_gradient(frame, self->raw);
    for (int32_t f = 0; by_scale && by_raw && f < self->features; f++)
        by_raw[f] += by_scale[f] / (1 + WEIR_C(exp(-raw[f])));
    return WEIR_OK;
}

static void add_log_det(const stair *self, const weir_frame *frame, double sign, weir_real *log_det)
{
    const weir_real *const scale = weir_tensor(frame, self->scale);
    double sum = 0;
    for (int32_t f = 0; f < self->features; f++) sum += log((double)scale[f]);
    for (int32_t i = 0; log_det && i < frame->width; i++) log_det[i] += WEIR_C(sign * sum);
}

/* Both directions keep tanh(x) on the tape: the way back needs it, and it is dear to compute. */
static weir_status stair_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                 const weir_tile *z, void *log_det)
{
    const stair *const self = module;
    const weir_real *const scale = weir_tensor(frame, self->scale);
    const weir_real *const push = weir_tensor(frame, self->push);
    weir_status status = WEIR_OK;
    weir_tile bent;
    if (!weir_keep_tile(frame, self->features, &bent)) return WEIR_ERROR;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const from = weir_lane(x, f), *const below = weir_lane(&bent, f ? f - 1 : 0);
        weir_real *const to = weir_lane(z, f);
        const weir_real w = f ? push[f] : 0;
        frame->math->tanh(frame->width, from, weir_lane(&bent, f));
        WEIR_NAME(stair_up)(frame->width, scale[f], w, from, below, to);
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
    }
    add_log_det(self, frame, 1, log_det);
    return status;
}

static weir_status stair_inverse(const void *module, weir_frame *frame, const weir_tile *z,
                                 const weir_tile *x, void *log_det)
{
    const stair *const self = module;
    const weir_real *const scale = weir_tensor(frame, self->scale);
    const weir_real *const push = weir_tensor(frame, self->push);
    weir_status status = WEIR_OK;
    weir_tile bent;
    if (!weir_keep_tile(frame, self->features, &bent)) return WEIR_ERROR;
    for (int32_t f = 0; f < self->features; f++) {
        const weir_real *const from = weir_lane(z, f), *const below = f ? weir_lane(&bent, f - 1) : from;
        weir_real *const to = weir_lane(x, f);
        const weir_real w = f ? push[f] : 0;
        WEIR_NAME(stair_down)(frame->width, scale[f], w, from, below, to);
        WEIR_TRY(status, weir_discard_unless_finite(frame, to));
        frame->math->tanh(frame->width, to, weir_lane(&bent, f));
    }
    add_log_det(self, frame, -1, log_det);
    return status;
}

/* The gradients of feature f's parameters, when `bar` is the cotangent of z_f and sum_bar that of the log-det, summed over
 * the rows. */
static void add_gradients(const stair *self, weir_frame *frame, int32_t f, weir_real sign,
                          const weir_real *bar, const weir_real *x, const weir_real *below, weir_real sum_bar)
{
    weir_real *const by_scale = weir_gradient(frame, self->scale);
    weir_real *const by_push = weir_gradient(frame, self->push);
    weir_real along, pushed;
    WEIR_NAME(stair_sums)(frame->rows, bar, x, below, &along, &pushed);
    if (by_scale) by_scale[f] += sign * (along + sum_bar / weir_tensor(frame, self->scale)[f]);
    if (by_push && f) by_push[f] += sign * pushed;
}

/* x_f reaches z_f through its scale, and z_(f+1) through tanh. */
static weir_status stair_forward_vjp(const void *module, weir_frame *frame, const weir_tile *x,
                                     const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                     const weir_tile *x_bar)
{
    const stair *const self = module;
    const weir_real *const scale = weir_tensor(frame, self->scale);
    const weir_real *const push = weir_tensor(frame, self->push);
    const weir_real sum_bar = log_det_bar ? weir_sum_lane(frame, log_det_bar) : 0;
    weir_tile bent;
    (void)z;
    if (!weir_pop_tile(frame, self->features, &bent)) return WEIR_ERROR;
    for (int32_t f = 0; f < self->features; f++) {
        const int last = f + 1 == self->features;
        const weir_real *const bar = weir_lane(z_bar, f), *const above = last ? bar : weir_lane(z_bar, f + 1);
        const weir_real *const own = weir_lane(&bent, f), w = last ? 0 : push[f + 1];
        add_gradients(self, frame, f, 1, bar, weir_lane(x, f), weir_lane(&bent, f ? f - 1 : 0), sum_bar);
        if (x_bar) WEIR_NAME(stair_pull)(frame->width, scale[f], w, bar, above, own, weir_lane(x_bar, f));
    }
    return WEIR_OK;
}

/* z_bar = a with J^T a = x_bar, from the top of the stairs down; the parameters then get what forward gives them for -a and
 * minus the log-det's cotangent. */
static weir_status stair_inverse_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                     const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                     const weir_tile *z_bar)
{
    const stair *const self = module;
    const weir_real *const scale = weir_tensor(frame, self->scale);
    const weir_real *const push = weir_tensor(frame, self->push);
    const weir_real sum_bar = log_det_bar ? weir_sum_lane(frame, log_det_bar) : 0;
    weir_tile bent, unwanted;
    (void)z;
    if (!weir_pop_tile(frame, self->features, &bent)) return WEIR_ERROR;
    if (!z_bar && !weir_take_tile(frame, self->features, &unwanted)) return WEIR_ERROR;
    if (!z_bar) z_bar = &unwanted;
    for (int32_t f = self->features - 1; f >= 0; f--) {
        const int last = f + 1 == self->features;
        const weir_real *const bar = weir_lane(x_bar, f), *const above = last ? bar : weir_lane(z_bar, f + 1);
        const weir_real *const own = weir_lane(&bent, f), w = last ? 0 : push[f + 1];
        weir_real *const to = weir_lane(z_bar, f);
        WEIR_NAME(stair_solve)(frame->width, scale[f], w, bar, above, own, to);
        add_gradients(self, frame, f, -1, to, weir_lane(x, f), weir_lane(&bent, f ? f - 1 : 0), sum_bar);
    }
    return WEIR_OK;
}

static const weir_layer_ops stair_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = stair_forward,
    .inverse = stair_inverse,
    .forward_vjp = stair_forward_vjp,
    .inverse_vjp = stair_inverse_vjp,
};

static weir_status stair_create(weir_builder *build, void **module)
{
    const int64_t side[1] = {build->features};
    const weir_init one = {
        .struct_size = (uint32_t)sizeof one, .kind = WEIR_INIT_CONSTANT, .a = log(expm1(1.0))};
    stair *const self = malloc(sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->features = build->features;
    self->raw = build->parameter(build, "raw", 1, side, &one, WEIR_TENSOR_NO_DECAY);
    self->push = build->parameter(build, "push", 1, side, NULL, 0);
    self->scale = build->derived(build, "scale", 1, side);
    if (build->failed(build)) {
        free(self);
        return WEIR_INVALID;
    }
    *module = self;
    return WEIR_OK;
}

static const weir_module stair_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "@ID@",
    .version = "1.0.0",
    .summary = "every feature is scaled and pushed by the one before it",
    .doc = stair_doc,
    .create = stair_create,
    .destroy = free,
    .prepare = stair_prepare,
    .prepare_vjp = stair_prepare_vjp,
    .ops = &stair_ops,
};

WEIR_PLUGIN(&stair_module);
