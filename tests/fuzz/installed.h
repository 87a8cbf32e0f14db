/* installed.h - for the fuzzers of what modules are given: a runtime in which every plugin of the build is loaded, hostile
 * numbers, and a model put to every use.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_FUZZ_INSTALLED_H
#define WEIR_FUZZ_INSTALLED_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weir.h>

static inline void say_nothing(void *user, int32_t level, const char *line)
{
    (void)user, (void)level, (void)line;
}

/** One thread; its plugins are loaded, so that what an input costs is its own. */
static inline weir_runtime *installed(void)
{
    static weir_runtime *rt;
    const weir_settings settings = {.struct_size = (uint32_t)sizeof settings,
                                    .threads = 1,
                                    .plugin_path =
                                        WEIR_TEST_BUILD "/plugins:" WEIR_TEST_SOURCE "/tests/lua/layers",
                                    .log = say_nothing};
    weir_error error = {.message = ""};
    char *json = NULL;
    if (rt) return rt;
    if (weir_open(&settings, &rt, &error) || weir_modules(rt, NULL, &json, &error)) {
        fprintf(stderr, "%s\n", error.message);
        abort();
    }
    weir_free(json);
    return rt;
}

/** A promise of the host's, or the end. */
#define MUST(promise) ((promise) ? (void)0 : broken(#promise, __FILE__, __LINE__))

static inline void broken(const char *promise, const char *file, int line)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, promise);
    abort();
}

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

typedef struct bytes {
    const uint8_t *at, *end;
} bytes;

/** The next byte; 0 when there are no more. */
static inline unsigned next_byte(bytes *b)
{
    return b->at < b->end ? *b->at++ : 0;
}

static inline double next_number(bytes *b)
{
    static const double wild[] = {NAN,          INFINITY, -INFINITY, 0,      -0.0,  1e300,  -1e300,
                                  1e30,         -1e30,    1e-30,     1e-320, 1e-40, 0x1p53, 2147483648.,
                                  4294967297.0, -1,       1,         1e9,    -1e9,  0.5};
    const unsigned code = next_byte(b);
    if (code < sizeof wild / sizeof *wild) return wild[code];
    return ((double)code - 138) / 16;
}

/** A file of these bytes in memory, under a name that lasts until the descriptor is closed. */
static inline int memory_file(const void *data, size_t size, char *path, size_t room)
{
    const int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0 || fchmod(fd, 0600) || write(fd, data, size) != (ssize_t)size) abort();
    snprintf(path, room, "/proc/self/fd/%d", fd);
    return fd;
}

/* ---- a model in use ----------------------------------------------------------------------------------------------- */

#define USE_ROWS 5

/* A row has an answer, or NaN and is counted. */
static inline void check_answers(const double *log_p, int64_t rows, const weir_call *call)
{
    int64_t discarded = 0;
    for (int64_t i = 0; i < rows; i++) {
        MUST(log_p[i] != INFINITY); /* less is the logarithm of 0, outside a support */
        discarded += isnan(log_p[i]);
    }
    MUST(discarded == call->discarded);
}

static inline weir_matrix matrix_of(double *data, int64_t rows, int64_t columns)
{
    return (weir_matrix){.struct_size = (uint32_t)sizeof(weir_matrix),
                         .dtype = WEIR_DTYPE_F64,
                         .rows = rows,
                         .columns = columns,
                         .data = data};
}

static inline double *hostile_numbers(bytes *b, int64_t count)
{
    double *const data = calloc((size_t)count + 1, sizeof *data);
    for (int64_t i = 0; data && i < count; i++) data[i] = next_number(b);
    return data;
}

/** Density, both directions, samples, the score and a training step, on a few hostile rows. */
static inline void put_to_use(weir_model *model, bytes *b)
{
    const int64_t features = weir_model_get(model, WEIR_MODEL_FEATURES);
    const int64_t latent = weir_model_get(model, WEIR_MODEL_LATENT);
    const int64_t context = weir_model_get(model, WEIR_MODEL_CONTEXT);
    const int64_t rows = 1 + next_byte(b) % USE_ROWS;
    double *const data = hostile_numbers(b, rows * features), *const around =
                                                                  hostile_numbers(b, rows * context);
    double *const other = hostile_numbers(b, rows * (latent > features ? latent : features));
    double log_p[USE_ROWS];
    if (!data || !around || !other) goto end;
    const weir_matrix x = matrix_of(data, rows, features), z = matrix_of(other, rows, latent);
    const weir_matrix y = matrix_of(other, rows, features), c = matrix_of(around, rows, context);
    weir_call call = {.struct_size = (uint32_t)sizeof call, .context = context ? &c : NULL};
    if (!weir_log_prob(model, &x, &call, log_p, NULL)) check_answers(log_p, rows, &call);
    weir_score(model, &x, &call, &y, log_p, NULL);
    weir_forward(model, &x, &call, &z, log_p, NULL);
    if (!weir_sample(model, &call, &y, log_p, NULL)) check_answers(log_p, rows, &call);
    weir_inverse(model, &z, &call, &x, log_p, NULL);
    weir_model_initialize(model, &x, &call, 1, NULL);
    weir_trainer *trainer = NULL;
    if (!weir_trainer_create(model, NULL, &trainer, NULL)) {
        const weir_step step = {
            .struct_size = (uint32_t)sizeof step, .learning_rate = 0.01, .x = &x, .context = call.context};
        weir_step_result result = {.struct_size = (uint32_t)sizeof result};
        MUST(weir_trainer_step(trainer, &step, &result, NULL) || !result.applied || isfinite(result.loss));
        weir_trainer_close(trainer);
    }
end:
    free(data);
    free(around);
    free(other);
}

#endif
