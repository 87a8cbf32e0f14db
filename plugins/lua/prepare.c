/* prepare.c - between steps: is the file the one that the model was made with, or a new one to be read? */
#include "arguments.h"

#include <lauxlib.h>
#include <stdlib.h>

#define TRIAL_ROWS 8

/* ---- the digest --------------------------------------------------------------------------------------------------- */

static void hexadecimal(const int64_t words[4], char text[WEIR_SHA256_TEXT])
{
    for (int32_t w = 0; w < 4; w++)
        snprintf(text + 16 * w, 17, "%016llx", (unsigned long long)(uint64_t)words[w]);
}

/* The buffer holds what the model was saved with. */
static weir_status check_digest(lua_script *s, weir_frame *frame)
{
    int64_t now[4];
    char then[WEIR_SHA256_TEXT], line[250];
    const int64_t *const saved = weir_integers(frame, s->digest_handle);
    WEIR_NAME(lua_digest_words)(s->newest->digest, now);
    if (memcmp(now, saved, sizeof now) == 0 || s->told) return WEIR_OK;
    hexadecimal(saved, then);
    snprintf(line, sizeof line,
             "%s is not the file that the model was made with (sha256 %.12s..., it was %.12s...)", s->name,
             s->newest->digest, then);
    if (!s->allow_changed && !s->reload)
        return weir_failf(frame, WEIR_INVALID,
                          "%s; put that one back, or make the model with allow_changed = true", line);
    s->told = 1;
    frame->services->log(frame, 1, line);
    return WEIR_OK;
}

/* ---- hot reload --------------------------------------------------------------------------------------------------- */

static void zero_derived(const lua_instance *i)
{
    const lua_spec *const spec = &i->script->spec;
    for (int32_t t = 0; t < spec->tensor_count; t++)
        if (spec->tensors[t].derived)
            memset(i->tensors[t], 0, (size_t)spec->tensors[t].count * sizeof(weir_real));
}

static int fill(lua_instance *i, int index, int32_t features, const double *values)
{
    if (!WEIR_NAME(lua_out)(i, index, NULL, features)) return 0;
    for (int32_t f = 0; f < features; f++)
        for (int32_t r = 0; r < TRIAL_ROWS; r++)
            i->call.tile[index].data[f * (int64_t)i->call.tile[index].stride + r] =
                values ? WEIR_C(values[f]) : WEIR_C(0.5);
    return 1;
}

static int trial_arguments(lua_instance *i)
{
    const lua_script *const s = i->script;
    const int univariate = s->kind[0] == 'u', network = s->kind[0] == 'n';
    const int32_t in = univariate ? 1 : s->features, out = network ? s->outputs : in;
    if (!WEIR_NAME(lua_sum)(i, NULL) || !fill(i, 0, in, NULL)) return 0;
    if (!univariate) return fill(i, 1, out, NULL);
    return fill(i, 1, s->spec.params, s->spec.identity) && fill(i, 2, out, NULL);
}

/* One call on rows of 0.5, because a file may load and still fail in its first line. */
static int try_out(lua_instance *i, lua_engine *engine, weir_frame *frame, char *why, size_t room)
{
    uint64_t row_ids[TRIAL_ROWS] = {0}, discard[1] = {0};
    const int function =
        WEIR_NAME(lua_engine_has)(engine, LUA_CALL_forward) ? LUA_CALL_forward : LUA_CALL_log_density;
    zero_derived(i);
    if (WEIR_NAME(lua_engine_has)(engine, LUA_CALL_prepare) &&
        !WEIR_NAME(lua_engine_run)(engine, LUA_CALL_prepare, why, room))
        return 0;
    if (i->script->context) return 1; /* there are no rows of it to try with */
    weir_frame trial = *frame;
    trial.rows = trial.width = TRIAL_ROWS;
    trial.row_ids = row_ids;
    trial.discard = discard;
    snprintf(why, room, "no memory to try it out");
    const int good = WEIR_NAME(lua_frame)(i, &trial) && trial_arguments(i) &&
                     WEIR_NAME(lua_engine_run)(engine, function, why, room);
    return WEIR_NAME(lua_frame)(i, frame) && good;
}

/* The old version stays where the new one does not load, says other things than the model was built for, or fails. */
static void reload(lua_instance *i, weir_frame *frame)
{
    char why[300] = "", line[400];
    lua_text *text = NULL;
    lua_engine fresh = {.lua = NULL};
    lua_script *const s = i->script;
    const int changed = WEIR_NAME(lua_script_changed)(s, frame, &text, why, sizeof why);
    if (!changed) return;
    const int good = changed > 0 &&
                     WEIR_NAME(lua_engine_open)(&fresh, s, text, &i->call, NULL, why, sizeof why) &&
                     try_out(i, &fresh, frame, why, sizeof why);
    if (good) {
        WEIR_NAME(lua_engine_close)(&i->engine);
        WEIR_NAME(lua_script_take)(s, text);
        fresh.version = text->version;
        i->engine = fresh;
        s->told = 1;
        snprintf(line, sizeof line, "%s: version %d of the file from now on", s->name,
                 (int)text->version + 1);
    } else {
        WEIR_NAME(lua_engine_close)(&fresh);
        if (text) WEIR_NAME(lua_script_drop)(text);
        snprintf(line, sizeof line, "%s: the new version is left aside, the old one runs on: %s", s->name,
                 why);
    }
    frame->services->log(frame, good ? 1 : 2, line);
}

/* ---- parameters that are no numbers ------------------------------------------------------------------------------ */

/* Lua reads them as they lie, and must not find unusual NaNs there (arguments.h); the usual kind is of no use either. */
static weir_status check_parameters(lua_instance *i, weir_frame *frame)
{
    const lua_spec *const spec = &i->script->spec;
    for (int32_t t = 0; t < spec->tensor_count; t++) {
        const lua_tensor *const tensor = &spec->tensors[t];
        if (!tensor->derived && WEIR_NAME(lua_any_nan)(i->tensors[t], tensor->count))
            return weir_failf(frame, WEIR_INVALID, "parameter %s holds NaN, which no file can work with",
                              tensor->name);
    }
    return WEIR_OK;
}

/* ---- the calls ---------------------------------------------------------------------------------------------------- */

weir_status WEIR_NAME(lua_prepare)(const void *self, weir_frame *frame) WEIR_NOEXCEPT
{
    lua_instance *const i = WEIR_NAME(lua_begin)(self, frame, 0);
    if (!i) return WEIR_ERROR;
    weir_status status = check_digest(i->script, frame);
    if (status == WEIR_OK) status = check_parameters(i, frame);
    if (status != WEIR_OK) return status;
    if (i->script->reload) reload(i, frame);
    zero_derived(i);
    return WEIR_NAME(lua_engine_has)(&i->engine, LUA_CALL_prepare) ? WEIR_NAME(lua_run)(i, LUA_CALL_prepare)
                                                                   : WEIR_OK;
}

weir_status WEIR_NAME(lua_prepare_vjp)(const void *self, weir_frame *frame) WEIR_NOEXCEPT
{
    lua_instance *const i = WEIR_NAME(lua_begin)(self, frame, 1);
    if (!i) return WEIR_ERROR;
    return WEIR_NAME(lua_engine_has)(&i->engine, LUA_CALL_prepare_vjp)
               ? WEIR_NAME(lua_run)(i, LUA_CALL_prepare_vjp)
               : WEIR_OK;
}
