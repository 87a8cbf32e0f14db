/* memory.c - see memory.h. Narrow networks, so that activations outweigh parameters. */
#include "memory.h"

#include "startup.h"
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEATURES 64
#define WIDTH    8

/* ---- from outside -------------------------------------------------------------------------------------------------- */

static int point(const char *program, const char *layers, const char *rows, const char *recompute)
{
    const char *const words[] = {program, "--memory", layers, rows, recompute, NULL};
    char line[128];
    double own = 0, all = 0;
    if (startup_once((char *const *)(uintptr_t)words, line, sizeof line) < 0 ||
        sscanf(line, "ok %lf %lf", &own, &all) != 2)
        return 0;
    printf(
        "{\"kind\":\"memory\",\"depth\":%s,\"rows\":%s,\"recompute\":%s,\"megabytes\":%.4g,\"parameters\":%.4g}\n",
        layers, rows, recompute, all / 1024, own / 1024);
    fflush(stdout);
    return 1;
}

/* A tile of 8 rows and one of 64, then many: what the second adds to the first are activations, what the third adds to the
 * second are gradients. */
int memory_series(const char *program)
{
    static const char *const depths[] = {"8", "64"}, *const rows[] = {"8", "64", "16384"},
                             *const modes[] = {"0", "1"};
    for (int i = 0; i < 12; i++) {
        if (!point(program, depths[i / 3 % 2], rows[i % 3], modes[i / 6])) return 0;
    }
    return 1;
}

/* ---- from inside --------------------------------------------------------------------------------------------------- */

static long peak_kilobytes(void)
{
    char line[256];
    long found = 0;
    FILE *const status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) {
        if (strncmp(line, "VmHWM:", 6) == 0) found = strtol(line + 6, NULL, 10);
    }
    if (status) fclose(status);
    return found;
}

static weir_status train(subject *s, int64_t rows, weir_error *error)
{
    const weir_matrix x = subject_rows(s, 0, rows);
    const weir_step step = {.struct_size = (uint32_t)sizeof step, .learning_rate = 1e-4, .x = &x};
    weir_step_result result = {.struct_size = (uint32_t)sizeof result};
    weir_status status = WEIR_OK;
    for (int i = 0; i < 2 && !status; i++) status = weir_trainer_step(s->trainer, &step, &result, error);
    return status;
}

int memory_first(const char *layers, const char *rows, const char *recompute)
{
    const weir_settings settings = {.struct_size = (uint32_t)sizeof settings, .threads = 1};
    const work w = {"memory", "", COUPLING, FEATURES, (int32_t)strtol(layers, NULL, 10), WIDTH, 0};
    weir_runtime *runtime = NULL;
    subject s = {0};
    weir_error error;
    weir_status status = weir_open(&settings, &runtime, &error);
    if (!status) status = subject_build(&s, runtime, &w, 1, &error);
    if (!status) status = weir_model_set_recompute(s.learner, recompute[0] == '1', &error);
    if (!status) status = train(&s, strtol(rows, NULL, 10), &error);
    if (status) fprintf(stderr, "weir-bench: %s\n", error.message);
    if (!status)
        printf("ok %lld %ld\n", (long long)(4 * weir_model_get(s.learner, WEIR_MODEL_PARAMETERS) / 1024),
               peak_kilobytes());
    subject_close(&s);
    weir_close(runtime);
    return status || fflush(stdout) != 0;
}
