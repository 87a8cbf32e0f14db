/* halves.c - see halves.h. */
#include "halves.h"

#include <stdlib.h>

/* ---- calls ---------------------------------------------------------------------------------- */

typedef struct parts {
    weir_tile pass, moved;
} parts;

static int split(const halves *self, weir_frame *frame, const weir_tile *tile, parts *of)
{
    return WEIR_NAME(lane_set_of)(&self->mask.pass, frame, tile, &of->pass) &&
           WEIR_NAME(lane_set_of)(&self->mask.moved, frame, tile, &of->moved);
}

/* The parameters are needed by the mover's VJP, which runs before the network's has popped what lies above them. */
weir_status WEIR_NAME(halves_run)(const halves *self, weir_frame *frame, const weir_tile *from,
                                  const weir_tile *to, weir_real *log_det, int inverse)
{
    weir_status status = WEIR_OK;
    weir_tile params;
    parts in, out;
    if (!split(self, frame, from, &in) || !split(self, frame, to, &out)) return WEIR_ERROR;
    if (!weir_keep_tile(frame, self->params, &params)) return WEIR_ERROR;
    for (int32_t k = 0; k < in.pass.features; k++)
        weir_copy_lane(frame, weir_lane(&in.pass, k), weir_lane(&out.pass, k));
    WEIR_TRY(status, weir_network_forward(self->network, frame, &in.pass, &params));
    WEIR_TRY(status, self->mover->map(self, frame, &in.moved, &params, &out.moved, log_det, inverse));
    WEIR_TRY(status, weir_note_address(frame, params.data));
    return status;
}

/* Both directions have the same shape, so their VJPs do too: in_bar_a is what comes straight through plus what comes
 * through the network. */
weir_status WEIR_NAME(halves_vjp)(const halves *self, weir_frame *frame, const weir_tile *from,
                                  const weir_tile *to, const weir_tile *to_bar, const weir_real *log_det_bar,
                                  const weir_tile *from_bar, int inverse)
{
    weir_status status = WEIR_OK;
    parts in, out, out_bar, in_bar = {.pass = {.features = 0}};
    if (!split(self, frame, from, &in) || !split(self, frame, to, &out)) return WEIR_ERROR;
    if (!split(self, frame, to_bar, &out_bar)) return WEIR_ERROR;
    if (from_bar && !split(self, frame, from_bar, &in_bar)) return WEIR_ERROR;
    void *const kept = weir_noted_address(frame);
    weir_tile params_bar;
    if (!kept || !weir_take_tile(frame, self->params, &params_bar)) return WEIR_ERROR;
    weir_tile params = weir_tile_over(frame, kept, self->params);
    WEIR_TRY(status, self->mover->vjp(self, frame, &in.moved, &params, &out.moved, &out_bar.moved,
                                      log_det_bar, from_bar ? &in_bar.moved : NULL, &params_bar, inverse));
    WEIR_TRY(status, weir_network_vjp(self->network, frame, &in.pass, &params, &params_bar,
                                      from_bar ? &in_bar.pass : NULL));
    for (int32_t k = 0; k < in_bar.pass.features; k++) {
        weir_real *const to_add = weir_lane(&in_bar.pass, k);
        const weir_real *const straight = weir_lane(&out_bar.pass, k);
        for (int32_t r = 0; r < frame->width; r++) to_add[r] += straight[r];
    }
    return weir_pop_tile(frame, self->params, &params) ? status : WEIR_ERROR;
}

static weir_status halves_forward(const void *layer, weir_frame *frame, const weir_tile *x,
                                  const weir_tile *z, void *log_det)
{
    return WEIR_NAME(halves_run)(layer, frame, x, z, log_det, 0);
}

static weir_status halves_inverse(const void *layer, weir_frame *frame, const weir_tile *z,
                                  const weir_tile *x, void *log_det)
{
    return WEIR_NAME(halves_run)(layer, frame, z, x, log_det, 1);
}

static weir_status halves_forward_vjp(const void *layer, weir_frame *frame, const weir_tile *x,
                                      const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                      const weir_tile *x_bar)
{
    return WEIR_NAME(halves_vjp)(layer, frame, x, z, z_bar, log_det_bar, x_bar, 0);
}

static weir_status halves_inverse_vjp(const void *layer, weir_frame *frame, const weir_tile *z,
                                      const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                      const weir_tile *z_bar)
{
    return WEIR_NAME(halves_vjp)(layer, frame, z, x, x_bar, log_det_bar, z_bar, 1);
}

const weir_layer_ops WEIR_NAME(halves_ops) = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = halves_forward,
    .inverse = halves_inverse,
    .forward_vjp = halves_forward_vjp,
    .inverse_vjp = halves_inverse_vjp,
};

/* ---- creation ------------------------------------------------------------------------------- */

weir_status WEIR_NAME(halves_make_network)(weir_builder *build, halves *self, int32_t count,
                                           const double *identity)
{
    const int32_t moved = self->mask.moved.count;
    if ((int64_t)moved * count > INT32_MAX / 2)
        return weir_refuse(build, "%d features with %d parameters each are too many", moved, count);
    self->params = moved * count;
    double *const bias = malloc((size_t)self->params * sizeof *bias);
    if (!bias) return weir_refuse(build, "out of memory");
    for (int32_t i = 0; i < self->params; i++) bias[i] = identity ? identity[i % count] : 0;
    const weir_network_spec spec = {.struct_size = (uint32_t)sizeof spec,
                                    .in = self->mask.pass.count,
                                    .out = self->params,
                                    .output_bias = bias};
    self->network = build->child_network(build, "network", &spec);
    free(bias);
    return self->network ? WEIR_OK : WEIR_INVALID;
}

weir_status WEIR_NAME(halves_pass_domains)(weir_builder *build, const halves *self)
{
    const lane_set *const pass = &self->mask.pass;
    for (int32_t k = 0; k < pass->count; k++)
        if (weir_passed_lane(build, pass->lanes[k]) != WEIR_OK) return WEIR_INVALID;
    return WEIR_OK;
}

void WEIR_NAME(halves_clear)(halves *self)
{
    WEIR_NAME(mask_clear)(&self->mask);
}
