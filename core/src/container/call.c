/* call.c - see container.h; and the list of the host's own modules. */
#include "container/container.h"
#include "run/lanes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static weir__run *run_of(const weir_frame *frame)
{
    return frame->host;
}

/* The innermost path stays: an outer container finds it set. */
static weir_status noted(const weir__instance *child, weir_frame *frame, weir_status status)
{
    weir__run *const run = run_of(frame);
    if (status <= WEIR_DISCARD || status == WEIR__MET) return status;
    if (!run->place[0])
        snprintf(run->place, sizeof run->place, "%.180s (%.60s)", child->path, child->module->id);
    if (!run->message[0]) {
        static const char *const words[] = {
            "", "", "does not offer this call", "refused the call", "failed", "failed for good"};
        snprintf(run->message, sizeof run->message, "%s",
                 status <= WEIR_FATAL ? words[status] : "unknown status");
    }
    return status;
}

static int is_finite(const weir_frame *frame, const void *lane, int32_t r)
{
    return frame->precision == WEIR_F32 ? isfinite(((const float *)lane)[r])
                                        : isfinite(((const double *)lane)[r]);
}

/* Only in diagnosis, after a step has failed: notes the first module that made a value that is not finite. */
static void look(const weir__instance *child, weir_frame *frame, const weir_tile *out, const void *log_det)
{
    weir__run *const run = run_of(frame);
    if (!run->diagnose || run->bad_place[0]) return;
    for (int32_t r = 0; r < frame->rows; r++) {
        int bad = log_det && !is_finite(frame, log_det, r);
        for (int32_t f = 0; f < out->features && !bad; f++)
            bad = !is_finite(frame, weir__lane(frame, out, f), r);
        if (!bad && !(frame->discard[r >> 6] >> (r & 63) & 1)) continue;
        snprintf(run->bad_place, sizeof run->bad_place, "%.180s (%.60s)", child->path, child->module->id);
        run->bad_row = r;
        return;
    }
}

weir_status weir__call_observe(const weir__instance *child, weir_frame *frame, int32_t inverse,
                               const weir_tile *tile, void *partial)
{
    const int64_t mark = frame->services->scratch_mark(frame);
    const weir_status status = child->child.layer->observe(child->child.self, frame, inverse, tile, partial);
    frame->services->scratch_release(frame, mark);
    return noted(child, frame, status);
}

weir_status weir__call_observe_vjp(const weir__instance *child, weir_frame *frame, const weir_tile *x,
                                   const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                   void *partial)
{
    weir_tape *const tape = frame->tape;
    const int64_t mark = frame->services->scratch_mark(frame);
    frame->tape = run_of(frame)->other.tape = NULL;
    const weir_status status =
        child->child.layer->observe_vjp(child->child.self, frame, x, z, z_bar, log_det_bar, partial);
    frame->tape = run_of(frame)->other.tape = tape;
    frame->services->scratch_release(frame, mark);
    return noted(child, frame, status);
}

/* Data-dependent initialisation: the wanted child's input goes to its `observe`, and the pass ends there. */
static weir_status observed(const weir__instance *child, weir_frame *frame, int32_t inverse,
                            const weir_tile *in)
{
    const weir_status status = weir__call_observe(child, frame, inverse, in, run_of(frame)->partial);
    run_of(frame)->met_inverse = inverse;
    return status > WEIR_DISCARD ? status : WEIR__MET;
}

weir_status weir__call_forward(const weir__instance *child, weir_frame *frame, const weir_tile *x,
                               const weir_tile *z, void *log_det)
{
    if (run_of(frame)->observing == child) return observed(child, frame, 0, x);
    const int64_t mark = frame->services->scratch_mark(frame);
    const weir_status status = child->child.layer->forward(child->child.self, frame, x, z, log_det);
    frame->services->scratch_release(frame, mark);
    look(child, frame, z, log_det);
    return noted(child, frame, status);
}

weir_status weir__call_inverse(const weir__instance *child, weir_frame *frame, const weir_tile *z,
                               const weir_tile *x, void *log_det)
{
    if (run_of(frame)->observing == child) return observed(child, frame, 1, z);
    if (!child->child.layer->inverse) return noted(child, frame, WEIR_UNSUPPORTED);
    const int64_t mark = frame->services->scratch_mark(frame);
    const weir_status status = child->child.layer->inverse(child->child.self, frame, z, x, log_det);
    frame->services->scratch_release(frame, mark);
    look(child, frame, x, log_det);
    return noted(child, frame, status);
}

weir_status weir__call_forward_vjp(const weir__instance *child, weir_frame *frame, const weir_tile *x,
                                   const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                   const weir_tile *x_bar)
{
    if (!child->child.layer->forward_vjp) return noted(child, frame, WEIR_UNSUPPORTED);
    const int64_t mark = frame->services->scratch_mark(frame);
    const weir_status status =
        child->child.layer->forward_vjp(child->child.self, frame, x, z, z_bar, log_det_bar, x_bar);
    frame->services->scratch_release(frame, mark);
    return noted(child, frame, status);
}

weir_status weir__call_inverse_vjp(const weir__instance *child, weir_frame *frame, const weir_tile *z,
                                   const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                   const weir_tile *z_bar)
{
    if (!child->child.layer->inverse_vjp) return noted(child, frame, WEIR_UNSUPPORTED);
    const int64_t mark = frame->services->scratch_mark(frame);
    const weir_status status =
        child->child.layer->inverse_vjp(child->child.self, frame, z, x, x_bar, log_det_bar, z_bar);
    frame->services->scratch_release(frame, mark);
    return noted(child, frame, status);
}

weir_status weir__call_sample_points(const weir__instance *child, weir_frame *frame, uint32_t stream,
                                     const weir_tile *x)
{
    const weir_child *const c = &child->child;
    if (!WEIR_HAS(c->layer, sample_points) || !c->layer->sample_points) return WEIR_UNSUPPORTED;
    const int64_t mark = frame->services->scratch_mark(frame);
    const weir_status status = c->layer->sample_points(c->self, frame, stream, x);
    frame->services->scratch_release(frame, mark);
    return status;
}

const weir__container_self *weir__chain_of(const weir__instance *instance)
{
    const weir_module *const module = instance->module;
    const int chain = module == &weir__chain_f32 || module == &weir__chain_f64 ||
                      module == &weir__repeat_f32 || module == &weir__repeat_f64;
    return chain ? instance->self : NULL;
}

uint32_t weir__container_traits(const weir__container_self *self)
{
    uint32_t any = 0, all = WEIR_TRAIT_VOLUME_PRESERVING;
    for (int32_t i = 0; i < self->count; i++) {
        any |= self->children[i]->child.traits & ~WEIR_TRAIT_VOLUME_PRESERVING;
        all &= self->children[i]->child.traits;
    }
    return any | all;
}

/* ---- the list ------------------------------------------------------------------------------------------------------- */

static const weir_module *const containers[][2] = {
    {&weir__chain_f32, &weir__chain_f64},         {&weir__inverse_f32, &weir__inverse_f64},
    {&weir__slice_f32, &weir__slice_f64},         {&weir__repeat_f32, &weir__repeat_f64},
    {&weir__embedding_f32, &weir__embedding_f64},
};

int32_t weir__container_count(void)
{
    return (int32_t)(sizeof containers / sizeof containers[0]);
}

const weir_module *weir__container_at(int32_t index, int32_t precision)
{
    return containers[index][precision == WEIR_F64];
}

const weir_module *weir__container(const char *id, int32_t precision)
{
    for (int32_t i = 0; i < weir__container_count(); i++)
        if (strcmp(containers[i][0]->id, id) == 0) return weir__container_at(i, precision);
    return NULL;
}
