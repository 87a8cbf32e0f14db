/* batch.c - see batch.h. The rows of a call are cut into tiles as training would, with a frame for each. */
#include "check/batch.h"

#include "run/lanes.h"
#include "run/run.h"

#include <stdlib.h>
#include <string.h>

#define TILE_ROWS 16

/* One tile of a call: the arguments and the frame, for some of the rows. */
typedef struct part {
    weir_tile tile[WEIR__ARGUMENTS];
    weir_frame *frame, whole; /* whole: what the frame was */
    uint64_t discard[WEIR__TILE_MOST / 64];
} part;

static weir_tile cut(const weir_frame *frame, const weir__field *field, int32_t first)
{
    weir_tile tile = field->tile;
    tile.rows = frame->rows;
    tile.width = frame->width;
    if (weir__field_there(field)) tile.data = (char *)tile.data + first * weir__real_size(frame);
    return tile;
}

static void open_part(part *p, weir_frame *frame, const weir__call *call, int32_t first, int with_tape)
{
    const int32_t rest = call->rows - first;
    *p = (part){.frame = frame, .whole = *frame};
    frame->rows = rest < TILE_ROWS ? rest : TILE_ROWS;
    frame->width = weir__width(frame->rows);
    frame->row_ids += first;
    frame->discard = p->discard;
    if (!with_tape) frame->tape = NULL;
    for (int32_t a = 0; a < WEIR__ARGUMENTS; a++) p->tile[a] = cut(frame, &call->field[a], first);
    if (frame->context) frame->context = &p->tile[WEIR__CONTEXT];
    if (frame->context_bar) frame->context_bar = &p->tile[WEIR__CONTEXT_BAR];
}

static weir_status close_part(part *p, weir_status status)
{
    *p->frame = p->whole;
    return status;
}

/* ---- the statistics ---- */

static weir_status observe_part(const weir_child *c, part *p, void *partial)
{
    return c->layer->observe(c->self, p->frame, 0, &p->tile[WEIR__X], partial);
}

static weir_status observe_vjp_part(const weir_child *c, part *p, void *partial)
{
    return c->layer->observe_vjp(c->self, p->frame, &p->tile[WEIR__X], &p->tile[WEIR__Y],
                                 &p->tile[WEIR__Y_BAR], p->tile[WEIR__LANE_BAR].data, partial);
}

static weir_status finish(const weir_child *c, weir_frame *frame, int back, const void *total)
{
    const weir_frame whole = *frame;
    frame->rows = frame->width = 0;
    frame->tape = NULL;
    const weir_status status = back ? c->layer->observe_vjp_finish(c->self, frame, total)
                                    : c->layer->observe_finish(c->self, frame, 0, total);
    *frame = whole;
    return status;
}

/* Every tile has a partial of its own; they are merged in their order. */
static weir_status observe_all(const weir_child *c, weir_frame *frame, const weir__call *call, int back)
{
    const int64_t bytes = (c->layer->observe_size(c->self) + 63) & ~INT64_C(63);
    unsigned char *const memory = aligned_alloc(64, 2 * (size_t)bytes + 64);
    weir_status status = memory ? WEIR_OK : WEIR_ERROR;
    if (memory) memset(memory, 0, 2 * (size_t)bytes);
    for (int32_t first = 0; first < call->rows && !status; first += TILE_ROWS) {
        part p;
        unsigned char *const own = first ? memory + bytes : memory;
        memset(own, 0, (size_t)bytes);
        open_part(&p, frame, call, first, 0);
        status = close_part(&p, back ? observe_vjp_part(c, &p, own) : observe_part(c, &p, own));
        if (!status && first) status = c->layer->merge(c->self, memory, own);
    }
    if (!status) status = finish(c, frame, back, memory);
    free(memory);
    return status;
}

/* ---- the maps ---- */

static weir_status held_run(const weir_child *c, weir_frame *frame, const weir__call *call)
{
    weir_status status = WEIR_OK;
    frame->mode = WEIR_MODE_TRAIN;
    for (int32_t first = 0; first < call->rows && !status; first += TILE_ROWS) {
        part p;
        open_part(&p, frame, call, first, 1);
        status = close_part(&p, c->layer->forward(c->self, frame, &p.tile[WEIR__X], &p.tile[WEIR__Y],
                                                  p.tile[WEIR__LANE].data));
    }
    return status;
}

static weir_status batch_run(const weir_child *c, weir_frame *frame, const weir__call *call)
{
    frame->mode = WEIR_MODE_TRAIN;
    const weir_status status = observe_all(c, frame, call, 0);
    return status ? status : held_run(c, frame, call);
}

/* Tiles lie on the tape in their order, and come off the other way round. */
static weir_status batch_vjp(const weir_child *c, weir_frame *frame, const weir__call *call)
{
    weir_status status = observe_all(c, frame, call, 1);
    for (int32_t first = (call->rows - 1) / TILE_ROWS * TILE_ROWS; first >= 0 && !status;
         first -= TILE_ROWS) {
        part p;
        open_part(&p, frame, call, first, 1);
        status = close_part(&p, c->layer->forward_vjp(c->self, frame, &p.tile[WEIR__X], &p.tile[WEIR__Y],
                                                      &p.tile[WEIR__Y_BAR], p.tile[WEIR__LANE_BAR].data,
                                                      &p.tile[WEIR__X_BAR]));
    }
    return status;
}

int weir__is_batch_coupled(const weir__subject *subject)
{
    const weir_module *const module = subject->module;
    const weir_layer_ops *const ops = subject->child->layer;
    return ops && module->kind == WEIR_LAYER && module->flags & WEIR_MODULE_OBSERVE_STEP &&
           module->precision == subject->precision && ops->observe_size && ops->observe && ops->merge &&
           ops->observe_finish && ops->observe_vjp && ops->observe_vjp_finish && ops->forward_vjp;
}

weir__map weir__batch_map(const weir__subject *subject)
{
    weir__map map = subject->maps[0];
    map.name = "a step";
    map.run = batch_run;
    map.vjp = batch_vjp;
    return map;
}

weir__map weir__held_map(const weir__subject *subject)
{
    weir__map map = subject->maps[0];
    map.name = "forward in a step";
    map.run = held_run;
    map.vjp = NULL;
    return map;
}
