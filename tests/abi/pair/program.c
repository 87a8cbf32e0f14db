/* program.c - a program that embeds libweir, and compiles with every weir.h there was (old_new.sh). Its model holds the
 * univariate pair.stretch of the plugin folder named on the command line; it evaluates, inverts, trains by one step and prints
 * every result to the bit.
 *
 * SPDX-License-Identifier: MIT
 *
 * Each struct that it passes ends where a page ends that is followed by one without access: a library that reads, or writes,
 * a member which this program does not have is killed.
 */
#define _GNU_SOURCE
#include <weir.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static weir_error error;

static int failed(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, error.message);
    return 1;
}

/* Memory of `size` bytes before the edge, holding `content`. */
static void *at_edge(const void *content, size_t size)
{
    char *const start = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || mprotect(start + 4096, 4096, PROT_NONE) != 0) abort();
    return memcpy(start + 4096 - size, content, size);
}

static const weir_matrix *matrix(double *values)
{
    const weir_matrix m = {
        .struct_size = sizeof m, .dtype = WEIR_DTYPE_F64, .rows = 2, .columns = 2, .data = values};
    return at_edge(&m, sizeof m);
}

int main(int count, char **words)
{
    static const char description[] =
        "{\"features\": 2, \"dtype\": \"f64\", \"base\": {\"type\": \"normal\"}, \"flow\": {\"type\": \"elementwise\", "
        "\"children\": {\"univariate\": {\"type\": \"pair.stretch\", \"options\": {\"offset\": -0.5}}}}}";
    double points[4] = {0.5, -1, 2, 0.125}, back[4], log_p[2];
    const weir_matrix *const x = matrix(points), *const z = matrix(back);
    const weir_settings settings = {.struct_size = sizeof settings, .threads = 1, .plugin_path = words[1]};
    const weir_call fresh = {.struct_size = sizeof fresh, .seed = 7};
    const weir_step first = {.struct_size = sizeof first, .learning_rate = 0.1, .x = x};
    const weir_step_result none = {.struct_size = sizeof none};
    const weir_tensor_info unknown = {.struct_size = sizeof unknown};
    weir_call *const call = at_edge(&fresh, sizeof fresh);
    weir_step_result *const result = at_edge(&none, sizeof none);
    weir_tensor_info *const tensor = at_edge(&unknown, sizeof unknown);
    weir_runtime *runtime = NULL;
    weir_model *model = NULL;
    weir_trainer *trainer = NULL;

    if (count != 2) return 2;
    if (weir_open(at_edge(&settings, sizeof settings), &runtime, &error)) return failed("open");
    if (weir_model_build(runtime, description, -1, &model, &error)) return failed("build");
    if (weir_tensor_at(model, 0, tensor, &error)) return failed("tensor");
    if (weir_inverse(model, x, call, z, NULL, &error)) return failed("inverse");
    if (weir_trainer_create(model, "{}", &trainer, &error)) return failed("trainer");
    if (weir_trainer_step(trainer, at_edge(&first, sizeof first), result, &error)) return failed("step");
    if (weir_log_prob(model, x, call, log_p, &error)) return failed("log_prob");
    printf("tensor %s of %d\n", tensor->name, (int)tensor->count);
    printf("inverse %a %a %a %a\nloss %a\nlog p %a %a\n", back[0], back[1], back[2], back[3], result->loss,
           log_p[0], log_p[1]);
    weir_trainer_close(trainer);
    weir_model_close(model);
    weir_close(runtime);
    return 0;
}
