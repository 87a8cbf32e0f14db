/* call.c - methods: values in, the call, values out. */
#include "api/api.h"
#include "method/bound.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Elements of one array: more would be a mistake. */
#define ELEMENTS_MOST (INT64_C(1) << 27)

#define WHOLE_MOST 9007199254740992.0 /* doubles beyond leave integers out */

/* Memory of arrays, aligned as lanes are; a list of them is freed as one. */
typedef struct block {
    struct block *next;
    unsigned char pad[64 - sizeof(struct block *)];
} block;

struct weir_answer {
    int32_t count;
    weir_value values[WEIR__METHOD_ITEMS];
    block *blocks;
};

/* One call: the values as the function wants them, and the memory made for that. */
typedef struct call {
    weir__bound *bound;
    const weir__signature *signature;
    int32_t precision;
    weir__lengths lengths;
    weir__slot_value slots[WEIR__METHOD_ITEMS];
    int64_t dims[WEIR__METHOD_ITEMS][WEIR__METHOD_RANK];
    int64_t counts[WEIR__METHOD_ITEMS];
    block *blocks;
    weir_error *error;
} call;

/* Zeros for so many elements of 8 bytes or less; NULL when memory is exhausted. */
static void *take_block(block **list, int64_t count)
{
    const size_t bytes = sizeof(block) + (8 * (size_t)count + 63) / 64 * 64;
    block *const made = aligned_alloc(64, bytes);
    if (!made) return NULL;
    memset(made, 0, bytes);
    made->next = *list;
    *list = made;
    return made + 1;
}

static void free_blocks(block *list)
{
    for (block *next; list; list = next) {
        next = list->next;
        free(list);
    }
}

/* ---- what the caller gave ------------------------------------------------------------------------------------- */

static const char *const kind_names[] = {"nothing", "an integer", "a number",
                                         "a text",  "numbers",    "integers"};

static weir_status read_value(const weir_value *given, const weir_value *list, weir_value *full,
                              weir_error *error)
{
    const size_t size = list->struct_size;
    if (size < offsetof(weir_value, dims) + sizeof full->dims)
        return weir__fail(error, WEIR_INVALID, "weir_value.struct_size is %u; set it to sizeof(weir_value)",
                          (unsigned)size);
    memset(full, 0, sizeof *full);
    memcpy(full, given, size < sizeof *full ? size : sizeof *full);
    if (full->type >= WEIR_VALUE_INTEGER && full->type <= WEIR_VALUE_INTEGERS) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID, "weir_value.type %d is unknown", (int)full->type);
}

static weir_status mismatch(const call *c, int32_t i, const char *got)
{
    char text[300];
    weir__item_text(&c->signature->items[i], text, sizeof text);
    return weir__fail(c->error, WEIR_INVALID, "argument %d: expected %s, got %s", (int)i + 1, text, got);
}

static int is_whole(double value)
{
    return fabs(value) <= WHOLE_MOST && value == floor(value);
}

static weir_status take_scalar(call *c, int32_t i, const weir_value *v)
{
    char got[64];
    const weir__item_type type = c->signature->items[i].type;
    const int is_integer = v->type == WEIR_VALUE_INTEGER, is_number = v->type == WEIR_VALUE_NUMBER;
    if (type == WEIR__ITEM_TEXT && v->type == WEIR_VALUE_TEXT && v->text)
        return c->slots[i].address = v->text, WEIR_OK;
    if (type == WEIR__ITEM_NUMBER && (is_integer || is_number))
        return c->slots[i].number = is_number ? v->number : (double)v->integer, WEIR_OK;
    if (type == WEIR__ITEM_INTEGER && is_integer) return c->slots[i].integer = v->integer, WEIR_OK;
    if (type == WEIR__ITEM_INTEGER && is_number && is_whole(v->number))
        return c->slots[i].integer = (int64_t)v->number, WEIR_OK;
    if (is_number && type == WEIR__ITEM_INTEGER)
        return snprintf(got, sizeof got, "%g", v->number), mismatch(c, i, got);
    return mismatch(c, i, kind_names[v->type]);
}

/* "2 x 3 numbers" */
static void shape_text(const weir_value *v, char *text, size_t room)
{
    int used = 0;
    for (int32_t k = 0; k < v->rank && used >= 0 && (size_t)used < room; k++)
        used += snprintf(text + used, room - (size_t)used, "%s%lld", k ? " x " : "", (long long)v->dims[k]);
    if (used >= 0 && (size_t)used < room)
        snprintf(text + used, room - (size_t)used, " %s", kind_names[v->type]);
}

static weir_status wrong_size(const call *c, int32_t i, const weir_value *v)
{
    char got[120], name[300], wanted[120] = "";
    int used = 0;
    const weir__item *const item = &c->signature->items[i];
    shape_text(v, got, sizeof got);
    weir__item_text(item, name, sizeof name);
    for (int32_t k = 0; k < item->rank; k++)
        used += snprintf(wanted + used, sizeof wanted - (size_t)used, "%s%lld", k ? " x " : "",
                         (long long)c->dims[i][k]);
    return weir__fail(c->error, WEIR_INVALID, "argument %d: expected %s, here %s, got %s", (int)i + 1, name,
                      wanted, got);
}

/* Sizes as the signature says; their product in counts. */
static weir_status settle_dims(call *c, int32_t i, const int64_t *given)
{
    int64_t count = 1;
    const weir__item *const item = &c->signature->items[i];
    for (int32_t k = 0; k < item->rank; k++) {
        int64_t *const size = &c->dims[i][k];
        const weir_status status = weir__bound_size(&c->lengths, i, k, given ? given[k] : 0, size, c->error);
        if (status) return status;
        if (*size > ELEMENTS_MOST || (count *= *size) > ELEMENTS_MOST)
            return weir__fail(c->error, WEIR_INVALID, "%s would have more than %lld elements", item->name,
                              (long long)ELEMENTS_MOST);
    }
    c->counts[i] = count;
    return WEIR_OK;
}

static double element(const weir_value *v, int64_t k)
{
    return v->type == WEIR_VALUE_REALS ? v->reals[k] : (double)v->integers[k];
}

static weir_status take_elements(call *c, int32_t i, const weir_value *v)
{
    void *const room = take_block(&c->blocks, c->counts[i]);
    char got[64];
    if (!room) return weir__no_memory(c->error, "an argument");
    c->slots[i].address = room;
    const int integers = c->signature->items[i].type == WEIR__ITEM_INTEGER;
    for (int64_t k = 0; k < c->counts[i]; k++) {
        if (integers && v->type == WEIR_VALUE_REALS && !is_whole(v->reals[k]))
            return snprintf(got, sizeof got, "%g at place %lld", v->reals[k], (long long)k + 1),
                   mismatch(c, i, got);
        if (integers)
            ((int64_t *)room)[k] = v->type == WEIR_VALUE_REALS ? (int64_t)v->reals[k] : v->integers[k];
        else if (c->precision == WEIR_F32)
            ((float *)room)[k] = (float)element(v, k);
        else
            ((double *)room)[k] = element(v, k);
    }
    return WEIR_OK;
}

static weir_status take_array(call *c, int32_t i, const weir_value *v)
{
    const int has_data =
        (v->type == WEIR_VALUE_REALS && v->reals) || (v->type == WEIR_VALUE_INTEGERS && v->integers);
    const weir__item *const item = &c->signature->items[i];
    char got[120];
    if (!has_data) return mismatch(c, i, kind_names[v->type]);
    if (v->rank != item->rank) {
        if (v->rank < 1 || v->rank > WEIR__METHOD_RANK)
            return mismatch(c, i, "an array of no rank from 1 to 4");
        return shape_text(v, got, sizeof got), mismatch(c, i, got);
    }
    const weir_status status = settle_dims(c, i, v->dims);
    if (status) return status;
    if (memcmp(v->dims, c->dims[i], (size_t)item->rank * sizeof *v->dims) != 0) return wrong_size(c, i, v);
    return take_elements(c, i, v);
}

static weir_status take_arguments(call *c, const weir_value *arguments, int32_t count)
{
    weir_value v[WEIR__METHOD_ITEMS];
    if (count != c->signature->argument_count)
        return weir__fail(c->error, WEIR_INVALID, "expected %d argument%s, got %d",
                          (int)c->signature->argument_count, c->signature->argument_count == 1 ? "" : "s",
                          (int)count);
    for (int32_t i = 0; i < count; i++) {
        const void *const at = (const char *)arguments + (size_t)i * arguments->struct_size;
        const weir_status status = read_value(at, arguments, &v[i], c->error);
        if (status) return status;
    }
    for (int pass = 0; pass < 2; pass++) /* sizes may name integers that come after them */
        for (int32_t i = 0; i < count; i++) {
            const int scalar = c->signature->items[i].rank == 0;
            if (scalar != (pass == 0)) continue;
            const weir_status status = (scalar ? take_scalar : take_array)(c, i, &v[i]);
            if (status) return status;
        }
    return WEIR_OK;
}

/* ---- what the function gives ----------------------------------------------------------------------------------- */

static weir_status make_results(call *c)
{
    const int32_t first = c->signature->argument_count, end = first + c->signature->result_count;
    for (int32_t i = first; i < end; i++) {
        const weir_status status = settle_dims(c, i, NULL);
        if (status) return status;
        void *const room = take_block(&c->blocks, c->counts[i]);
        if (!room) return weir__no_memory(c->error, "a result");
        c->slots[i].address = room;
    }
    return WEIR_OK;
}

/* In double, or int64_t, in memory of the answer's. */
static weir_status give_array(const call *c, int32_t i, weir_answer *answer, weir_value *v)
{
    const void *const from = c->slots[i].address;
    void *const to = take_block(&answer->blocks, c->counts[i]);
    if (!to) return weir__no_memory(c->error, "a result");
    if (v->type == WEIR_VALUE_REALS && c->precision == WEIR_F32)
        for (int64_t k = 0; k < c->counts[i]; k++) ((double *)to)[k] = (double)((const float *)from)[k];
    else
        memcpy(to, from, (size_t)c->counts[i] * 8);
    if (v->type == WEIR_VALUE_REALS)
        v->reals = to;
    else
        v->integers = to;
    return WEIR_OK;
}

static weir_status give_result(const call *c, int32_t i, weir_answer *answer)
{
    const weir__item *const item = &c->signature->items[i];
    const int is_integer = item->type == WEIR__ITEM_INTEGER;
    const void *const from = c->slots[i].address;
    weir_value *const v = &answer->values[answer->count++];
    *v = (weir_value){.struct_size = (uint32_t)sizeof *v, .rank = item->rank};
    memcpy(v->dims, c->dims[i], (size_t)item->rank * sizeof *v->dims);
    if (item->rank) {
        v->type = is_integer ? WEIR_VALUE_INTEGERS : WEIR_VALUE_REALS;
        return give_array(c, i, answer, v);
    }
    v->type = is_integer ? WEIR_VALUE_INTEGER : WEIR_VALUE_NUMBER;
    if (is_integer)
        v->integer = *(const int64_t *)from;
    else
        v->number = *(const double *)from;
    return WEIR_OK;
}

static weir_status give_results(const call *c, weir_answer **out)
{
    weir_answer *const answer = calloc(1, sizeof *answer);
    if (!answer) return weir__no_memory(c->error, "a result");
    weir_status status = WEIR_OK;
    for (int32_t i = 0; i < c->signature->result_count && !status; i++)
        status = give_result(c, c->signature->argument_count + i, answer);
    if (status) return weir_answer_free(answer), status;
    *out = answer;
    return WEIR_OK;
}

int32_t weir_answer_count(const weir_answer *answer)
{
    return answer->count;
}

weir_status weir_answer_at(const weir_answer *answer, int32_t index, weir_value *value, weir_error *error)
{
    const uint32_t size = value->struct_size;
    if (index < 0 || index >= answer->count)
        return weir__fail(error, WEIR_INVALID, "result %d does not exist: there are %d, from 0", (int)index,
                          (int)answer->count);
    weir_value full = answer->values[index];
    full.struct_size = size;
    memcpy(value, &full, size < sizeof full ? size : sizeof full);
    return WEIR_OK;
}

void weir_answer_free(weir_answer *answer)
{
    if (!answer) return;
    free_blocks(answer->blocks);
    free(answer);
}

/* ---- the call ----------------------------------------------------------------------------------------------------- */

static weir_status find_module(const weir_model *model, const char *path, weir__instance **found,
                               weir_error *error)
{
    const weir__net *const net = &model->net;
    for (int32_t i = 0; i < net->instance_count; i++)
        if (strcmp(net->instances[i]->path, path) == 0) return *found = net->instances[i], WEIR_OK;
    const char **const names = calloc((size_t)net->instance_count + 1, sizeof *names);
    if (!names) return weir__no_memory(error, "names");
    for (int32_t i = 0; i < net->instance_count; i++) names[i] = net->instances[i]->path;
    const char *const near = weir__nearest(path, names, net->instance_count);
    free(names);
    if (near)
        return weir__fail(error, WEIR_INVALID, "the model has no module \"%s\"; did you mean \"%s\"?", path,
                          near);
    return weir__fail(error, WEIR_INVALID, "the model has no module \"%s\"; print the model to see them",
                      path);
}

static weir_status run_call(call *c, weir_model *model)
{
    weir_status status = weir__model_prepare(model, c->error);
    if (status) return status;
    weir__worker *const worker = weir__worker_take(model, 1, c->error);
    if (!worker) return WEIR_ERROR;
    weir__run_begin(&worker->run, 0, WEIR_MODE_EVALUATE, 0, 0, 0, 0);
    status = weir__bound_call(c->bound, &worker->run, c->slots, c->error);
    weir__worker_give(model, worker);
    return status;
}

weir_status weir_model_call(weir_model *model, const char *module, const char *method,
                            const weir_value *arguments, int32_t argument_count, weir_answer **answer,
                            weir_error *error)
{
    weir_error local;
    call c = {.error = error ? error : &local};
    weir__instance *instance = NULL;
    weir_status status = find_module(model, module, &instance, c.error);
    if (!status) status = weir__bind(instance, method, &c.bound, c.error);
    if (status) return status;
    c.signature = weir__bound_signature(c.bound);
    c.precision = weir__bound_precision(c.bound);
    c.lengths = (weir__lengths){.bound = c.bound, .arguments = c.slots};
    status = take_arguments(&c, arguments, argument_count);
    if (!status) status = make_results(&c);
    if (status)
        weir__bound_fail(c.bound, c.error);
    else
        status = run_call(&c, model);
    if (!status) status = give_results(&c, answer);
    free_blocks(c.blocks);
    return status;
}
