/* subject.c - see subject.h. */
#include "subject.h"

#include "clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- data ---------------------------------------------------------------------------------------------------------- */

static double uniform(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t x = *state;
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    x ^= x >> 31;
    return ((double)(x >> 11) + 0.5) * 0x1p-53;
}

static double normal(uint64_t *state)
{
    const double radius = sqrt(-2 * log(uniform(state)));
    return radius * cos(2 * 3.14159265358979323846 * uniform(state));
}

void subject_fill(const work *w, float *rows, int64_t count)
{
    uint64_t state = 1;
    for (int64_t i = 0; i < count; i++) {
        double before = normal(&state);
        for (int32_t f = 0; f < w->features; f++) {
            const double own = normal(&state);
            const double scale = 0.2 + 0.7 / (1 + exp(-2 * before));
            rows[i * w->features + f] = (float)(scale * (own + 0.1 * (own * own - 1)) + 0.6 * before);
            before = own;
        }
    }
}

static weir_matrix matrix(float *data, int64_t rows, int64_t columns)
{
    return (weir_matrix){.struct_size = (uint32_t)sizeof(weir_matrix),
                         .dtype = WEIR_DTYPE_F32,
                         .rows = rows,
                         .columns = columns,
                         .data = data};
}

weir_matrix subject_rows(const subject *s, int64_t first, int64_t count)
{
    return matrix(s->rows + first * s->work->features, count, s->work->features);
}

/* ---- models -------------------------------------------------------------------------------------------------------- */

static weir_status out_of_memory(weir_error *error)
{
    *error = (weir_error){WEIR_ERROR, "out of memory for the benchmark's data"};
    return WEIR_ERROR;
}

static weir_status train(weir_trainer *trainer, const weir_matrix *x, double rate, weir_error *error)
{
    const weir_step step = {.struct_size = (uint32_t)sizeof step, .learning_rate = rate, .x = x};
    weir_step_result result = {.struct_size = (uint32_t)sizeof result};
    const weir_status status = weir_trainer_step(trainer, &step, &result, error);
    if (status != WEIR_OK || result.applied) return status;
    *error = (weir_error){.status = WEIR_ERROR};
    memcpy(error->message, result.message, sizeof result.message);
    return WEIR_ERROR;
}

/* Quick and coarse: log-scales and splines must end far enough from the identity for a wrong formula to show. */
#define START_STEPS 60
#define START_RATE  1e-2
#define START_BATCH 256

weir_status subject_make(weir_runtime *runtime, const work *w, const char *path, weir_error *error)
{
    char json[WORK_TEXT];
    weir_model *model = NULL;
    weir_trainer *trainer = NULL;
    float *const rows = malloc((size_t)w->features * START_STEPS * START_BATCH * sizeof *rows);
    if (!rows || !work_describe(w, "f32", json, sizeof json)) return free(rows), out_of_memory(error);
    subject_fill(w, rows, START_STEPS * START_BATCH);
    weir_status status = weir_model_build(runtime, json, -1, &model, error);
    if (!status) status = weir_trainer_create(model, NULL, &trainer, error);
    for (int64_t i = 0; i < START_STEPS && !status; i++) {
        const weir_matrix x = matrix(rows + i * START_BATCH * w->features, START_BATCH, w->features);
        status = train(trainer, &x, START_RATE, error);
    }
    if (!status) status = weir_model_save(model, path, error);
    weir_trainer_close(trainer);
    weir_model_close(model);
    free(rows);
    return status;
}

static weir_status take_memory(subject *s, const work *w, int64_t largest, weir_error *error)
{
    *s = (subject){.work = w, .largest = largest};
    const size_t row = (size_t)w->features * sizeof(float);
    s->rows = malloc(row * (size_t)POOL_ROWS);
    s->made = malloc(row * (size_t)largest);
    s->log_p = malloc((size_t)largest * sizeof(double));
    if (!s->rows || !s->made || !s->log_p) return out_of_memory(error);
    subject_fill(w, s->rows, POOL_ROWS);
    return WEIR_OK;
}

weir_status subject_open(subject *s, weir_runtime *runtime, const work *w, const char *path, int64_t largest,
                         weir_error *error)
{
    weir_status status = take_memory(s, w, largest, error);
    if (!status) status = weir_model_load(runtime, path, &s->model, error);
    if (!status) status = weir_model_load(runtime, path, &s->learner, error);
    if (!status) status = weir_trainer_create(s->learner, NULL, &s->trainer, error);
    return status;
}

weir_status subject_build(subject *s, weir_runtime *runtime, const work *w, int64_t largest,
                          weir_error *error)
{
    char json[WORK_TEXT];
    weir_status status = take_memory(s, w, largest, error);
    if (!status && !work_describe(w, "f32", json, sizeof json)) status = out_of_memory(error);
    if (!status) status = weir_model_build(runtime, json, -1, &s->model, error);
    if (!status) status = weir_model_build(runtime, json, -1, &s->learner, error);
    if (!status) status = weir_trainer_create(s->learner, NULL, &s->trainer, error);
    return status;
}

void subject_close(subject *s)
{
    weir_trainer_close(s->trainer);
    weir_model_close(s->learner);
    weir_model_close(s->model);
    free(s->rows);
    free(s->made);
    free(s->log_p);
    *s = (subject){0};
}

/* ---- operations ---------------------------------------------------------------------------------------------------- */

typedef struct turn {
    subject *subject;
    operation op;
    int64_t batch, next;
    weir_error *error;
} turn;

/* Batches go round the pool, so that no call finds its rows where the last one left them. */
static int once(void *user)
{
    turn *const t = user;
    subject *const s = t->subject;
    weir_call call = {.struct_size = (uint32_t)sizeof call, .seed = (uint64_t)t->next};
    if (t->next + t->batch > POOL_ROWS) t->next = 0;
    const weir_matrix x = subject_rows(s, t->next, t->batch);
    const weir_matrix made = matrix(s->made, t->batch, s->work->features);
    t->next += t->batch;
    if (t->op == TRAIN) return train(s->trainer, &x, 1e-5, t->error) != WEIR_OK;
    if (t->op == LOG_PROB) return weir_log_prob(s->model, &x, NULL, s->log_p, t->error) != WEIR_OK;
    return weir_sample(s->model, &call, &made, NULL, t->error) != WEIR_OK;
}

double subject_rate(subject *s, operation op, int64_t batch, double seconds, weir_error *error)
{
    turn t = {s, op, batch, 0, error};
    if (batch > s->largest)
        return *error = (weir_error){WEIR_INVALID, "a batch larger than was announced"}, -1;
    const double calls = clock_rate(once, &t, seconds);
    return calls < 0 ? -1 : calls * (double)batch;
}
