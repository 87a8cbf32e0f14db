/* test_checkpoint.c - training that stops and goes on takes the same steps, to the bit.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sandbox.h"

#include "api/api.h"
#include "models.h"

TestSuite(checkpoint, .init = sandbox_open, .fini = sandbox_close);

#define FLOW                                                                                                 \
    MODEL("f32", 4, 0,                                                                                       \
          "{\"type\":\"actnorm\"}," COUPLING("half", "affine") "," REVERSE                                   \
                                                               "," COUPLING("half", "rq_spline"))

/* A model in training: everything that a process holds. */
typedef struct session {
    weir_runtime *rt;
    weir_model *model;
    weir_trainer *trainer;
    weir_matrix x;
} session;

static session begin(const char *json, const char *settings, int32_t threads)
{
    session s = {.rt = open_weir(threads), .x = some_data(200, 4, 1)};
    s.model = must_build(s.rt, json);
    s.trainer = must_train(s.model, settings);
    return s;
}

static void end(session *s)
{
    weir_trainer_close(s->trainer);
    weir_model_close(s->model);
    weir_close(s->rt);
}

static int32_t bowl(void *user, int64_t rows, int64_t columns, const double *x, double *log_p,
                    double *gradient)
{
    (void)user;
    for (int64_t i = 0; i < rows; i++) {
        log_p[i] = 0;
        for (int64_t j = 0; j < columns; j++) {
            log_p[i] -= x[i * columns + j] * x[i * columns + j];
            gradient[i * columns + j] = -2 * x[i * columns + j];
        }
    }
    return 0;
}

static void steps(session *s, int first, int count, int reverse)
{
    for (int i = first; i < first + count; i++) {
        weir_step step = {
            .struct_size = (uint32_t)sizeof step, .learning_rate = 1e-2 / (1 + i), .epoch = (uint64_t)i};
        if (!reverse) step.x = &s->x;
        if (reverse) step.samples = 100;
        if (reverse) step.target = bowl;
        weir_step_result r = no_result();
        MUST(weir_trainer_step(s->trainer, &step, &r, &error));
        cr_assert_eq(r.applied, 1);
    }
}

static uint64_t bits(const session *s)
{
    double *const p = parameters(s->model);
    const uint64_t h = hash_of(p, weir_model_get(s->model, WEIR_MODEL_PARAMETERS));
    free(p);
    return h;
}

static void expect_same_after_resume(const char *settings, int reverse)
{
    session whole = begin(FLOW, settings, 2), half = begin(FLOW, settings, 1);
    char *loop = NULL;
    MUST(weir_model_initialize(whole.model, &whole.x, NULL, 0, &error));
    MUST(weir_model_initialize(half.model, &half.x, NULL, 0, &error));
    steps(&whole, 0, 4, reverse);
    steps(&half, 0, 4, reverse);
    MUST(weir_trainer_snapshot(whole.trainer, &error));
    MUST(weir_trainer_snapshot(half.trainer, &error));
    steps(&whole, 4, 3, reverse);
    steps(&half, 4, 3, reverse);
    MUST(weir_trainer_save(half.trainer, in_root("c"), "{\"epoch\":7}", &error));
    end(&half);
    session rest = begin(FLOW, settings, 3);
    MUST(weir_trainer_resume(rest.trainer, in_root("c"), &loop, &error));
    cr_assert_str_eq(loop, "{\"epoch\":7}");
    cr_assert_eq(bits(&rest), bits(&whole));
    steps(&whole, 7, 5, reverse);
    steps(&rest, 7, 5, reverse);
    cr_assert_eq(bits(&rest), bits(&whole), "%s: other bits after resuming", settings);
    MUST(weir_trainer_restore(whole.trainer, &error));
    MUST(weir_trainer_restore(rest.trainer, &error));
    cr_assert_eq(bits(&rest), bits(&whole), "%s: another snapshot", settings);
    weir_free(loop);
    end(&whole);
    end(&rest);
}

Test(checkpoint, resumed_steps_have_the_same_bits)
{
    expect_same_after_resume("{\"seed\":3}", 0);
    expect_same_after_resume("{\"optimizer\":\"sgd\",\"nesterov\":true}", 0);
    expect_same_after_resume("{\"optimizer\":\"adamw\",\"weight_decay\":0.1,\"clip\":1}", 0);
}

Test(checkpoint, resumed_reverse_kl_draws_the_next_samples)
{
    expect_same_after_resume("{\"seed\":5}", 1);
}

Test(checkpoint, a_checkpoint_is_a_model_too)
{
    session s = begin(FLOW, NULL, 1);
    weir_model *m = NULL;
    double p[200], q[200];
    steps(&s, 0, 3, 0);
    MUST(weir_trainer_save(s.trainer, in_root("c"), NULL, &error));
    MUST(weir_model_load(s.rt, in_root("c"), &m, &error));
    MUST(weir_log_prob(s.model, &s.x, NULL, p, &error));
    MUST(weir_log_prob(m, &s.x, NULL, q, &error));
    cr_assert_arr_eq(p, q, sizeof p);
    weir_model_close(m);
    char *loop = NULL;
    MUST(weir_trainer_resume(s.trainer, in_root("c"), &loop, &error));
    cr_assert_str_eq(loop, "{}");
    weir_free(loop);
    end(&s);
}

/* ---- refusals: the trainer goes on as if it had not been asked ------------------------------------------------------------ */

static void expect_refused(const char *json, const char *settings, const char *path, const char *wanted)
{
    session asked = begin(json, settings, 1), not_asked = begin(json, settings, 1);
    char *loop = (char *)&asked;
    steps(&asked, 0, 2, 0);
    steps(&not_asked, 0, 2, 0);
    cr_assert_eq(weir_trainer_resume(asked.trainer, path, &loop, &error), WEIR_INVALID, "accepted: %s",
                 wanted);
    cr_assert(strstr(error.message, path) && strstr(error.message, wanted), "\"%s\" does not say \"%s\"",
              error.message, wanted);
    cr_assert_not(strpbrk(error.message, "\n\r\033"), "not one clean line");
    cr_assert_eq(loop, (char *)&asked, "the out pointer was written");
    steps(&asked, 2, 2, 0);
    steps(&not_asked, 2, 2, 0);
    cr_assert_eq(bits(&asked), bits(&not_asked), "a refused checkpoint changed the training: %s", wanted);
    end(&asked);
    end(&not_asked);
}

static void save_one(void)
{
    session s = begin(FLOW, "{\"seed\":3}", 1);
    steps(&s, 0, 3, 0);
    MUST(weir_trainer_snapshot(s.trainer, &error));
    steps(&s, 3, 1, 0);
    MUST(weir_trainer_save(s.trainer, in_root("c"), "{\"epoch\":4}", &error));
    MUST(weir_model_save(s.model, in_root("m"), &error));
    end(&s);
}

Test(checkpoint, another_run_is_refused)
{
    save_one();
    expect_refused(MODEL("f32", 4, 0, COUPLING("half", "affine")), "{\"seed\":3}", in_root("c"),
                   ": the checkpoint is of another model; give the options it was started with");
    expect_refused(FLOW, "{\"seed\":3,\"optimizer\":\"sgd\"}", in_root("c"),
                   ": the checkpoint was made with another optimizer or seed");
    expect_refused(FLOW, "{\"seed\":4}", in_root("c"),
                   ": the checkpoint was made with another optimizer or seed");
    expect_refused(FLOW, "{\"seed\":3}", in_root("m"), ": not a checkpoint");
    expect_refused(FLOW, "{\"seed\":3}", in_root("none"), "No such file");
}

Test(checkpoint, half_a_checkpoint_is_refused)
{
    unsigned char *bytes;
    save_one();
    const size_t size = read_all(in_root("c"), &bytes);
    for (size_t n = 0; n < size; n += 1 + size / 12) {
        write_all(in_root("cut"), bytes, n);
        expect_refused(FLOW, "{\"seed\":3}", in_root("cut"), "");
    }
    free(bytes);
}

/* The data come last in the file: parameters, moments and snapshot, each byte under a checksum. */
Test(checkpoint, a_damaged_checkpoint_is_refused)
{
    unsigned char *bytes;
    save_one();
    const size_t size = read_all(in_root("c"), &bytes);
    size_t head = 0;
    for (int i = 7; i >= 0; i--) head = head << 8 | bytes[i];
    for (size_t n = head + 8; n < size; n += (size - head) / 12) {
        bytes[n] ^= 1;
        write_all(in_root("bad"), bytes, size);
        bytes[n] ^= 1;
        expect_refused(FLOW, "{\"seed\":3}", in_root("bad"), "altered or damaged");
    }
    free(bytes);
}

/* Written anew without one tensor, and with checksums that are right. */
static void forge_without(const char *name)
{
    weir__st_file *file = NULL;
    MUST(weir__st_read(in_root("c"), &file, &error));
    static const char *const keys[] = {"weir_model", "weir_modules", "weir_metadata", "weir_trainer",
                                       "weir_loop"};
    const char *texts[5];
    json_t *const metadata = json_object();
    static weir__st_tensor own[400], more[300];
    int64_t own_count = 0, more_count = 0;
    char sum[16];
    for (int i = 0; i < 5; i++)
        json_object_set_new(metadata, keys[i], json_string(texts[i] = weir__st_metadata(file, keys[i])));
    for (int64_t i = 0; i < weir__st_count(file); i++) {
        const weir__st_tensor *const t = weir__st_at(file, i);
        if (strcmp(t->name, name) == 0) continue;
        if (strncmp(t->name, "flow.", 5) == 0 || strncmp(t->name, "base.", 5) == 0)
            own[own_count++] = *t;
        else
            more[more_count++] = *t;
    }
    snprintf(sum, sizeof sum, "%08x", weir__checksum(texts[0], texts[1], texts[2], own, own_count));
    json_object_set_new(metadata, "weir_crc32", json_string(sum));
    snprintf(sum, sizeof sum, "%08x", weir__checksum(texts[3], texts[4], "", more, more_count));
    json_object_set_new(metadata, "weir_trainer_crc32", json_string(sum));
    memcpy(own + own_count, more, (size_t)more_count * sizeof *more);
    MUST(weir__st_write(in_root("forged"), metadata, own, own_count + more_count, &error));
    json_decref(metadata);
    weir__st_free(file);
}

Test(checkpoint, a_checkpoint_without_some_tensor_changes_nothing)
{
    save_one();
    static const char *const names[] = {
        "flow.2.network.output.weight", "snapshot.flow.2.network.output.weight",
        "moment1.flow.2.network.output.weight", "moment2.flow.4.network.output.bias"};
    for (int i = 0; i < 4; i++) {
        forge_without(names[i]);
        expect_refused(FLOW, "{\"seed\":3}", in_root("forged"), names[i]);
    }
}
