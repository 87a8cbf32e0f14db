/* foreman.c - see foreman.h.
 *
 * This process has one thread and never runs a line of a plugin: for every check it forks a process that loads the plugin,
 * runs the check and ends. Measured, that takes a millisecond or two a check, so nothing is gained by putting several into
 * one process.
 */
#include "checker/foreman.h"

#include "checker/job.h"
#include "checker/witness.h"
#include "file/file.h"
#include "plugin/elf.h"
#include "plugin/listing.h"
#include "plugin/names.h"
#include "plugin/where.h"
#include "run/model.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FILE_LIMIT ((int64_t)1 << 30)
#define HANGS_MOST 5

typedef struct foreman {
    weir__board *board; /* shared with the jobs */
    int output;         /* what a job prints */
    char *path;         /* of the plugin; NULL: a module of the host's */
    weir__loading loading;
    int32_t hangs;
} foreman;

static foreman *foreman_of(const weir__stage *stage)
{
    return stage->user;
}

/* ---- jobs ---- */

static weir__job job_of(const weir__stage *stage, weir__session *session)
{
    const foreman *const f = foreman_of(stage);
    return (weir__job){.board = f->board,
                       .output = f->output,
                       .patience = stage->demand->patience,
                       .path = f->path,
                       .module = session ? json_string_value(json_object_get(session->candidate.node, "type"))
                                         : NULL,
                       .session = session,
                       .loading = &f->loading};
}

/* True when the job came to its end; else `finding` says how it ended. */
static int do_job(const weir__stage *stage, const weir__job *job, weir__finding *finding)
{
    weir__ending ending;
    if (weir__job_do(job, &ending)) return 1;
    foreman_of(stage)->hangs += ending.hung;
    weir__ending_take(job, &ending, finding);
    return 0;
}

/* What a job says that it found; how it ended is not its to say. */
static void take_finding(const weir__stage *stage, weir__finding *finding)
{
    *finding = foreman_of(stage)->board->finding;
    finding->name[sizeof finding->name - 1] = '\0';
    finding->rule[sizeof finding->rule - 1] = '\0';
    finding->worst.note[sizeof finding->worst.note - 1] = '\0';
    finding->ending[0] = finding->call[0] = '\0';
    finding->depth = 0;
}

static weir_status try_settings(const weir__stage *stage, weir__session *session, weir__finding *finding,
                                weir_error *error)
{
    const weir__board *const board = foreman_of(stage)->board;
    const weir__job job = job_of(stage, session);
    if (!do_job(stage, &job, finding)) return WEIR_OK;
    session->served = board->served;
    if (session->served) return WEIR_OK;
    return weir__fail(error, board->error.status ? board->error.status : WEIR_INVALID, "%s",
                      board->error.message);
}

/* Every hang costs the time that a check may take: after some of them nothing else is worth waiting for. */
static void run_trial(const weir__stage *stage, const weir__session *session, const weir__trial *trial,
                      weir__finding *finding)
{
    const foreman *const f = foreman_of(stage);
    weir__session own = *session;
    weir__job job = job_of(stage, &own);
    job.trial = trial;
    weir__finding_begin(finding, trial->name, trial->promise->rule, trial->promise->limit);
    if (f->hangs >= HANGS_MOST) {
        finding->worst.figure = INFINITY;
        snprintf(finding->ending, sizeof finding->ending, "not run: %d checks before it did not end",
                 f->hangs);
        snprintf(finding->worst.note, sizeof finding->worst.note, "%.200s", finding->ending);
    } else if (do_job(stage, &job, finding)) {
        take_finding(stage, finding);
    }
}

/* ---- a file ---- */

static int run_loading_promise(const weir__stage *stage, const weir__loading_promise *promise,
                               weir__findings *report)
{
    weir__finding finding;
    weir__job job = job_of(stage, NULL);
    job.promise = promise;
    weir__finding_begin(&finding, promise->name, promise->rule, promise->limit);
    if (do_job(stage, &job, &finding)) take_finding(stage, &finding);
    const int holds = weir__finding_holds(&finding), first = promise == weir__loading_promises;
    if (weir__suite_wants(stage->demand, promise->name) || (first && !holds))
        weir__findings_add(report, &finding);
    return holds;
}

/* The modules of the file, {"modules": [...]} as a listing has them; NULL when it does not load. */
static json_t *check_loading(const weir__stage *stage, weir__findings *report)
{
    foreman *const f = foreman_of(stage);
    if (!run_loading_promise(stage, &weir__loading_promises[0], report)) return NULL;
    json_t *const listing = json_loads(f->board->scene.words, JSON_REJECT_DUPLICATES, NULL);
    for (int32_t i = 1; i < weir__loading_promise_count; i++)
        if (weir__suite_wants(stage->demand, weir__loading_promises[i].name))
            run_loading_promise(stage, &weir__loading_promises[i], report);
    return listing ? listing : json_object();
}

/* Loading is told of with the first module. */
static weir_status check_module(const weir__stage *stage, const char *id, int32_t kind,
                                weir__findings *report, json_t *list, int32_t *ok, weir_error *error)
{
    weir_status status = weir__suite_module(stage, id, kind, NULL, report, error);
    if (status == WEIR_OK) status = weir__suite_tell(stage, id, report, list, ok, error);
    weir__findings_clear(report);
    report->ok = 1;
    return status == WEIR_OK ? WEIR_OK : weir__fail_in(error, "check %s", id);
}

/* id NULL: all of them. */
static weir_status check_listed(const weir__stage *stage, const json_t *listing, const char *id,
                                weir__findings *report, json_t *list, int32_t *ok, weir_error *error)
{
    size_t i;
    int64_t found = 0;
    weir_error wrong;
    weir__listing *const parsed = weir__listing_parse(listing, &wrong);
    weir_status status = WEIR_OK;
    for (i = 0; parsed && (int64_t)i < parsed->count && status == WEIR_OK; i++) {
        if (id && strcmp(parsed->modules[i].id, id) != 0) continue;
        found++;
        status = check_module(stage, parsed->modules[i].id, parsed->modules[i].kind, report, list, ok, error);
    }
    weir__listing_free(parsed);
    if (status != WEIR_OK || found) return status;
    return weir__fail(error, WEIR_INVALID, "%s: holds no module%s%s", foreman_of(stage)->path, id ? " " : "",
                      id ? id : "");
}

static weir_status read_file(foreman *f, weir_error *error)
{
    unsigned char *data = NULL;
    weir_error why;
    if (weir__file_read(f->path, FILE_LIMIT, &data, &f->loading.size, error) != WEIR_OK) return WEIR_INVALID;
    f->loading.path = f->path;
    f->loading.data = data;
    if (weir__elf_check(data, f->loading.size, &why) == WEIR_OK) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID, "%s: %s", f->path, why.message);
}

static weir_status check_plugin(const weir__stage *stage, const char *id, json_t *list, int32_t *ok,
                                weir_error *error)
{
    weir__findings report = {.ok = 1};
    weir_status status = read_file(foreman_of(stage), error);
    json_t *const listing = status == WEIR_OK ? check_loading(stage, &report) : NULL;
    if (status == WEIR_OK && !listing)
        status = weir__suite_tell(stage, id ? id : stage->what, &report, list, ok, error);
    else if (status == WEIR_OK)
        status = check_listed(stage, listing, id, &report, list, ok, error);
    json_decref(listing);
    weir__findings_clear(&report);
    return status;
}

/* ---- what is asked for ---- */

static weir_status check_id(const weir__stage *stage, json_t *list, int32_t *ok, weir_error *error)
{
    weir__findings report = {.ok = 1};
    const weir__entry *entry;
    foreman *const f = foreman_of(stage);
    if (weir__is_reserved_id(stage->what))
        return check_module(stage, stage->what, WEIR_LAYER, &report, list, ok, error);
    f->path = weir__registry_file_of(stage->runtime->registry, stage->what);
    if (f->path) return check_plugin(stage, stage->what, list, ok, error);
    weir__registry_find(stage->runtime->registry, stage->what, &entry, error);
    return weir__fail_in(error, "check %s", stage->what);
}

static weir_status check_file(const weir__stage *stage, json_t *list, int32_t *ok, weir_error *error)
{
    foreman *const f = foreman_of(stage);
    f->path = realpath(stage->what, NULL);
    if (!f->path)
        return weir__fail(error, WEIR_INVALID, "%s: %s; name a plugin's .so file", stage->what,
                          strerror(errno));
    const weir_status status = weir__registry_permits(stage->runtime->registry, f->path, error);
    return status == WEIR_OK ? check_plugin(stage, NULL, list, ok, error) : status;
}

static int set_up(foreman *f)
{
    sigset_t child;
    f->board = mmap(NULL, sizeof *f->board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    f->output = memfd_create("weir-checker", MFD_CLOEXEC);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    weir__witness_prepare();
    return f->board != MAP_FAILED && f->output >= 0;
}

weir_status weir__foreman_check(weir__stage *stage, json_t *list, int32_t *ok, weir_error *error)
{
    foreman f = {.path = NULL};
    if (!set_up(&f)) return weir__fail(error, WEIR_ERROR, "no memory to watch tests in: %s", strerror(errno));
    stage->user = &f;
    stage->try_settings = try_settings;
    stage->run_trial = run_trial;
    const weir_status status =
        weir__names_file(stage->what) ? check_file(stage, list, ok, error) : check_id(stage, list, ok, error);
    free(f.path);
    free((void *)(uintptr_t)f.loading.data);
    return status;
}
