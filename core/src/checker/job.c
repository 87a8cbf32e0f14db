/* job.c - what a job's process does. */
#include "checker/job.h"

#include "check/watch.h"
#include "checker/witness.h"
#include "plugin/load.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define OUTPUT_LIMIT ((rlim_t)1 << 24)

static void quiet_streams(int output)
{
    dup2(output, 1);
    dup2(output, 2);
}

static void limit_process(void)
{
    const struct rlimit none = {0, 0}, output = {OUTPUT_LIMIT, OUTPUT_LIMIT};
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_FSIZE, &output);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* The module under glass. The process is its own, so nothing here is ever freed. */
static const weir__entry *load_module(const char *path, const char *id, weir_error *error)
{
    static weir__entry entry;
    weir__loaded loaded;
    if (weir__load(path, NULL, &loaded, error) != WEIR_OK) return NULL;
    for (int64_t i = 0; i < loaded.count; i++) {
        const weir_module *const module = loaded.f64[i] ? loaded.f64[i] : loaded.f32[i];
        if (strcmp(module->id, id) != 0) continue;
        entry = (weir__entry){.id = module->id,
                              .kind = module->kind,
                              .plugin = loaded.root->name,
                              .plugin_version = loaded.root->version,
                              .file = path,
                              .f32 = loaded.f32[i],
                              .f64 = loaded.f64[i]};
        return weir__watch(&entry);
    }
    weir__fail(error, WEIR_INVALID, "%s: holds no module %s", path, id);
    return NULL;
}

static void run_loading(const weir__job *job, weir__finding *finding)
{
    weir__verdict verdict = {.limit = job->promise->limit};
    weir__finding_begin(finding, job->promise->name, job->promise->rule, job->promise->limit);
    job->promise->check(job->loading, &verdict);
    weir__finding_take(finding, &verdict, "");
}

static void run_job(const weir__job *job)
{
    weir__board *const board = job->board;
    if (job->promise) {
        run_loading(job, &board->finding);
        return;
    }
    if (job->path) job->session->candidate.entry = load_module(job->path, job->module, &board->error);
    if (job->path && !job->session->candidate.entry) return;
    if (job->trial) {
        weir__trial_run(job->session, job->trial, &board->finding);
    } else {
        weir__session_try(job->session, &board->error);
        board->served = job->session->served;
    }
}

void weir__job_perform(const weir__job *job)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    limit_process();
    quiet_streams(job->output);
    weir__witness_begin();
    weir__scene_now = &job->board->scene;
    run_job(job);
    job->board->scene.finished = 1;
    _exit(0);
}
