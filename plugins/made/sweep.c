/* sweep.c - incremental evaluation: every unit is computed once, as soon as the inputs it sees are decided.
 *
 * The state is the tile of hidden activations, the work of the way back the tile of their cotangents; both are known by
 * their first address alone, since stride and width are the frame's. */
#include "made.h"

/* Computes outputs [first, first + count) of layer i. The first layer's addend was written by begin. */
static weir_status extend(const made *self, weir_frame *frame, int32_t i, int32_t first, int32_t count,
                          const weir_tile *x, const weir_tile *y, const weir_tile *hidden)
{
    const uint32_t flags = i == 0 && self->context >= 0 ? WEIR_LINEAR_ADD : 0;
    const weir_tile in = WEIR_NAME(made_input)(self, i, x, hidden);
    const weir_tile out = WEIR_NAME(made_output)(self, i, y, hidden);
    if (count == 0) return WEIR_OK;
    return frame->services->linear_forward(frame, self->layers[i].linear, first, count, &in, &out, flags);
}

weir_status WEIR_NAME(made_begin)(const void *module, weir_frame *frame, const weir_tile *x,
                                  const weir_tile *y, void **state)
{
    const made *const self = module;
    weir_tile hidden;
    uint32_t flags;
    (void)x;
    if (!weir_keep_tile(frame, self->units, &hidden)) return WEIR_ERROR;
    *state = hidden.data;
    const weir_tile first = WEIR_NAME(made_output)(self, 0, y, &hidden);
    return WEIR_NAME(made_context)(self, frame, &first, &flags);
}

weir_status WEIR_NAME(made_step)(const void *module, weir_frame *frame, void *state, int32_t d,
                                 const weir_tile *x, const weir_tile *y)
{
    const made *const self = module;
    const weir_tile hidden = weir_tile_over(frame, state, self->units);
    const int32_t last = self->count - 1;
    weir_status status = WEIR_OK;
    for (int32_t i = 0; i < last; i++) {
        const int32_t width = self->layers[i].width, first = units_below(self->degrees, width, d);
        const int32_t count = units_below(self->degrees, width, d + 1) - first;
        WEIR_TRY(status, extend(self, frame, i, first, count, x, y, &hidden));
    }
    WEIR_TRY(status, extend(self, frame, last, d * self->per_feature, self->per_feature, x, y, &hidden));
    return status;
}

weir_status WEIR_NAME(made_begin_vjp)(const void *module, weir_frame *frame, const void *state,
                                      const weir_tile *x, const weir_tile *y, void **work)
{
    const made *const self = module;
    weir_tile hidden_bar;
    (void)state;
    (void)x;
    (void)y;
    if (!weir_take_tile(frame, self->units, &hidden_bar)) return WEIR_ERROR;
    *work = hidden_bar.data;
    return WEIR_OK;
}

/* Cotangent of layer i's units of degree d, before their activation. The units that see them have degrees >= d, so their
 * own cotangents are there already. */
static weir_status unit_vjp(const made *self, weir_frame *frame, int32_t i, int32_t d,
                            const weir_tile *hidden, const weir_tile *hidden_bar, const weir_tile *y_bar)
{
    const int32_t width = self->layers[i].width, first = units_below(self->degrees, width, d);
    const int32_t count = units_below(self->degrees, width, d + 1) - first;
    const weir_tile above = WEIR_NAME(made_output)(self, i + 1, y_bar, hidden_bar);
    const weir_tile out = weir_slice(hidden, self->layers[i].first, width);
    const weir_tile out_bar = weir_slice(hidden_bar, self->layers[i].first, width);
    weir_status status = WEIR_OK;
    if (count == 0) return WEIR_OK;
    WEIR_TRY(status, frame->services->linear_vjp_input(frame, self->layers[i + 1].linear, first, count,
                                                       &above, &out_bar, 0));
    WEIR_TRY(status, frame->services->linear_vjp_activation(frame, self->layers[i].linear, first, count, &out,
                                                            &out_bar));
    return status;
}

weir_status WEIR_NAME(made_step_vjp)(const void *module, weir_frame *frame, const void *state, void *work,
                                     int32_t d, const weir_tile *x, const weir_tile *y,
                                     const weir_tile *y_bar, const weir_tile *x_bar)
{
    const made *const self = module;
    void *const activations = (void *)(uintptr_t)state;
    const weir_tile hidden = weir_tile_over(frame, activations, self->units);
    const weir_tile hidden_bar = weir_tile_over(frame, work, self->units);
    weir_status status = WEIR_OK;
    (void)x;
    (void)y;
    for (int32_t i = self->count - 2; i >= 0; i--)
        WEIR_TRY(status, unit_vjp(self, frame, i, d, &hidden, &hidden_bar, y_bar));
    if (!x_bar) return status;
    if (d == self->features - 1) weir_zero_lane(frame, weir_lane(x_bar, d));
    if (d == 0) return status;
    const weir_tile first_bar = WEIR_NAME(made_output)(self, 0, y_bar, &hidden_bar);
    WEIR_TRY(status, frame->services->linear_vjp_input(frame, self->layers[0].linear, d - 1, 1, &first_bar,
                                                       x_bar, 0));
    return status;
}

weir_status WEIR_NAME(made_end_vjp)(const void *module, weir_frame *frame, const void *state, void *work,
                                    const weir_tile *x, const weir_tile *y, const weir_tile *y_bar)
{
    const made *const self = module;
    const weir_tile hidden_bar = weir_tile_over(frame, work, self->units);
    weir_status status = WEIR_OK;
    weir_tile hidden;
    (void)state;
    (void)y;
    if (!weir_pop_tile(frame, self->units, &hidden)) return WEIR_ERROR;
    for (int32_t i = self->count - 1; i >= 0; i--) {
        const weir_tile in = WEIR_NAME(made_input)(self, i, x, &hidden);
        const weir_tile out_bar = WEIR_NAME(made_output)(self, i, y_bar, &hidden_bar);
        WEIR_TRY(status, WEIR_NAME(made_weights_vjp)(self, frame, i, &in, &out_bar));
    }
    return status;
}
