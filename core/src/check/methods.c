/* methods.c - methods take and give what their signatures say: nothing is written beyond a result or into an argument, the
 * same question has the same answer, and one that fails says why. */
#include "check/checks.h"
#include "method/bound.h"
#include "model/net.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH 3  /* of arrays whose length is the caller's */
#define MARGIN 64 /* bytes on both sides of an array that must stay as they are */
#define MARK   0xA5

/* One call: arrays with their margins, and what the arguments held. */
typedef struct attempt {
    weir__bound *bound;
    weir__slot_value slots[WEIR__METHOD_ITEMS];
    unsigned char *memory[WEIR__METHOD_ITEMS], *before[WEIR__METHOD_ITEMS];
    size_t bytes[WEIR__METHOD_ITEMS];
} attempt;

static void release(attempt *a)
{
    for (int32_t i = 0; i < WEIR__METHOD_ITEMS; i++) {
        free(a->memory[i]);
        free(a->before[i]);
    }
}

/* ---- arguments ---- */

static size_t element_size(const attempt *a, const weir__item *item)
{
    return item->type == WEIR__ITEM_REAL && weir__bound_precision(a->bound) == WEIR_F32 ? 4 : 8;
}

/* Numbers near those that make a univariate the identity, where there are as many. */
static void fill(const weir__subject *subject, attempt *a, const weir__item *item, int32_t i,
                 weir__dice *dice)
{
    const size_t size = element_size(a, item), count = a->bytes[i] / size;
    const double *const identity = subject->child->identity;
    const int near = identity && (int32_t)count == subject->child->params;
    void *const to = a->memory[i] + MARGIN;
    for (size_t k = 0; k < count; k++) {
        const double value = (near ? identity[k] : 0) + 0.3 * weir__dice_normal(dice);
        if (item->type == WEIR__ITEM_INTEGER)
            ((int64_t *)to)[k] = 1;
        else if (size == 4)
            ((float *)to)[k] = (float)value;
        else
            ((double *)to)[k] = value;
    }
}

static int make_array(attempt *a, weir__lengths *lengths, int32_t i, int is_result)
{
    const weir__item *const item = &weir__bound_signature(a->bound)->items[i];
    size_t bytes = element_size(a, item);
    for (int32_t k = 0; k < item->rank; k++) {
        int64_t size;
        if (weir__bound_size(lengths, i, k, LENGTH, &size, NULL) != WEIR_OK)
            return 0; /* an empty slot, say */
        bytes *= (size_t)size;
    }
    a->bytes[i] = bytes;
    a->memory[i] = malloc(bytes + 2 * MARGIN);
    if (!is_result) a->before[i] = malloc(bytes + 1);
    if (!a->memory[i] || (!is_result && !a->before[i])) return 0;
    memset(a->memory[i], MARK, bytes + 2 * MARGIN);
    memset(a->memory[i] + MARGIN, 0, bytes);
    a->slots[i].address = a->memory[i] + MARGIN;
    return 1;
}

/* 0: there are no such arguments here. */
static int prepare(const weir__subject *subject, attempt *a, weir__dice dice)
{
    const weir__signature *const s = weir__bound_signature(a->bound);
    weir__lengths lengths = {.bound = a->bound, .arguments = a->slots};
    for (int32_t i = 0; i < s->argument_count; i++) {
        if (s->items[i].rank) continue;
        if (s->items[i].type == WEIR__ITEM_INTEGER) a->slots[i].integer = 1;
        if (s->items[i].type == WEIR__ITEM_NUMBER) a->slots[i].number = 0.5;
        if (s->items[i].type == WEIR__ITEM_TEXT) a->slots[i].address = "text";
    }
    for (int32_t i = 0; i < s->argument_count + s->result_count; i++) {
        const int is_result = i >= s->argument_count;
        if (!is_result && !s->items[i].rank) continue;
        if (!make_array(a, &lengths, i, is_result)) return 0;
        if (is_result) continue;
        fill(subject, a, &s->items[i], i, &dice);
        memcpy(a->before[i], a->memory[i] + MARGIN, a->bytes[i]);
    }
    return 1;
}

/* ---- what came of it ---- */

static int margins_kept(const attempt *a, int32_t i)
{
    for (size_t k = 0; k < MARGIN; k++)
        if (a->memory[i][k] != MARK || a->memory[i][MARGIN + a->bytes[i] + k] != MARK) return 0;
    return 1;
}

static void judge_memory(const attempt *a, const char *name, weir__verdict *verdict)
{
    const weir__signature *const s = weir__bound_signature(a->bound);
    for (int32_t i = 0; i < WEIR__METHOD_ITEMS; i++) {
        if (!a->memory[i]) continue;
        if (!margins_kept(a, i))
            weir__object(verdict, "method %s writes beyond %s, whose size its signature says", name,
                         s->items[i].name);
        if (a->before[i] && memcmp(a->before[i], a->memory[i] + MARGIN, a->bytes[i]) != 0)
            weir__object(verdict, "method %s writes into its argument %s", name, s->items[i].name);
    }
}

static int run(const weir__subject *subject, attempt *a, const char *name, weir__verdict *verdict)
{
    weir__run *const run = weir__solo_begin(subject->solo);
    const weir_status status = weir__bound_call(a->bound, run, a->slots, NULL);
    if (status == WEIR_OK) return 1;
    if (!run->message[0])
        weir__object(verdict, "method %s fails, status %d, and does not say why", name, (int)status);
    return 0;
}

static void compare(const attempt *a, const attempt *b, const char *name, weir__verdict *verdict)
{
    const weir__signature *const s = weir__bound_signature(a->bound);
    for (int32_t i = s->argument_count; i < s->argument_count + s->result_count; i++)
        if (memcmp(a->memory[i] + MARGIN, b->memory[i] + MARGIN, a->bytes[i]) != 0)
            weir__object(verdict, "method %s gives another %s when it is asked again", name,
                         s->items[i].name);
}

static void try_method(const weir__subject *subject, const char *name, weir__verdict *verdict)
{
    weir_error error = {.message = ""};
    attempt a = {.bound = NULL}, b = {.bound = NULL};
    const weir__dice dice = weir__dice_from(subject->candidate->seed, 91);
    if (weir__bind(weir__solo_instance(subject->solo), name, &a.bound, &error) != WEIR_OK) {
        weir__object(verdict, "%.200s", error.message);
        return;
    }
    b.bound = a.bound;
    if (prepare(subject, &a, dice) && prepare(subject, &b, dice)) {
        const int first = run(subject, &a, name, verdict), second = run(subject, &b, name, verdict);
        if (first && second) compare(&a, &b, name, verdict);
        judge_memory(&a, name, verdict);
    }
    release(&a);
    release(&b);
}

void weir__check_methods(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const weir_module *const module = subject->module;
    (void)map;
    if (!weir__method_count(module)) {
        weir__skip(verdict);
        return;
    }
    for (int32_t i = 0; i < weir__method_count(module); i++)
        try_method(subject, weir__method_at(module, i)->name, verdict);
}
