/* state.c - what a module learned lies in its tensors: saved and read again it is the same module, and what is no state is
 * refused or borne. */
#include "check/checks.h"
#include "check/open.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS  16
#define TRIES 24

static size_t bytes_of(const weir__subject *subject, const weir__solo_tensor *tensor)
{
    const size_t number = subject->precision == WEIR_F64 ? sizeof(double) : sizeof(float);
    return (size_t)tensor->count * (tensor->integer ? sizeof(int64_t) : number);
}

static int is_saved(const weir__solo_tensor *tensor)
{
    return tensor->kind == WEIR_TENSOR_PARAMETER || tensor->kind == WEIR_TENSOR_BUFFER;
}

/* The bytes of all that a model file holds of the module, in order; *size of them. Caller frees. */
static unsigned char *save(const weir__subject *subject, weir__solo *solo, size_t *size)
{
    *size = 0;
    for (int64_t t = 0; t < weir__solo_tensors(solo); t++) {
        const weir__solo_tensor tensor = weir__solo_tensor_at(solo, t);
        if (is_saved(&tensor)) *size += bytes_of(subject, &tensor);
    }
    unsigned char *const state = malloc(*size + 1), *to = state;
    for (int64_t t = 0; state && t < weir__solo_tensors(solo); t++) {
        const weir__solo_tensor tensor = weir__solo_tensor_at(solo, t);
        const size_t bytes = bytes_of(subject, &tensor);
        if (!is_saved(&tensor) || !bytes) continue;
        memcpy(to, tensor.data, bytes);
        to += bytes;
    }
    return state;
}

static void load(const weir__subject *subject, weir__solo *solo, const unsigned char *state)
{
    for (int64_t t = 0; t < weir__solo_tensors(solo); t++) {
        const weir__solo_tensor tensor = weir__solo_tensor_at(solo, t);
        const size_t bytes = bytes_of(subject, &tensor);
        if (!is_saved(&tensor) || !bytes) continue;
        memcpy(tensor.data, state, bytes);
        state += bytes;
    }
}

/* ---- saved, read by an instance that saw nothing, and saved again ---- */

static void compare_with(weir__subject *subject, weir__solo *again, weir__verdict *verdict)
{
    weir__subject other = *subject;
    other.solo = again;
    other.child = weir__solo_child(again);
    for (int32_t i = 0; i < subject->map_count; i++) {
        const weir__map *const map = &subject->maps[i];
        weir__call *const a = weir__call_new(subject, map, ROWS);
        weir__call *const b = a ? weir__call_like(subject, map, a, WEIR__PLAIN) : NULL;
        if (!weir__have(verdict, a, b)) return;
        const weir_status status = weir__evaluate(subject, map, a);
        if (weir__evaluate(&other, map, b) != status ||
            !weir__field_equal(&a->field[WEIR__Y], &b->field[WEIR__Y]) ||
            !weir__field_equal(&a->field[WEIR__LANE], &b->field[WEIR__LANE]))
            weir__object(verdict, "%s of an instance that was given all saved tensors differs", map->name);
    }
}

void weir__check_state_saved(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const weir__solo_spec spec = weir__subject_spec(subject);
    weir__solo *again = NULL;
    weir_error error = {.message = ""};
    size_t size, size_again = 0;
    (void)map;
    unsigned char *const state = save(subject, subject->solo, &size), *state_again = NULL;
    if (!weir__have(verdict, state)) return;
    if (weir__solo_open(subject->candidate->runtime, &spec, &again, &error) == WEIR_OK) {
        load(subject, again, state);
        if (weir__solo_prepare(again, &error) != WEIR_OK)
            weir__object(verdict, "prepare refuses what was saved: %.150s", error.message);
        else
            compare_with(subject, again, verdict);
        state_again = save(subject, again, &size_again);
    } else {
        weir__object(verdict, "%.200s", error.message);
    }
    if (state_again && (size != size_again || memcmp(state, state_again, size) != 0))
        weir__object(verdict, "saved, read and saved again its tensors are not the same bytes");
    free(state);
    free(state_again);
    if (again) weir__solo_close(again);
}

/* ---- a state that is none ---- */

static int64_t wild_integer(weir__dice *dice)
{
    static const int64_t extremes[] = {-1, INT64_MAX, INT64_MIN, INT32_MAX, 1 << 20, 0};
    if (weir__dice_below(dice, 2)) return weir__dice_below(dice, 12) - 4;
    return extremes[weir__dice_below(dice, 6)];
}

static double wild_number(weir__dice *dice)
{
    const double extremes[] = {NAN, INFINITY, -INFINITY, 0, -1, 1e300, -1e300, 1e-320};
    if (weir__dice_below(dice, 2)) return 3 * weir__dice_normal(dice);
    return extremes[weir__dice_below(dice, 8)];
}

static void spoil(const weir__subject *subject, const weir__solo_tensor *tensor, weir__dice *dice)
{
    for (int64_t i = 0; i < tensor->count; i++) {
        if (tensor->integer)
            ((int64_t *)tensor->data)[i] = wild_integer(dice);
        else if (subject->precision == WEIR_F64)
            ((double *)tensor->data)[i] = wild_number(dice);
        else
            ((float *)tensor->data)[i] = (float)wild_number(dice);
    }
}

/* Whatever comes back is right: what counts is that something does. */
static void run_spoilt(weir__subject *subject)
{
    for (int32_t i = 0; i < subject->map_count; i++) {
        const weir__map *const map = &subject->maps[i];
        weir__call *const call = weir__call_new(subject, map, ROWS);
        if (!call) return;
        if (map->vjp)
            weir__differentiate(subject, map, call);
        else
            weir__evaluate(subject, map, call);
        for (int32_t a = 0; a < WEIR__ARGUMENTS; a++) (void)weir__field_intact(&call->field[a]);
        weir__calls_release(subject);
    }
}

/* A file may hold anything. A crash ends the process of this check, and that is what is told; here, writing outside. */
void weir__check_random_state(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__subject fresh;
    weir__dice dice = weir__dice_from(subject->candidate->seed, 77);
    (void)map;
    if (!weir__open_again(&fresh, subject, verdict)) return;
    for (int i = 0; i < TRIES; i++) {
        for (int64_t t = 0; t < weir__solo_tensors(fresh.solo); t++) {
            const weir__solo_tensor tensor = weir__solo_tensor_at(fresh.solo, t);
            if (is_saved(&tensor) && (i % 3 != 0 || tensor.kind == WEIR_TENSOR_BUFFER))
                spoil(&fresh, &tensor, &dice);
        }
        if (weir__solo_prepare(fresh.solo, NULL) == WEIR_OK) run_spoilt(&fresh);
    }
    weir__subject_close(&fresh);
}
