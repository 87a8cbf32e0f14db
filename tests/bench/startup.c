/* startup.c - see startup.h. */
#include "startup.h"

#include "clock.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir.h>

extern char **environ;

#define RUNS      9
#define SLOW_RUNS 3
#define SLOW_MS   300

/* ---- from outside -------------------------------------------------------------------------------------------------- */

double startup_once(char *const *words, char *line, int size)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return -1;
    FILE *const out = fdopen(ends[0], "r");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    pid_t process = 0;
    const double start = clock_now();
    const int failed = !out || posix_spawnp(&process, words[0], &actions, NULL, words, environ);
    close(ends[1]);
    posix_spawn_file_actions_destroy(&actions);
    const int got = !failed && fgets(line, size, out) != NULL;
    const double taken = clock_now() - start;
    char rest[256];
    while (got && fgets(rest, sizeof rest, out)) continue; /* until it ends, so that no pipe breaks */
    if (out) fclose(out);
    int status = 1;
    if (!failed) waitpid(process, &status, 0);
    return got && status == 0 ? taken * 1e3 : -1;
}

int startup_measure(char *const *words, startup *figure)
{
    double times[RUNS];
    char line[512];
    int runs = 0;
    while (runs < RUNS && (runs < SLOW_RUNS || times[0] < SLOW_MS)) {
        times[runs] = startup_once(words, line, sizeof line);
        if (times[runs++] < 0) return 0;
    }
    const char *const last = strrchr(line, ' ');
    const double kilobytes = strncmp(line, "ok ", 3) == 0 && last ? strtod(last, NULL) : 0;
    *figure = (startup){clock_median(times, runs), kilobytes / 1024};
    return 1;
}

/* ---- from inside --------------------------------------------------------------------------------------------------- */

static long resident_kilobytes(void)
{
    char line[256];
    long found = 0;
    FILE *const status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) {
        if (strncmp(line, "VmRSS:", 6) == 0) found = strtol(line + 6, NULL, 10);
    }
    if (status) fclose(status);
    return found;
}

static weir_status train_once(weir_trainer *trainer, const weir_matrix *x, weir_error *error)
{
    const weir_step step = {.struct_size = (uint32_t)sizeof step, .learning_rate = 1e-4, .x = x};
    weir_step_result result = {.struct_size = (uint32_t)sizeof result};
    return weir_trainer_step(trainer, &step, &result, error);
}

typedef struct embedder {
    weir_runtime *runtime;
    weir_model *model;
    weir_trainer *trainer;
    weir_array *data;
} embedder;

static weir_status first_row(embedder *e, const char *model_file, const char *data_file, int train,
                             double *log_p, weir_error *error)
{
    weir_status status = weir_open(NULL, &e->runtime, error);
    if (!status) status = weir_model_load(e->runtime, model_file, &e->model, error);
    if (!status) status = weir_array_read(data_file, NULL, &e->data, error);
    if (status) return status;
    weir_matrix x = {.struct_size = (uint32_t)sizeof x,
                     .dtype = weir_array_dtype(e->data),
                     .rows = 1,
                     .columns = weir_array_dim(e->data, 1),
                     .data = weir_array_data(e->data)};
    status = weir_log_prob(e->model, &x, NULL, log_p, error);
    if (status || !train) return status;
    x.rows = weir_array_dim(e->data, 0) < 512 ? weir_array_dim(e->data, 0) : 512;
    status = weir_trainer_create(e->model, NULL, &e->trainer, error);
    return status ? status : train_once(e->trainer, &x, error);
}

int startup_first(const char *model_file, const char *data_file, int train)
{
    embedder e = {0};
    weir_error error;
    double log_p = 0;
    const weir_status status = first_row(&e, model_file, data_file, train, &log_p, &error);
    if (status) fprintf(stderr, "weir-bench: %s\n", error.message);
    if (!status) printf("ok %.9g %ld\n", log_p, resident_kilobytes());
    const int written = fflush(stdout) == 0;
    weir_array_free(e.data);
    weir_trainer_close(e.trainer);
    weir_model_close(e.model);
    weir_close(e.runtime);
    return status || !written;
}
