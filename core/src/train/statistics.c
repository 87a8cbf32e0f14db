/* statistics.c - from partial statistics to a layer's state, for initialisation and for training steps. */
#include "train/stages.h"

int64_t weir__statistics_bytes(const weir__instance *layer)
{
    const weir_child *const own = &layer->own;
    const int64_t bytes = own->layer->observe_size(own->self);
    return bytes < 0 || bytes > (INT64_C(1) << 40) ? -1 : (bytes + 63) & ~INT64_C(63);
}

/* Derived tensors that the layer has written belong to this step: the new version makes the next prepare renew them. */
weir_status weir__statistics_finish(weir__net *net, weir__run *run, const weir__instance *layer, int32_t what,
                                    int32_t inverse, unsigned char *partials, int64_t bytes, int32_t count,
                                    weir_error *error)
{
    static const char *const calls[] = {"data-dependent initialisation", "observe_finish",
                                        "observe_vjp_finish"};
    const weir_layer_ops *const ops = layer->own.layer;
    const void *const self = layer->own.self;
    const int32_t mode = what == WEIR__STATISTICS_INITIAL ? WEIR_MODE_EVALUATE : WEIR_MODE_TRAIN;
    weir_frame *const frame = layer->module->precision == net->precision ? &run->frame : &run->other;
    weir_status status = WEIR_OK;
    for (int32_t i = 1; i < count && !status; i++) status = ops->merge(self, partials, partials + i * bytes);
    weir__run_begin(run, 0, mode, 0, 0, 0, 0);
    if (!status)
        status = what == WEIR__STATISTICS_VJP ? ops->observe_vjp_finish(self, frame, partials)
                                              : ops->observe_finish(self, frame, inverse, partials);
    net->version++;
    if (status > WEIR_DISCARD)
        return weir__fail(error, status, "%s (%s): %s%s", layer->path, layer->module->id,
                          run->message[0] ? run->message : calls[what], run->message[0] ? "" : " failed");
    if (what != WEIR__STATISTICS_VJP) weir__net_collect(net, layer);
    return WEIR_OK;
}
