/* reverse_kl.c - variational training: the loss mean_r (log q(x_r) - log p~(x_r)) over samples x = f^-1(z), z ~ base.
 *
 * The gradient goes through the samples (reparameterisation): with l = log|det dx/dz|, log q(x) = log p_base(z) - l, so
 * the cotangents are 1/n for log p_base, -1/n for l, and -(1/n) d log p~/dx for x. A target that is a density module is
 * evaluated tile by tile; one that is a callback is called once, on the caller's thread, with all samples of the batch,
 * which are drawn again (same keys, same numbers) for the way back. */
#include "train/trainer.h"

#include "container/container.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

static weir_status parse_target(weir_trainer *t, const char *text, weir_error *error)
{
    if (t->target && strcmp(t->target_json, text) == 0) return WEIR_OK;
    json_t *const node = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(node)) {
        json_decref(node);
        return weir__fail(error, WEIR_INVALID, "the target of reverse KL is not a density node");
    }
    json_t *const root = json_pack("{s:i, s:s, s:o}", "features", (int)t->model->features, "dtype",
                                   t->model->net.precision == WEIR_F32 ? "f32" : "f64", "base", node);
    weir_model *made = NULL;
    weir_status status = weir__model_from_json(t->model->runtime, root, NULL, &made, error);
    json_decref(root);
    if (status) return weir__fail_in(error, "target");
    if (!status) status = weir__model_prepare(made, error);
    char *const copy = status ? NULL : strdup(text);
    if (!copy) return weir_model_close(made), status ? status : weir__no_memory(error, "the target");
    weir_model_close(t->target);
    free(t->target_json);
    t->target = made;
    t->target_json = copy;
    return WEIR_OK;
}

static weir_status reserve_samples(weir_trainer *t, int64_t rows, weir_error *error)
{
    if (t->sample_capacity >= rows) return WEIR_OK;
    const size_t count = (size_t)rows * (size_t)t->model->features;
    free(t->x);
    free(t->log_p);
    free(t->slope);
    t->x = malloc(count * sizeof *t->x);
    t->log_p = malloc((size_t)rows * sizeof *t->log_p);
    t->slope = malloc(count * sizeof *t->slope);
    t->sample_capacity = t->x && t->log_p && t->slope ? rows : 0;
    return t->sample_capacity ? WEIR_OK : weir__no_memory(error, "samples");
}

/* A base whose samples do not move with its parameters gives these only a part of their gradient. */
static weir_status check_base(const weir_model *m, weir_error *error)
{
    const size_t length = strlen(m->base->path);
    if (!m->base->child.density->sample)
        return weir__fail(error, WEIR_INVALID, "base (%s): reverse KL needs a density with a sampler",
                          m->base->module->id);
    for (int32_t h = 0; !m->base->child.density->sample_vjp && h < m->net.tensor_count; h++) {
        const weir__tensor *const t = &m->net.tensors[h];
        const int own = strncmp(t->name, m->base->path, length) == 0 && t->name[length] == '.';
        if (!own || t->kind != WEIR__PARAMETER || t->frozen || !t->count) continue;
        return weir__fail(
            error, WEIR_INVALID,
            "base (%s): its samples carry no gradient, so reverse KL cannot train %.80s; freeze the base",
            m->base->module->id, t->name);
    }
    return WEIR_OK;
}

weir_status weir__reverse_kl_begin(weir__batch *batch, weir_error *error)
{
    weir_trainer *const t = batch->trainer;
    const weir_model *const m = t->model;
    const weir_status base = check_base(m, error);
    if (base) return base;
    if (!m->flow->child.layer->inverse || !m->flow->child.layer->inverse_vjp)
        return weir__fail(error, WEIR_INVALID,
                          "reverse KL needs the inverse of every layer and its gradient");
    if (batch->step->target_json) return parse_target(t, batch->step->target_json, error);
    if (!batch->step->target)
        return weir__fail(error, WEIR_INVALID, "a step needs data (forward KL) or a target (reverse KL)");
    return reserve_samples(t, batch->rows, error);
}

static weir_status draw(const weir_model *m, weir__worker *w)
{
    weir_frame *const frame = &w->run.frame;
    const weir_child *const base = &m->base->child;
    memset(w->log_det, 0, (size_t)frame->width * (size_t)weir__real_size(frame));
    const weir_status status = base->density->sample(base->self, frame, &w->z);
    if (status > WEIR_DISCARD) return status;
    return weir__call_inverse(m->flow, frame, &w->z, &w->x, w->log_det);
}

static void hand_out_samples(const weir__batch *batch, const weir__worker *w, int64_t first, int32_t rows)
{
    const weir_trainer *const t = batch->trainer;
    const weir_matrix all = {.struct_size = (uint32_t)sizeof all,
                             .dtype = WEIR_DTYPE_F64,
                             .rows = batch->rows,
                             .columns = t->model->features,
                             .data = t->x};
    weir__scatter_rows(&w->run.frame, &w->x, rows, &all, first);
}

/* log p~ and its gradient at the tile's x: from the callback's answer, or from the target density. x_bar gets the
 * gradient, w->bar2 the values. */
static weir_status target_at(const weir__batch *batch, weir__worker *w, int64_t first, int32_t rows)
{
    const weir_trainer *const t = batch->trainer;
    weir_frame *const frame = &w->run.frame;
    const int64_t size = weir__real_size(frame);
    if (batch->step->target) {
        const weir_matrix all = {.struct_size = (uint32_t)sizeof all,
                                 .dtype = WEIR_DTYPE_F64,
                                 .rows = batch->rows,
                                 .columns = t->model->features,
                                 .data = t->slope};
        weir__gather_rows(&all, NULL, first, rows, frame, &w->x_bar);
        for (int32_t r = 0; r < frame->width; r++)
            weir__lane_set(frame, w->bar2, r, t->log_p[first + (r < rows ? r : rows - 1)]);
        return WEIR_OK;
    }
    const weir_child *const density = &t->target->base->child;
    weir__run own = w->run; /* the same memory, the target's tensors */
    own.net = &t->target->net;
    own.linears = t->target->net.linears;
    own.frame.tensors = t->target->net.table;
    own.other.tensors = t->target->net.other_table;
    own.frame.gradients = own.other.gradients = NULL;
    own.frame.host = own.other.host = &own;
    memset(w->bar2, 0, (size_t)(frame->width * size));
    for (int32_t r = 0; r < frame->width; r++) weir__lane_set(frame, w->bar, r, 1);
    const weir_status status = density->density->log_density(density->self, &own.frame, &w->x, w->bar2);
    if (status > WEIR_DISCARD) return status;
    return density->density->vjp(density->self, &own.frame, &w->x, w->bar, &w->x_bar);
}

static int row_is_bad(const weir__worker *w, int32_t r)
{
    const weir_frame *const frame = &w->run.frame;
    int bad = weir__is_discarded(frame, r) || !isfinite(weir__lane_value(frame, w->log_det, r)) ||
              !isfinite(weir__lane_value(frame, w->bar2, r));
    for (int32_t f = 0; f < w->x_bar.features && !bad; f++)
        bad = !isfinite(weir__lane_value(frame, weir__lane(frame, &w->x_bar, f), r));
    return bad;
}

/* Turns values into cotangents in place: bar for log p_base, bar2 for l, x_bar for x. */
static void set_cotangents(const weir__batch *batch, weir__worker *w, int32_t rows, weir__tile_result *out)
{
    const weir_frame *const frame = &w->run.frame;
    for (int32_t r = 0; r < frame->width; r++) {
        const int lost = r >= rows || row_is_bad(w, r);
        const int asked = !lost && (batch->only_row < 0 || batch->only_row == r);
        const double share = asked ? 1 / batch->total_weight : 0;
        if (!lost) {
            out->loss += weir__lane_value(frame, w->log_p, r) - weir__lane_value(frame, w->log_det, r) -
                         weir__lane_value(frame, w->bar2, r);
            out->weight += 1;
            out->rows++;
        } else if (r < rows) {
            out->discarded++;
        }
        weir__lane_set(frame, w->bar, r, share);
        weir__lane_set(frame, w->bar2, r, -share);
        for (int32_t f = 0; f < w->x_bar.features; f++) {
            void *const lane = weir__lane(frame, &w->x_bar, f);
            weir__lane_set(frame, lane, r, asked ? -share * weir__lane_value(frame, lane, r) : 0);
        }
    }
}

static void add_tile(const weir_frame *frame, const weir_tile *from, const weir_tile *into)
{
    for (int32_t f = 0; f < into->features; f++) {
        void *const a = weir__lane(frame, into, f);
        const void *const b = weir__lane(frame, from, f);
        for (int32_t r = 0; r < frame->width; r++)
            weir__lane_set(frame, a, r, weir__lane_value(frame, a, r) + weir__lane_value(frame, b, r));
    }
}

/* Records lie on the tape as sample, inverse, density: they come off the other way round. */
static weir_status backward(const weir_model *m, weir__worker *w)
{
    const weir_child *const base = &m->base->child;
    weir_frame *const frame = &w->run.frame;
    const weir_tile from_density = weir__run_tile(frame, m->latent);
    if (!from_density.data) return WEIR_ERROR;
    weir_status status = base->density->vjp(base->self, frame, &w->z, w->bar, &from_density);
    if (status > WEIR_DISCARD) return status;
    status = weir__call_inverse_vjp(m->flow, frame, &w->z, &w->x, &w->x_bar, w->bar2, &w->z_bar);
    if (status > WEIR_DISCARD) return status;
    add_tile(frame, &from_density, &w->z_bar);
    return base->density->sample_vjp ? base->density->sample_vjp(base->self, frame, &w->z, &w->z_bar)
                                     : WEIR_OK;
}

void weir__reverse_kl_tile(weir__batch *batch, int64_t index, weir__worker *w, weir__tile_result *out)
{
    const weir_model *const m = batch->trainer->model;
    const int64_t first = index * batch->tile_rows;
    const int32_t rows = weir__batch_begin_tile(batch, index, w, !batch->sampling);
    weir_frame *const frame = &w->run.frame;
    for (int32_t r = 0; r < frame->width; r++)
        w->run.row_ids[r] = batch->trainer->drawn + (uint64_t)(first + (r < rows ? r : rows - 1));
    if (w->context.features) weir__gather_rows(batch->step->context, NULL, first, rows, frame, &w->context);
    weir_status status = draw(m, w);
    if (status <= WEIR_DISCARD && batch->sampling) {
        hand_out_samples(batch, w, first, rows);
    } else if (status <= WEIR_DISCARD) {
        const weir_child *const base = &m->base->child;
        weir_tape *const tape = frame->tape;
        const int64_t mark = weir__tape_mark(w->run.tape);
        status = target_at(batch, w, first, rows);
        weir__tape_rewind(tape, mark);
        memset(w->log_p, 0, (size_t)frame->width * (size_t)weir__real_size(frame));
        if (status <= WEIR_DISCARD) status = base->density->log_density(base->self, frame, &w->z, w->log_p);
        if (status <= WEIR_DISCARD) {
            set_cotangents(batch, w, rows, out);
            status = backward(m, w);
        }
    }
    out->status = status > WEIR_DISCARD ? status : WEIR_OK;
}
