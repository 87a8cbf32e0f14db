/* suite.c - see suite.h. */
#include "check/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int weir__names_file(const char *id_or_file)
{
    const size_t length = strlen(id_or_file);
    return strchr(id_or_file, '/') || (length > 3 && strcmp(id_or_file + length - 3, ".so") == 0);
}

/* ---- one check, asked for by name ---- */

int weir__suite_wants(const weir__demand *demand, const char *name)
{
    return !demand->only || strcmp(demand->only, name) == 0;
}

/* "forward.bounds" and "bounds" both end in the name of the check. */
static int ends_in(const char *text, const char *name)
{
    const size_t length = strlen(text), tail = strlen(name);
    return length >= tail && strcmp(text + length - tail, name) == 0 &&
           (length == tail || text[length - tail - 1] == '.');
}

weir_status weir__suite_only(const weir__demand *demand, weir_error *error)
{
    if (!demand->only) return WEIR_OK;
    for (int32_t i = 0; i < weir__promise_count; i++)
        if (ends_in(demand->only, weir__promises[i].name)) return WEIR_OK;
    for (int32_t i = 0; i < weir__loading_promise_count; i++)
        if (strcmp(demand->only, weir__loading_promises[i].name) == 0) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID,
                      "check: there is no check \"%.60s\"; give a name that a report has", demand->only);
}

/* ---- a module ---- */

/* A module that does not even open, or takes the process with it, breaks the promise that `lifetime` looks after. */
static void name_opening(weir__finding *finding)
{
    for (int32_t i = 0; i < weir__promise_count; i++)
        if (strcmp(weir__promises[i].name, "lifetime") == 0)
            weir__finding_begin(finding, weir__promises[i].name, weir__promises[i].rule,
                                weir__promises[i].limit);
}

static void run_all(const weir__stage *stage, const weir__session *session, const weir__trial *trials,
                    int32_t count, weir__findings *report)
{
    for (int32_t i = 0; i < count; i++) {
        weir__finding finding;
        if (!weir__suite_wants(stage->demand, trials[i].name)) continue;
        stage->run_trial(stage, session, &trials[i], &finding);
        weir__findings_add(report, &finding);
    }
}

weir_status weir__suite_module(const weir__stage *stage, const char *id, int32_t kind,
                               const weir__entry *entry, weir__findings *report, weir_error *error)
{
    weir__session session;
    weir__finding opening;
    weir__trial *const trials = malloc(WEIR__TRIALS_MOST * sizeof *trials);
    if (!trials) return weir__no_memory(error, "the checks");
    weir_status status = weir__session_begin(&session, stage->runtime, id, kind, entry, stage->demand, error);
    name_opening(&opening);
    if (status == WEIR_OK) status = stage->try_settings(stage, &session, &opening, error);
    if (status == WEIR_OK && opening.ending[0])
        weir__findings_add(report, &opening);
    else if (status == WEIR_OK)
        run_all(stage, &session, trials, weir__trials_of(&session, trials), report);
    if (status == WEIR_OK && report->exhausted) status = weir__no_memory(error, "the report");
    weir__session_end(&session);
    free(trials);
    return status;
}

/* ---- the report ---- */

/* 'text', for a shell. */
static char *quoted(const char *text)
{
    size_t quotes = 0;
    for (const char *c = text; *c; c++) quotes += *c == '\'';
    char *const out = malloc(strlen(text) + 3 * quotes + 3);
    char *to = out;
    if (!out) return NULL;
    *to++ = '\'';
    for (const char *c = text; *c; c++) {
        if (*c == '\'') to = stpcpy(to, "'\\'");
        *to++ = *c;
    }
    stpcpy(to, "'");
    return out;
}

/* What of the demand goes into --with. NULL: nothing, or no memory. */
static char *with_of(const weir__demand *demand)
{
    static const char *const others[] = {"seed", "level", "isolate", "timeout", "only"};
    json_t *const rest = json_copy(demand->object);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) json_object_del(rest, others[i]);
    char *const text = json_object_size(rest) ? json_dumps(rest, JSON_COMPACT) : NULL;
    char *const with = text ? quoted(text) : NULL;
    json_decref(rest);
    free(text);
    return with;
}

/* The command that does all this again. */
static char *command_of(const weir__stage *stage)
{
    char *const with = with_of(stage->demand), *const what = quoted(stage->what), *command = NULL;
    if (what &&
        asprintf(&command, "weir check %s --seed %lld%s%s%s", what, (long long)stage->demand->seed,
                 stage->demand->full ? " --level full" : "", with ? " --with " : "", with ? with : "") < 0)
        command = NULL;
    free(with);
    free(what);
    return command;
}

weir_status weir__suite_tell(const weir__stage *stage, const char *name, const weir__findings *report,
                             json_t *list, int32_t *ok, weir_error *error)
{
    char *const command = command_of(stage);
    json_t *const checks = command ? weir__findings_json(report, command) : NULL;
    free(command);
    if (!checks) return weir__no_memory(error, "the report");
    json_array_append_new(list, json_pack("{s:s, s:o}", "module", name, "checks", checks));
    *ok &= report->ok;
    return WEIR_OK;
}
