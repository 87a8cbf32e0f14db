/* check.c - weir_check: by weir-checker, a process of its own for every test, or here.
 *
 * An embedder has threads and locks, so nothing is forked here: weir-checker is started afresh, and gets the request and
 * the folders of plugins that this runtime knows. Without it, or when the caller wants all in one process (for a
 * debugger), the module's code runs in this one.
 */
#include "check/errand.h"
#include "check/guard.h"
#include "check/suite.h"
#include "plugin/names.h"
#include "plugin/place.h"
#include "plugin/spawn.h"
#include "plugin/where.h"
#include "run/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- in this process ---- */

static weir_status try_here(const weir__stage *stage, weir__session *session, weir__finding *finding,
                            weir_error *error)
{
    (void)stage, (void)finding;
    return weir__session_try(session, error);
}

static void run_here(const weir__stage *stage, const weir__session *session, const weir__trial *trial,
                     weir__finding *finding)
{
    (void)stage;
    weir__trial_run(session, trial, finding);
}

/* kind 0: not known beforehand (one of the host's containers, which are layers). */
static weir_status check_entry(const weir__stage *stage, const char *id, const weir__entry *entry,
                               json_t *list, int32_t *ok, weir_error *error)
{
    weir__findings report = {.ok = 1};
    weir_status status =
        weir__suite_module(stage, id, entry ? entry->kind : WEIR_LAYER, entry, &report, error);
    if (status == WEIR_OK) status = weir__suite_tell(stage, id, &report, list, ok, error);
    weir__findings_clear(&report);
    return status == WEIR_OK ? WEIR_OK : weir__fail_in(error, "check %s", id);
}

static weir_status check_file_here(const weir__stage *stage, json_t *list, int32_t *ok, weir_error *error)
{
    const weir__entry *const *entries;
    int64_t count;
    weir_status status =
        weir__registry_load_file(stage->runtime->registry, stage->what, &entries, &count, error);
    for (int64_t i = 0; status == WEIR_OK && i < count; i++)
        status = check_entry(stage, entries[i]->id, entries[i], list, ok, error);
    return status;
}

static weir_status check_id_here(const weir__stage *stage, json_t *list, int32_t *ok, weir_error *error)
{
    const weir__entry *entry = NULL;
    if (!weir__is_reserved_id(stage->what) &&
        weir__registry_find(stage->runtime->registry, stage->what, &entry, error) != WEIR_OK)
        return weir__fail_in(error, "check %s", stage->what);
    return check_entry(stage, stage->what, entry, list, ok, error);
}

static weir_status check_here(weir__stage *stage, json_t *list, int32_t *ok, weir_error *error)
{
    stage->try_settings = try_here;
    stage->run_trial = run_here;
    weir__guard_enter(stage->what);
    const weir_status status = weir__names_file(stage->what) ? check_file_here(stage, list, ok, error)
                                                             : check_id_here(stage, list, ok, error);
    weir__guard_leave();
    return status;
}

/* ---- by weir-checker ---- */

/* A memory file that holds `text`, to be read from its start; -1 with errno. */
static int text_file(const char *text)
{
    const int fd = memfd_create("weir-check", MFD_CLOEXEC);
    size_t left = strlen(text);
    while (fd >= 0 && left > 0) {
        const ssize_t n = write(fd, text, left);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return close(fd), -1;
        text += n;
        left -= (size_t)n;
    }
    return fd < 0 || lseek(fd, 0, SEEK_SET) != 0 ? -1 : fd;
}

static char *request_text(const weir__stage *stage)
{
    char *const folders = weir__registry_folders(stage->runtime->registry);
    char *const lock = weir__registry_lock_path(stage->runtime->registry);
    json_t *const request = json_pack("{s:s, s:O, s:s?, s:s?}", "what", stage->what, "options",
                                      stage->demand->object, "folders", folders, "lock", lock);
    char *const text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    free(folders);
    free(lock);
    return text;
}

/* {"error", "status"} or {"list", "ok"}. */
static weir_status take_answer(const weir__answer *answer, json_t *list, int32_t *ok, weir_error *error)
{
    json_t *const object =
        answer->line ? json_loadb(answer->line, strcspn(answer->line, "\n"), JSON_REJECT_DUPLICATES, NULL)
                     : NULL;
    json_t *const found = json_object_get(object, "list");
    const char *const why = json_string_value(json_object_get(object, "error"));
    weir_status status = WEIR_OK;
    if (answer->interrupted)
        status = weir__fail(error, WEIR_INVALID, "interrupted");
    else if (why)
        status =
            weir__fail(error, (weir_status)json_integer_value(json_object_get(object, "status")), "%s", why);
    else if (!json_is_array(found))
        status = weir__fail(
            error, WEIR_ERROR, "check: weir-checker ended without a report%s%s",
            answer->ended > 0 && WIFSIGNALED(answer->ended) ? ": " : "",
            answer->ended > 0 && WIFSIGNALED(answer->ended) ? strsignal(WTERMSIG(answer->ended)) : "");
    else
        json_array_extend(list, found);
    *ok = json_is_true(json_object_get(object, "ok"));
    json_decref(object);
    return status;
}

/* UNSUPPORTED: weir-checker cannot be used. */
static weir_status check_elsewhere(const weir__stage *stage, const char *helper, json_t *list, int32_t *ok,
                                   weir_error *error)
{
    const char *const arguments[] = {helper, NULL};
    char *const text = request_text(stage);
    const int input = text ? text_file(text) : -1;
    const weir__errand errand = {.arguments = arguments,
                                 .name = "weir-checker",
                                 .greeting = WEIR__CHECKER_GREETING,
                                 .input = input,
                                 .heard = 1,
                                 .most = WEIR__CHECKER_ANSWER,
                                 .interrupted = stage->runtime->interrupted,
                                 .user = stage->runtime->user};
    weir__answer answer = {.text = NULL};
    weir_status status = input < 0 ? weir__no_memory(error, "the request to weir-checker")
                                   : weir__helper_ask(&errand, &answer, error);
    if (status == WEIR_OK) status = take_answer(&answer, list, ok, error);
    weir__answer_clear(&answer);
    if (input >= 0) close(input);
    free(text);
    return status;
}

static void warn(const weir_runtime *runtime, const char *why)
{
    weir_error line;
    weir__fail(&line, WEIR_UNSUPPORTED, "%s; the checks run in this process, where they are fewer", why);
    weir__runtime_log(runtime, 2, line.message);
}

static weir_status check_somewhere(weir__stage *stage, json_t *list, int32_t *ok, weir_error *error)
{
    weir_error why = {.message = "weir-checker was not found beside libweir"};
    weir_status status = WEIR_UNSUPPORTED;
    char *const helper = stage->demand->isolated ? weir__place_helper("weir-checker", "WEIR_CHECKER") : NULL;
    if (helper) status = check_elsewhere(stage, helper, list, ok, &why);
    free(helper);
    if (status == WEIR_UNSUPPORTED && stage->demand->isolated) warn(stage->runtime, why.message);
    if (status == WEIR_UNSUPPORTED) return check_here(stage, list, ok, error);
    if (status != WEIR_OK && error) *error = why;
    return status;
}

weir_status weir_check(weir_runtime *runtime, const char *id_or_file, const char *options_json, char **json,
                       int32_t *ok, weir_error *error)
{
    weir__demand demand = {.object = NULL};
    int32_t all_ok = 1;
    if (!runtime || !id_or_file || !json || !ok)
        return weir__fail(error, WEIR_INVALID, "check: runtime, module, json and ok must not be NULL");
    json_t *const list = json_array();
    weir__stage stage = {.runtime = runtime, .demand = &demand, .what = id_or_file};
    weir_status status =
        list ? weir__demand_read(options_json, &demand, error) : weir__no_memory(error, "the report");
    if (status == WEIR_OK) status = weir__suite_only(&demand, error);
    if (status == WEIR_OK) status = check_somewhere(&stage, list, &all_ok, error);
    char *const text = status == WEIR_OK ? json_dumps(list, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) : NULL;
    if (status == WEIR_OK && !text) status = weir__no_memory(error, "the report");
    if (status == WEIR_OK) {
        *json = text;
        *ok = all_ok;
    }
    json_decref(list);
    weir__demand_clear(&demand);
    return status;
}
