/* steady.c - see steady.h. */
#include "steady.h"

#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int operation_find(const char *name)
{
    int op = 0;
    while (op < OPERATIONS && strcmp(operation_names[op], name) != 0) op++;
    return op;
}

static double rate(const work *w, operation op, int64_t batch, double seconds, weir_error *error)
{
    const weir_settings settings = {.struct_size = (uint32_t)sizeof settings, .threads = 1};
    weir_runtime *runtime = NULL;
    subject s = {0};
    double found = -1;
    weir_status status = weir_open(&settings, &runtime, error);
    if (!status) status = subject_build(&s, runtime, w, batch, error);
    if (!status) found = subject_rate(&s, op, batch, seconds, error);
    subject_close(&s);
    weir_close(runtime);
    return found;
}

int steady_run(char *const *words)
{
    weir_error error;
    const work *const w = work_find(words[0], strlen(words[0]));
    const int op = operation_find(words[1]);
    const long long batch = strtoll(words[2], NULL, 10);
    const double seconds = strtod(words[3], NULL);
    if (!w || op == OPERATIONS || batch < 1 || batch > POOL_ROWS || !(seconds > 0)) {
        fprintf(stderr,
                "weir-bench: --steady takes a work, an operation, a batch and seconds: W1 train 512 5\n");
        return 2;
    }
    const double found = rate(w, (operation)op, batch, seconds, &error);
    if (found < 0) return fprintf(stderr, "weir-bench: %s\n", error.message), 1;
    return printf("%s %s %lld: %.4g samples/s\n", words[0], words[1], batch, found) < 0;
}
