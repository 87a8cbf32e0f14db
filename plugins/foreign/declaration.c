/* declaration.c - see declaration.h. */
#include "declaration.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#define SIZE_MOST 65536

static const char *const function_names[FOREIGN_FUNCTIONS] = {"forward", "inverse", "derivative", "second"};

typedef struct reader {
    declaration *to;
    const json_t *root;
    char *why;
    size_t room;
} reader;

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static int
fail(const reader *r, const char *format, ...)
{
    const int used = snprintf(r->why, r->room, "%.80s: ", r->to->name);
    va_list arguments;
    va_start(arguments, format);
    if (used > 0 && (size_t)used < r->room)
        vsnprintf(r->why + used, r->room - (size_t)used, format, arguments);
    va_end(arguments);
    return 0;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static int read_text(const reader *r)
{
    declaration *const d = r->to;
    FILE *const file = fopen(d->path, "rb");
    if (!file) return fail(r, "%s", strerror(errno));
    d->text = malloc(SIZE_MOST + 1);
    d->size = d->text ? fread(d->text, 1, SIZE_MOST + 1, file) : 0;
    const int failed = !d->text || ferror(file);
    fclose(file);
    if (failed) return fail(r, "cannot be read");
    return d->size <= SIZE_MOST ? 1 : fail(r, "is longer than a declaration may be (64 KiB)");
}

/* ---- values ------------------------------------------------------------------------------------------------------- */

static int is_among(const char *key, const char *const *known)
{
    for (; *known; known++)
        if (strcmp(key, *known) == 0) return 1;
    return 0;
}

static int only_known(const reader *r, const json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;
    char list[200] = "";
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (is_among(key, known)) continue;
        for (int i = 0; known[i]; i++)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", known[i]);
        return fail(r, "unknown word \"%.40s\"; there are %s", key, list);
    }
    return 1;
}

static int read_word(const reader *r, const json_t *object, const char *key, char *to, size_t room)
{
    const char *const text = json_string_value(json_object_get(object, key));
    const size_t length = text ? strlen(text) : 0;
    if (length == 0 || length >= room) return fail(r, "\"%s\" must be a text, not empty and not long", key);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 32) return fail(r, "\"%s\" must be one line", key);
    memcpy(to, text, length + 1);
    return 1;
}

/* [lower, upper], null for an end that is infinite */
static int read_interval(const reader *r, const char *key, double ends[2])
{
    const json_t *const list = json_object_get(r->root, key);
    ends[0] = -INFINITY;
    ends[1] = INFINITY;
    if (!list) return 1;
    for (size_t i = 0; i < 2 && json_array_size(list) == 2; i++)
        if (json_is_number(json_array_get(list, i))) ends[i] = json_number_value(json_array_get(list, i));
    int good = json_array_size(list) == 2 && ends[0] < ends[1];
    for (size_t i = 0; good && i < 2; i++)
        good = json_is_number(json_array_get(list, i)) || json_is_null(json_array_get(list, i));
    return good ? 1 : fail(r, "\"%s\" must be [lower, upper], null for an end that is infinite", key);
}

/* ---- functions ---------------------------------------------------------------------------------------------------- */

static int read_constants(const reader *r, const char *name, const json_t *list, foreign_function *f)
{
    int32_t places = 0;
    if (!list && f->count == 1) return 1;
    if ((int32_t)json_array_size(list) != f->count)
        return fail(r, "%s: \"arguments\" must list %s: \"x\" once, and numbers", name,
                    f->count == 1 ? "the one of the signature" : "those of the signature");
    for (int32_t i = 0; i < f->count; i++) {
        const json_t *const value = json_array_get(list, (size_t)i);
        const int is_x = json_is_string(value) && strcmp(json_string_value(value), "x") == 0;
        const double number = json_number_value(value);
        const int whole = number == floor(number) && fabs(number) < 2147483648.0;
        if (!is_x && (!json_is_number(value) || (strchr("il", f->takes[i]) && !whole)))
            return fail(r, "%s: an argument is neither \"x\" nor a number of the signature's type", name);
        if (is_x) f->place = i;
        places += is_x;
        f->constants[i] = number;
    }
    return places == 1 ? 1 : fail(r, "%s: \"x\" must be among the arguments once", name);
}

/* What is not said of one function is said of all. */
static const json_t *said(const reader *r, const json_t *own, const char *key)
{
    return json_object_get(own, key) ? own : r->root;
}

static int read_function(const reader *r, int which)
{
    static const char *const known[] = {"symbol", "library", "signature", "arguments", NULL};
    char signature[32], reason[200];
    const char *const name = function_names[which];
    const json_t *const value = json_object_get(r->root, name);
    foreign_function *const f = &r->to->functions[which];
    if (!value)
        return which == FORWARD || which == DERIVATIVE
                   ? fail(r, "\"%s\" must be there: the symbol of a function", name)
                   : 1;
    const json_t *const own = json_is_object(value) ? value : NULL;
    if (own ? !only_known(r, own, known) || !read_word(r, own, "symbol", f->symbol, sizeof f->symbol)
            : !read_word(r, r->root, name, f->symbol, sizeof f->symbol))
        return 0;
    if (!read_word(r, said(r, own, "library"), "library", f->library, sizeof f->library)) return 0;
    if (!read_word(r, said(r, own, "signature"), "signature", signature, sizeof signature)) return 0;
    if (!WEIR_NAME(foreign_signature)(f, signature, reason, sizeof reason))
        return fail(r, "%s: %s", name, reason);
    const json_t *const arguments = json_object_get(own, "signature") ? own : said(r, own, "arguments");
    if (!read_constants(r, name, json_object_get(arguments, "arguments"), f)) return 0;
    if (!r->to->type) r->to->type = f->gives;
    if (f->gives == r->to->type && f->takes[f->place] == r->to->type) return 1;
    return fail(r, "%s: all functions must take x and give their value in double, or all in float", name);
}

static int read_root(const reader *r)
{
    static const char *const known[] = {"summary", "library",  "signature",  "arguments",
                                        "forward", "inverse",  "derivative", "second",
                                        "domain",  "codomain", "scale",      NULL};
    declaration *const d = r->to;
    const json_t *const scale = json_object_get(r->root, "scale");
    if (!only_known(r, r->root, known) || !read_word(r, r->root, "summary", d->summary, sizeof d->summary))
        return 0;
    if (!read_interval(r, "domain", d->domain) || !read_interval(r, "codomain", d->codomain)) return 0;
    d->scale = scale ? json_number_value(scale) : 1;
    if (!(d->scale >= 1e-12 && d->scale <= 1e12))
        return fail(r, "\"scale\" must be a number from 1e-12 to 1e12");
    for (int i = 0; i < FOREIGN_FUNCTIONS; i++)
        if (!read_function(r, i)) return 0;
    return 1;
}

/* ---- all of it ------------------------------------------------------------------------------------------------------ */

static int open_functions(const reader *r)
{
    char reason[400];
    for (int i = 0; i < FOREIGN_FUNCTIONS; i++) {
        foreign_function *const f = &r->to->functions[i];
        if (f->count && !WEIR_NAME(foreign_open)(f, r->to->path, reason, sizeof reason))
            return fail(r, "%s: %s", function_names[i], reason);
    }
    return 1;
}

int WEIR_NAME(declaration_open)(declaration *d, char *why, size_t room)
{
    json_error_t where;
    reader r = {d, NULL, why, room};
    const char *const slash = strrchr(d->path, '/');
    d->name = slash ? slash + 1 : d->path;
    if (!read_text(&r)) return 0;
    json_t *const root = json_loadb(d->text, d->size, JSON_REJECT_DUPLICATES, &where);
    r.root = root;
    const int good = json_is_object(root)
                         ? read_root(&r)
                         : fail(&r, "is no JSON object: %.100s", root ? "it is another value" : where.text);
    json_decref(root);
    return good && open_functions(&r);
}

void WEIR_NAME(declaration_close)(declaration *d)
{
    for (int i = 0; i < FOREIGN_FUNCTIONS; i++) WEIR_NAME(foreign_close)(&d->functions[i]);
    free(d->text);
    d->text = NULL;
}
