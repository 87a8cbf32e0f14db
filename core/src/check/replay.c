/* replay.c - the same call gives the same bits; what a VJP needs lies on the tape and nowhere else. */
#include "check/checks.h"

#include <stdlib.h>
#include <string.h>

#define ROWS 16

static const weir__manner taped = {.tape = 1, .gradients = 1};

static int same_results(const weir__map *map, const weir__call *a, const weir__call *b)
{
    static const weir__argument results[] = {WEIR__Y, WEIR__LANE, WEIR__X_BAR, WEIR__PARAMS_BAR};
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        if (!map->vjp && results[i] > WEIR__LANE) continue;
        if (!weir__field_equal(&a->field[results[i]], &b->field[results[i]])) return 0;
    }
    return 1;
}

static int same_gradients(const weir__subject *subject, const double *a, const double *b)
{
    return memcmp(a, b, (size_t)subject->parameters * sizeof *a) == 0;
}

/* A quiet run: the call, and its VJP where there is one. *gradient is the caller's. */
static int quiet(weir__subject *subject, const weir__map *map, weir__call *call, double **gradient,
                 weir__verdict *verdict)
{
    weir__solo_zero_gradients(subject->solo);
    const weir_status status =
        map->vjp ? weir__differentiate(subject, map, call) : weir__evaluate(subject, map, call);
    if (!weir__served(verdict, subject, status, map->name)) return 0;
    *gradient = weir__gradient_now(subject);
    return weir__have(verdict, *gradient);
}

void weir__check_repeatable(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    double *first = NULL, *second = NULL;
    weir__call *const a = weir__call_new(subject, map, ROWS + 3);
    weir__call *const b = a ? weir__call_like(subject, map, a, WEIR__PLAIN) : NULL;
    if (weir__have(verdict, a, b) && quiet(subject, map, a, &first, verdict) &&
        quiet(subject, map, b, &second, verdict)) {
        if (!same_results(map, a, b)) weir__object(verdict, "two equal calls give different results");
        if (!same_gradients(subject, first, second))
            weir__object(verdict, "two equal calls give different gradients");
    }
    free(first);
    free(second);
}

void weir__check_tape_balance(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__call *const call = weir__call_new(subject, map, ROWS);
    if (!weir__have(verdict, call)) return;
    weir_frame *const frame = weir__call_frame(subject, call, &taped);
    if (!weir__have(verdict, frame)) return;
    const int64_t before = weir__solo_tape_mark(subject->solo);
    if (!weir__served(verdict, subject, weir__call_run(subject, map, call, frame), map->name)) return;
    const int64_t pushed = weir__solo_tape_mark(subject->solo) - before;
    if (!weir__served(verdict, subject, weir__call_vjp(subject, map, call, frame), "its VJP")) return;
    const int64_t left = weir__solo_tape_mark(subject->solo) - before;
    weir__measure(verdict, left < 0 ? (double)-left : (double)left);
    if (left) weir__object(verdict, "%lld bytes pushed, %lld left", (long long)pushed, (long long)left);
}

/* Another VJP after a rewind finds the tape as the first one did. */
void weir__check_tape_replay(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__call *const a = weir__call_new(subject, map, ROWS);
    if (!weir__have(verdict, a)) return;
    weir__solo_zero_gradients(subject->solo);
    weir_frame *const frame = weir__call_frame(subject, a, &taped);
    if (!weir__have(verdict, frame)) return;
    if (!weir__served(verdict, subject, weir__call_run(subject, map, a, frame), map->name)) return;
    const int64_t mark = weir__solo_tape_mark(subject->solo);
    if (!weir__served(verdict, subject, weir__call_vjp(subject, map, a, frame), "its VJP")) return;
    weir__solo_finish_gradients(subject->solo, NULL);
    double *const first = weir__gradient_now(subject);
    weir__call *const kept = weir__call_like(subject, map, a, WEIR__PLAIN);
    weir__solo_zero_gradients(subject->solo);
    weir__solo_tape_rewind(subject->solo, mark);
    const weir_status status = weir__call_vjp(subject, map, a, frame);
    weir__solo_finish_gradients(subject->solo, NULL);
    double *const second = weir__gradient_now(subject);
    if (weir__have(verdict, first, second, kept) && weir__served(verdict, subject, status, "its VJP") &&
        (!same_results(map, a, kept) || !same_gradients(subject, first, second)))
        weir__object(verdict, "a second VJP over the same tape gives another answer");
    free(first);
    free(second);
}

/* Between a forward and its VJP another call of the same instance runs, further up the tape. */
void weir__check_no_hidden_state(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    double *alone = NULL;
    weir__call *const a = weir__call_new(subject, map, ROWS);
    weir__call *const other = weir__call_new(subject, map, ROWS);
    weir__call *const quiet_a = a ? weir__call_like(subject, map, a, WEIR__PLAIN) : NULL;
    if (!weir__have(verdict, a, other, quiet_a)) return;
    if (!quiet(subject, map, quiet_a, &alone, verdict)) return;
    weir__solo_zero_gradients(subject->solo);
    weir_frame *const frame = weir__call_frame(subject, a, &taped);
    weir_status status = frame ? weir__call_run(subject, map, a, frame) : WEIR_ERROR;
    const int64_t mark = weir__solo_tape_mark(subject->solo);
    /* With its own context: where the image of forward depends on it, other points have no inverse. */
    const weir_tile *const context = frame ? frame->context : NULL;
    if (context) frame->context = &other->field[WEIR__CONTEXT].tile;
    if (status == WEIR_OK) status = weir__call_run(subject, map, other, frame);
    if (context) frame->context = context;
    weir__solo_tape_rewind(subject->solo, mark);
    if (status == WEIR_OK) status = weir__call_vjp(subject, map, a, frame);
    weir__solo_finish_gradients(subject->solo, NULL);
    double *const disturbed = weir__gradient_now(subject);
    if (weir__have(verdict, disturbed) && weir__served(verdict, subject, status, map->name) &&
        (!same_results(map, a, quiet_a) || !same_gradients(subject, alone, disturbed)))
        weir__object(verdict, "a call between %s and its VJP changes the VJP", map->name);
    free(alone);
    free(disturbed);
}

void weir__check_no_tape(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__call *const with = weir__call_new(subject, map, ROWS);
    weir__call *const without = with ? weir__call_like(subject, map, with, WEIR__PLAIN) : NULL;
    if (!weir__have(verdict, with, without)) return;
    weir_frame *const frame = weir__call_frame(subject, with, &taped);
    if (!weir__have(verdict, frame)) return;
    if (!weir__served(verdict, subject, weir__call_run(subject, map, with, frame), map->name)) return;
    if (!weir__served(verdict, subject, weir__evaluate(subject, map, without), map->name)) return;
    for (int32_t a = WEIR__Y; a <= WEIR__LANE; a++)
        weir__measure(verdict, weir__field_distance(&without->field[a], &with->field[a]));
}

/* ---- randomness ---- */

static weir__call *drawn(weir__subject *subject, const weir__map *map, const weir__call *like, uint64_t seed,
                         uint64_t step, weir__verdict *verdict)
{
    const weir__manner manner = {.mode = WEIR_MODE_TRAIN, .seed = seed, .step = step};
    weir__call *const call = weir__call_like(subject, map, like, WEIR__PLAIN);
    if (!weir__have(verdict, call)) return NULL;
    weir_frame *const frame = weir__call_frame(subject, call, &manner);
    if (!weir__have(verdict, frame)) return NULL;
    if (!weir__served(verdict, subject, weir__call_run(subject, map, call, frame), map->name)) return NULL;
    return call;
}

/* 0: the noise key changes nothing; 1: it changes the results; -1: could not be told. */
static int draws(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__call *const like = weir__call_new(subject, map, ROWS);
    if (!weir__have(verdict, like)) return -1;
    const weir__call *const a = drawn(subject, map, like, 11, 1, verdict);
    const weir__call *const again = a ? drawn(subject, map, like, 11, 1, verdict) : NULL;
    const weir__call *const later = again ? drawn(subject, map, like, 11, 2, verdict) : NULL;
    const weir__call *const seeded = later ? drawn(subject, map, like, 12, 1, verdict) : NULL;
    if (!seeded) return -1;
    weir__map bare = *map;
    bare.vjp = NULL;
    if (!same_results(&bare, a, again)) weir__object(verdict, "the same key gives different numbers");
    const int by_step = !same_results(&bare, a, later), by_seed = !same_results(&bare, a, seeded);
    if (by_step != by_seed)
        weir__object(verdict, "results depend on the %s and not on the %s", by_step ? "step" : "seed",
                     by_step ? "seed" : "step");
    return by_step;
}

void weir__check_keyed_noise(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const int declared = (subject->module->flags & WEIR_MODULE_STOCHASTIC) != 0;
    int any = 0;
    (void)map;
    if (subject->module->flags & WEIR_MODULE_OBSERVE_STEP) {
        weir__skip(verdict);
        return;
    }
    for (int32_t i = 0; i < subject->map_count; i++) {
        const int sampler = strcmp(subject->maps[i].name, "sample") == 0;
        const int found = draws(subject, &subject->maps[i], verdict);
        if (found < 0) return;
        any |= found;
        if (sampler && !found) weir__object(verdict, "samples do not depend on seed and step");
        if (!sampler && found && !declared)
            weir__object(verdict, "%s draws random numbers, and the module is not flagged STOCHASTIC",
                         subject->maps[i].name);
    }
    if (declared && !any) weir__object(verdict, "flagged STOCHASTIC, and nothing depends on the key");
}
