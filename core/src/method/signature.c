/* signature.c - see signature.h. */
#include "method/signature.h"

#include "plugin/names.h"

#include <stdio.h>
#include <string.h>

#define DIGITS_MOST 9 /* of a number in a size */

static const char *const type_names[] = {"integer", "number", "real", "text"};
static const char *const reserved[] = {"in", "out", "params", "context", "integer", "number", "real", "text"};

/* ---- words ------------------------------------------------------------------------------------------- */

typedef struct reader {
    const char *start, *at;
    weir_error *error;
} reader;

static weir_status expected(const reader *r, const char *what)
{
    return weir__fail(r->error, WEIR_INVALID, "expected %s at character %d, \"%.20s\"", what,
                      (int)(r->at - r->start) + 1, r->at);
}

static void skip_spaces(reader *r)
{
    while (*r->at == ' ' || *r->at == '\n' || *r->at == '\t') r->at++;
}

/* Takes the mark when it comes next. */
static int takes(reader *r, const char *mark)
{
    skip_spaces(r);
    const size_t length = strlen(mark);
    if (strncmp(r->at, mark, length) != 0) return 0;
    r->at += length;
    return 1;
}

static int is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A name, or with `dots` two that a dot joins, of at most 63 characters; 0 when none comes next. */
static int takes_name(reader *r, int dots, char name[64])
{
    size_t n = 0;
    skip_spaces(r);
    if (!is_lower(*r->at)) return 0;
    while (n < 63 &&
           (is_lower(r->at[n]) || is_digit(r->at[n]) || r->at[n] == '_' || (dots && r->at[n] == '.')))
        n++;
    memcpy(name, r->at, n);
    name[n] = '\0';
    r->at += n;
    return 1;
}

static int is_reserved(const char *name)
{
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcmp(name, reserved[i]) == 0) return 1;
    return 0;
}

/* ---- sizes ------------------------------------------------------------------------------------------- */

typedef struct sum {
    reader reader;
    const weir__size_names *names;
} sum;

static weir_status too_large(const sum *s)
{
    return weir__fail(s->reader.error, WEIR_INVALID, "the size [%.40s is too large", s->reader.start);
}

static weir_status factor(sum *s, int64_t *value)
{
    char name[64];
    reader *const r = &s->reader;
    skip_spaces(r);
    *value = 0;
    if (takes_name(r, 1, name))
        return s->names->value(s->names->user, name, value, r->error) ? WEIR_OK : WEIR_INVALID;
    if (!is_digit(*r->at)) return expected(r, "a number or a name");
    for (int32_t n = 0; is_digit(*r->at); n++) {
        if (n == DIGITS_MOST) return too_large(s);
        *value = *value * 10 + (*r->at++ - '0');
    }
    return WEIR_OK;
}

static weir_status product(sum *s, int64_t *value)
{
    int64_t next;
    weir_status status = factor(s, value);
    while (!status && takes(&s->reader, "*")) {
        status = factor(s, &next);
        if (!status && __builtin_mul_overflow(*value, next, value)) status = too_large(s);
    }
    return status;
}

static weir_status add_up(sum *s, int64_t *value)
{
    int64_t next;
    weir_status status = product(s, value);
    while (!status) {
        const int plus = takes(&s->reader, "+"), minus = !plus && takes(&s->reader, "-");
        if (!plus && !minus) break;
        if ((status = product(s, &next))) break;
        if (plus ? __builtin_add_overflow(*value, next, value) : __builtin_sub_overflow(*value, next, value))
            status = too_large(s);
    }
    return status;
}

weir_status weir__size_value(const char *size, const weir__size_names *names, int64_t *value,
                             weir_error *error)
{
    sum s = {{size, size, error}, names};
    const weir_status status = add_up(&s, value);
    if (status) return status;
    if (*value >= 0) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID, "the size [%.*s] is %lld", (int)(s.reader.at - size), size,
                      (long long)*value);
}

/* ---- items ------------------------------------------------------------------------------------------- */

/* Whatever the names are worth: only the form is read. */
static int any_name(void *user, const char *name, int64_t *value, weir_error *error)
{
    (void)user, (void)name, (void)error;
    *value = 1;
    return 1;
}

static weir_status read_size(reader *r, weir__item *item)
{
    static const weir__size_names anything = {any_name, NULL};
    int64_t value;
    if (item->rank == WEIR__METHOD_RANK)
        return weir__fail(r->error, WEIR_INVALID, "%s has more than %d sizes", item->name, WEIR__METHOD_RANK);
    skip_spaces(r);
    item->sizes[item->rank++] = r->at;
    sum s = {*r, &anything};
    const weir_status status = add_up(&s, &value);
    *r = s.reader;
    if (status) return status;
    return takes(r, "]") ? WEIR_OK : expected(r, "]");
}

static weir_status read_item(reader *r, int is_result, weir__item *item)
{
    char word[64];
    int type = -1;
    *item = (weir__item){.rank = 0};
    if (!takes_name(r, 0, word)) return expected(r, "integer, number, real or text");
    for (int i = 0; i < 4; i++)
        if (strcmp(word, type_names[i]) == 0) type = i;
    if (type < 0)
        return weir__fail(r->error, WEIR_INVALID, "\"%s\" is no type: integer, number, real and text are",
                          word);
    item->type = (weir__item_type)type;
    if (!takes_name(r, 0, item->name)) return expected(r, "a name");
    if (is_reserved(item->name))
        return weir__fail(r->error, WEIR_INVALID,
                          "\"%s\" has a meaning of its own, and can be no item's name", item->name);
    while (takes(r, "[")) {
        const weir_status status = read_size(r, item);
        if (status) return status;
    }
    if (item->type == WEIR__ITEM_REAL && item->rank == 0)
        return weir__fail(r->error, WEIR_INVALID, "real %s needs sizes; one value is a number", item->name);
    if ((item->type == WEIR__ITEM_NUMBER || item->type == WEIR__ITEM_TEXT) && item->rank)
        return weir__fail(r->error, WEIR_INVALID, "%s %s can have no sizes", word, item->name);
    if (is_result && item->type == WEIR__ITEM_TEXT)
        return weir__fail(r->error, WEIR_INVALID, "%s: a text can be an argument only", item->name);
    return WEIR_OK;
}

static weir_status read_items(reader *r, int are_results, weir__signature *s)
{
    int32_t *const count = are_results ? &s->result_count : &s->argument_count;
    do {
        const int32_t all = s->argument_count + s->result_count;
        if (all == WEIR__METHOD_ITEMS)
            return weir__fail(r->error, WEIR_INVALID, "more than %d arguments and results",
                              WEIR__METHOD_ITEMS);
        const weir_status status = read_item(r, are_results, &s->items[all]);
        if (status) return status;
        for (int32_t i = 0; i < all; i++)
            if (strcmp(s->items[i].name, s->items[all].name) == 0)
                return weir__fail(r->error, WEIR_INVALID, "%s is there twice", s->items[all].name);
        ++*count;
    } while (takes(r, ","));
    return WEIR_OK;
}

/* ---- names in sizes ---------------------------------------------------------------------------------- */

static int is_integer_option(const weir_module *m, const char *name)
{
    for (int32_t i = 0; i < m->option_count; i++) {
        const weir_option *const o =
            (const void *)((const char *)m->options + (size_t)i * (size_t)m->option_stride);
        if (strcmp(o->name, name) == 0) return o->type == WEIR_INTEGER;
    }
    return 0;
}

static int is_slot(const weir_module *m, const char *name, size_t length)
{
    for (int32_t i = 0; i < m->slot_count; i++) {
        const weir_slot *const s =
            (const void *)((const char *)m->slots + (size_t)i * (size_t)m->slot_stride);
        if (strlen(s->name) == length && memcmp(s->name, name, length) == 0) return 1;
    }
    return 0;
}

/* One that needs no argument of the method. */
static int has_meaning(const weir_module *m, const char *name)
{
    const char *const dot = strchr(name, '.');
    if (dot)
        return is_slot(m, name, (size_t)(dot - name)) &&
               (!strcmp(dot, ".in") || !strcmp(dot, ".out") || !strcmp(dot, ".params"));
    for (int i = 0; i < 4; i++)
        if (strcmp(name, reserved[i]) == 0) return 1;
    return is_integer_option(m, name);
}

static int is_integer_argument(const weir__signature *s, const char *name)
{
    for (int32_t i = 0; i < s->argument_count; i++)
        if (s->items[i].type == WEIR__ITEM_INTEGER && !s->items[i].rank && !strcmp(s->items[i].name, name))
            return 1;
    return 0;
}

/* Which sizes of arguments are names for the caller's lengths. */
static void find_bindings(const weir_module *m, weir__signature *s)
{
    for (int32_t i = 0; i < s->argument_count; i++) {
        weir__item *const item = &s->items[i];
        for (int32_t k = 0; k < item->rank; k++) {
            char name[64];
            reader r = {item->sizes[k], item->sizes[k], NULL};
            const int alone = takes_name(&r, 0, name) && takes(&r, "]");
            if (alone && !has_meaning(m, name) && !is_integer_argument(s, name))
                snprintf(item->binds[k], sizeof item->binds[k], "%s", name);
        }
    }
}

typedef struct scope {
    const weir_module *module;
    const weir__signature *signature;
} scope;

static int known_name(void *user, const char *name, int64_t *value, weir_error *error)
{
    const scope *const in = user;
    const weir__signature *const s = in->signature;
    *value = 1;
    if (is_integer_argument(s, name) || has_meaning(in->module, name)) return 1;
    for (int32_t i = 0; i < s->argument_count; i++)
        for (int32_t k = 0; k < s->items[i].rank; k++)
            if (strcmp(s->items[i].binds[k], name) == 0) return 1;
    weir__fail(
        error, WEIR_INVALID,
        "\"%s\" in a size is neither in, out, params or context, nor an integer argument or option, nor "
        "SLOT.in, SLOT.out or SLOT.params of a child",
        name);
    return 0;
}

static weir_status check_names(const weir_module *m, const weir__signature *s, weir_error *error)
{
    scope in = {m, s};
    const weir__size_names names = {known_name, &in};
    for (int32_t i = 0; i < s->argument_count + s->result_count; i++)
        for (int32_t k = 0; k < s->items[i].rank; k++) {
            int64_t value;
            sum sizes = {{s->items[i].sizes[k], s->items[i].sizes[k], error}, &names};
            const weir_status status = add_up(&sizes, &value);
            if (status) return status;
        }
    return WEIR_OK;
}

weir_status weir__signature_read(const weir_module *m, const char *text, weir__signature *s,
                                 weir_error *error)
{
    reader r = {text, text, error};
    s->argument_count = s->result_count = 0;
    if (!takes(&r, "(")) return expected(&r, "(");
    if (!takes(&r, ")")) {
        const weir_status status = read_items(&r, 0, s);
        if (status) return status;
        if (!takes(&r, ")")) return expected(&r, ", or )");
    }
    if (!takes(&r, "->")) return expected(&r, "->");
    const weir_status status = read_items(&r, 1, s);
    if (status) return status;
    skip_spaces(&r);
    if (*r.at) return expected(&r, ", or the end");
    find_bindings(m, s);
    return check_names(m, s, error);
}

void weir__item_text(const weir__item *item, char *text, size_t room)
{
    int used = snprintf(text, room, "%s %s", type_names[item->type], item->name);
    for (int32_t k = 0; k < item->rank && used > 0 && (size_t)used < room; k++)
        used += snprintf(text + used, room - (size_t)used, "[%.*s]", (int)strcspn(item->sizes[k], "]"),
                         item->sizes[k]);
}
