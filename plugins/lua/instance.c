/* instance.c - see instance.h. */
#include "arguments.h"

#include <lauxlib.h>
#include <stdlib.h>

const weir_option WEIR_NAME(lua_options)[LUA_OPTION_COUNT] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_STRING,
     .name = "file",
     .summary = "bare name of the Lua file, such as \"warp.lua\", in a plugin folder"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBERS,
     .name = "constants",
     .default_json = "[]",
     .minimum = -1e300,
     .maximum = 1e300,
     .summary = "numbers that the file finds in weir.constants"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_BOOLEAN,
     .name = "reload",
     .default_json = "false",
     .summary =
         "read the file again between steps when it changes; then a saved model takes any version of it"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_BOOLEAN,
     .name = "allow_changed",
     .default_json = "false",
     .summary = "a saved model takes the file as it is now, whatever it was when the model was made"},
};

/* ---- create ------------------------------------------------------------------------------------------------------- */

static weir_status declare_tensors(lua_script *s, weir_builder *build)
{
    static const int64_t words[1] = {4};
    int64_t digest[4];
    for (int32_t i = 0; i < s->spec.tensor_count; i++) {
        const lua_tensor *const t = &s->spec.tensors[i];
        s->handles[i] = t->derived ? build->derived(build, t->name, t->rank, t->dims)
                                   : build->parameter(build, t->name, t->rank, t->dims, &t->init, 0);
    }
    WEIR_NAME(lua_digest_words)(s->newest->digest, digest);
    s->digest_handle = build->integer_buffer(build, "script.sha256", 1, words, digest);
    return build->failed(build) ? WEIR_INVALID : WEIR_OK;
}

static weir_domain interval(const double ends[2], int32_t count)
{
    return (weir_domain){
        (uint32_t)sizeof(weir_domain), WEIR_DOMAIN_INTERVAL, 0, count, 0, 0, ends[0], ends[1]};
}

static weir_status declare_spaces(const lua_spec *spec, weir_builder *build)
{
    const weir_domain from = interval(spec->domain, build->features);
    const weir_domain to = interval(spec->codomain, build->features);
    if (spec->has_domain && build->require(build, &from) != WEIR_OK) return WEIR_INVALID;
    if (spec->has_codomain && build->produce(build, &to) != WEIR_OK) return WEIR_INVALID;
    return WEIR_OK;
}

static weir_status open_first(lua_instance *made, weir_builder *build, const char *kind)
{
    char why[300];
    lua_script *const s = made->script = &made->own;
    if (WEIR_NAME(lua_script_open)(s, build, kind) != WEIR_OK) return WEIR_INVALID;
    if (!WEIR_NAME(lua_engine_open)(&made->engine, s, s->newest, &made->call, &s->spec, why, sizeof why))
        return weir_refuse(build, "%s", why);
    if (declare_tensors(s, build) != WEIR_OK) return WEIR_INVALID;
    return declare_spaces(&s->spec, build);
}

static weir_status open_further(lua_instance *made, weir_builder *build, const lua_instance *first)
{
    char why[300];
    lua_script *const s = made->script = first->script;
    if (WEIR_NAME(lua_engine_open)(&made->engine, s, WEIR_NAME(lua_script_text)(s), &made->call, NULL, why,
                                   sizeof why))
        return WEIR_OK;
    return weir_refuse(build, "%s", why);
}

weir_status WEIR_NAME(lua_create)(weir_builder *build, const char *kind, lua_instance **out)
{
    if (!WEIR_HAS(build, calls))
        return weir_refuse(build, "this host makes no instances per worker; use a newer one");
    lua_instance *const made = calloc(1, sizeof *made);
    if (!made) return weir_refuse(build, "out of memory");
    made->call.tensors = made->tensors;
    made->call.gradients = made->gradients;
    const weir_status status =
        build->original ? open_further(made, build, build->original) : open_first(made, build, kind);
    made->call.each = made->script->spec.params;
    if (status == WEIR_OK)
        *out = made;
    else
        WEIR_NAME(lua_destroy)(made);
    return status;
}

void WEIR_NAME(lua_destroy)(void *self) WEIR_NOEXCEPT
{
    lua_instance *const made = self;
    WEIR_NAME(lua_engine_close)(&made->engine);
    WEIR_NAME(lua_script_close)(&made->own);
    free(made);
}

/* ---- calls -------------------------------------------------------------------------------------------------------- */

static int place_tensors(lua_instance *i, weir_frame *frame, int with_gradients)
{
    const lua_script *const s = i->script;
    for (int32_t t = 0; t < s->spec.tensor_count; t++) {
        i->tensors[t] = weir_tensor(frame, s->handles[t]);
        if (!with_gradients) continue;
        i->gradients[t] = weir_gradient(frame, s->handles[t]);
        if (i->gradients[t]) continue;
        const int64_t bytes = (s->spec.tensors[t].count + 1) * (int64_t)sizeof(weir_real);
        if (!(i->gradients[t] = weir_take(frame, bytes))) return 0;
        memset(i->gradients[t], 0, (size_t)bytes);
    }
    return 1;
}

/* The file was read again since this worker's last call: prepare, which runs alone, has seen that it loads. */
static int renew(lua_instance *i, weir_frame *frame, const lua_text *text)
{
    char why[300];
    WEIR_NAME(lua_engine_close)(&i->engine);
    if (WEIR_NAME(lua_engine_open)(&i->engine, i->script, text, &i->call, NULL, why, sizeof why)) return 1;
    frame->services->fail(frame, why);
    return 0;
}

lua_instance *WEIR_NAME(lua_begin)(const void *self, weir_frame *frame, int with_gradients)
{
    lua_instance *const i = (lua_instance *)(uintptr_t)self; /* this worker's alone */
    const lua_text *const text = WEIR_NAME(lua_script_text)(i->script);
    if (i->engine.version != text->version && !renew(i, frame, text)) return NULL;
    return i->engine.lua && WEIR_NAME(lua_frame)(i, frame) && place_tensors(i, frame, with_gradients) ? i
                                                                                                      : NULL;
}

weir_status WEIR_NAME(lua_run)(lua_instance *i, int function)
{
    char why[300];
    weir_frame *const frame = i->outer;
    if (WEIR_NAME(lua_engine_run)(&i->engine, function, why, sizeof why)) return WEIR_OK;
    frame->services->fail(frame, why);
    return WEIR_ERROR;
}

static weir_status discard_rows(weir_frame *frame, const weir_tile *to, const weir_real *lane)
{
    weir_status status = WEIR_OK;
    for (int32_t f = 0; to && f < to->features; f++)
        WEIR_TRY(status, weir_discard_unless_finite(frame, weir_lane(to, f)));
    if (lane) WEIR_TRY(status, to ? weir_discard_unless_finite(frame, lane) : weir_discard_nan(frame, lane));
    return status;
}

weir_status WEIR_NAME(lua_run_map)(lua_instance *i, int function, const weir_tile *to, const weir_real *lane)
{
    enum { WORDS = 16 };
    uint64_t before[WORDS];
    weir_frame *const frame = i->outer;
    const int32_t words = frame->width / 64 + 1 < WORDS ? (frame->width + 63) / 64 : WORDS;
    memcpy(before, frame->discard, (size_t)words * sizeof *before);
    weir_status status = WEIR_NAME(lua_run)(i, function);
    if (status == WEIR_OK && memcmp(before, frame->discard, (size_t)words * sizeof *before) != 0)
        status = WEIR_DISCARD;
    if (status > WEIR_DISCARD) return status;
    return discard_rows(frame, to, lane) == WEIR_DISCARD ? WEIR_DISCARD : status;
}
