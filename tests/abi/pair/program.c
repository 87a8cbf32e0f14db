/* program.c - a program that embeds libweir, and compiles with every weir.h there was (old_new.sh). Its model holds the
 * univariate pair.stretch of the plugin folder named on the command line; it evaluates, inverts, trains by one step and prints
 * every result to the bit.
 *
 * SPDX-License-Identifier: MIT
 *
 * The settings end where a page ends that is followed by one without access: a library that reads a member which this
 * program does not have is killed.
 */
#define _GNU_SOURCE
#include <weir.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static weir_error error;

static int failed(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, error.message);
    return 1;
}

static const weir_settings *settings_at_edge(const char *folder)
{
    const weir_settings settings = {.struct_size = sizeof settings, .threads = 1, .plugin_path = folder};
    char *const start = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || mprotect(start + 4096, 4096, PROT_NONE) != 0) return NULL;
    return memcpy(start + 4096 - sizeof settings, &settings, sizeof settings);
}

int main(int count, char **words)
{
    static const char description[] =
        "{\"features\": 2, \"dtype\": \"f64\", \"base\": {\"type\": \"normal\"}, \"flow\": {\"type\": \"elementwise\", "
        "\"children\": {\"univariate\": {\"type\": \"pair.stretch\", \"options\": {\"offset\": -0.5}}}}}";
    double points[4] = {0.5, -1, 2, 0.125}, back[4], log_p[2];
    const weir_matrix x = {
        .struct_size = sizeof x, .dtype = WEIR_DTYPE_F64, .rows = 2, .columns = 2, .data = points};
    const weir_matrix z = {
        .struct_size = sizeof z, .dtype = WEIR_DTYPE_F64, .rows = 2, .columns = 2, .data = back};
    weir_runtime *runtime = NULL;
    weir_model *model = NULL;
    weir_trainer *trainer = NULL;
    weir_step step = {.struct_size = sizeof step, .learning_rate = 0.1, .x = &x};
    weir_step_result result = {.struct_size = sizeof result};

    if (count != 2) return 2;
    if (weir_open(settings_at_edge(words[1]), &runtime, &error)) return failed("open");
    if (weir_model_build(runtime, description, -1, &model, &error)) return failed("build");
    if (weir_inverse(model, &x, NULL, &z, NULL, &error)) return failed("inverse");
    if (weir_trainer_create(model, "{}", &trainer, &error)) return failed("trainer");
    if (weir_trainer_step(trainer, &step, &result, &error)) return failed("step");
    if (weir_log_prob(model, &x, NULL, log_p, &error)) return failed("log_prob");
    printf("inverse %a %a %a %a\nloss %a\nlog p %a %a\n", back[0], back[1], back[2], back[3], result.loss,
           log_p[0], log_p[1]);
    weir_trainer_close(trainer);
    weir_model_close(model);
    weir_close(runtime);
    return 0;
}
