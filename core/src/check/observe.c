/* observe.c - data-dependent state: the same data give the same state, and parts merge to the whole. */
#include "check/checks.h"
#include "check/open.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 64

static const weir__manner initial = {.mode = WEIR_MODE_EVALUATE};

static int observes(const weir__subject *subject)
{
    const weir_module *const module = subject->module;
    return subject->child->layer && module->kind == WEIR_LAYER && module->precision == subject->precision &&
           module->flags & WEIR_MODULE_OBSERVE_ONCE;
}

/* All numbers of all tensors but the derived ones. Caller frees. */
static double *state_of(const weir__subject *subject, int64_t *count)
{
    *count = 0;
    for (int64_t t = 0; t < weir__solo_tensors(subject->solo); t++)
        *count += weir__solo_tensor_at(subject->solo, t).count;
    double *const state = calloc((size_t)*count + 1, sizeof *state);
    double *next = state;
    for (int64_t t = 0; state && t < weir__solo_tensors(subject->solo); t++) {
        const weir__solo_tensor tensor = weir__solo_tensor_at(subject->solo, t);
        const int saved = tensor.kind == WEIR_TENSOR_PARAMETER || tensor.kind == WEIR_TENSOR_BUFFER;
        for (int64_t i = 0; i < tensor.count; i++, next++) {
            if (!saved) continue;
            *next =
                tensor.integer ? (double)((const int64_t *)tensor.data)[i] : ((const double *)tensor.data)[i];
        }
    }
    return state;
}

static void compare_states(const double *a, const double *b, int64_t count, weir__verdict *verdict)
{
    for (int64_t i = 0; i < count; i++) weir__measure(verdict, fabs(a[i] - b[i]) / (1 + fabs(b[i])));
}

static weir_status observe_all(weir__subject *subject, weir__call *call)
{
    weir_frame *const frame = weir__call_frame(subject, call, &initial);
    return frame ? weir__solo_observe(subject->solo, frame, 0, &call->field[WEIR__X].tile, NULL) : WEIR_ERROR;
}

void weir__check_observe_repeats(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__subject fresh;
    int64_t count;
    map = &subject->maps[0];
    if (!observes(subject) || subject->weights != WEIR__INITIAL) {
        weir__skip(verdict);
        return;
    }
    if (!weir__open_again(&fresh, subject, verdict)) return;
    weir__call *const call = weir__call_new(&fresh, map, ROWS);
    if (!call) weir__object(verdict, "out of memory");
    const weir_status first = call ? observe_all(&fresh, call) : WEIR_ERROR;
    double *const once = state_of(&fresh, &count);
    const weir_status second = call ? observe_all(&fresh, call) : WEIR_ERROR;
    double *const twice = state_of(&fresh, &count);
    if (weir__have(verdict, once, twice) && weir__served(verdict, &fresh, first, "observe") &&
        weir__served(verdict, &fresh, second, "observe"))
        compare_states(once, twice, count, verdict);
    free(once);
    free(twice);
    weir__subject_close(&fresh);
}

/* ---- merging ---- */

/* Rows [first, first + count) of `all`, as a tile of their own. */
static weir__call *part_of(weir__subject *subject, const weir__map *map, const weir__call *all, int32_t first,
                           int32_t count)
{
    weir__call *const part = weir__call_new(subject, map, count);
    for (int32_t f = 0; part && f < map->size[WEIR__X]; f++)
        for (int32_t r = 0; r < count; r++)
            weir__field_set(&part->field[WEIR__X], f, r, weir__field_get(&all->field[WEIR__X], f, first + r));
    if (part) weir__field_pad(&part->field[WEIR__X], 0);
    return part;
}

static weir_status add_part(weir__subject *subject, weir__call *part, void *partial)
{
    const weir_layer_ops *const ops = subject->child->layer;
    weir_frame *const frame = weir__call_frame(subject, part, &initial);
    if (!frame) return WEIR_ERROR;
    return ops->observe(subject->child->self, frame, 0, &part->field[WEIR__X].tile, partial);
}

static weir_status observe_parts(weir__subject *subject, const weir__map *map, const weir__call *all,
                                 void *total, void *partial)
{
    const weir_layer_ops *const ops = subject->child->layer;
    weir__call *const head = part_of(subject, map, all, 0, 21);
    weir__call *const tail = part_of(subject, map, all, 21, ROWS - 21);
    if (!head || !tail) return WEIR_ERROR;
    weir_status status = add_part(subject, head, total);
    if (status == WEIR_OK) status = add_part(subject, tail, partial);
    if (status == WEIR_OK) status = ops->merge(subject->child->self, total, partial);
    weir_frame *const frame = weir__call_frame(subject, tail, &initial);
    if (!frame) return WEIR_ERROR;
    return status == WEIR_OK ? ops->observe_finish(subject->child->self, frame, 0, total) : status;
}

static void *zeroed(int64_t bytes)
{
    const size_t size = ((size_t)(bytes > 0 ? bytes : 1) + 63) / 64 * 64;
    void *const memory = aligned_alloc(64, size);
    return memory ? memset(memory, 0, size) : NULL;
}

static void compare_merged(weir__subject *whole, weir__subject *parts, weir__verdict *verdict)
{
    const weir__map *const map = &whole->maps[0];
    const int64_t bytes = whole->child->layer->observe_size(whole->child->self);
    int64_t count;
    void *const total = zeroed(bytes), *const partial = zeroed(bytes);
    weir__call *const all = weir__call_new(whole, map, ROWS);
    if (weir__have(verdict, total, partial, all) &&
        weir__served(verdict, whole, observe_all(whole, all), "observe") &&
        weir__served(verdict, parts, observe_parts(parts, map, all, total, partial), "merge")) {
        double *const one = state_of(whole, &count), *const other = state_of(parts, &count);
        if (weir__have(verdict, one, other)) compare_states(other, one, count, verdict);
        free(one);
        free(other);
    }
    free(total);
    free(partial);
}

void weir__check_observe_merges(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__subject whole, parts;
    (void)map;
    if (!observes(subject) || subject->weights != WEIR__INITIAL) {
        weir__skip(verdict);
        return;
    }
    const weir_layer_ops *const ops = subject->child->layer;
    if (!ops->observe_size || !ops->observe || !ops->merge || !ops->observe_finish) {
        weir__object(verdict,
                     "flagged OBSERVE_ONCE, and one of observe_size, observe, merge, observe_finish is NULL");
        return;
    }
    if (!weir__open_again(&whole, subject, verdict)) return;
    if (weir__open_again(&parts, subject, verdict)) {
        compare_merged(&whole, &parts, verdict);
        weir__subject_close(&parts);
    }
    weir__subject_close(&whole);
}
