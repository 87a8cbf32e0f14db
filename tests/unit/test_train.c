/* test_train.c - gradients of whole models, and what training promises.
 *
 * SPDX-License-Identifier: MIT
 */
#include "models.h"

TestSuite(train);

Test(train, gradient_of_forward_kl)
{
    weir_runtime *const rt = open_weir(2);
    weir_model *const m = must_build(rt, MODEL("f64", 5, 0, MIXED));
    const weir_matrix x = some_data(150, 5, 1);
    MUST(weir_model_initialize(m, &x, NULL, 0, &error));
    shake(m, 0.1);
    weir_trainer *const t = must_train(m, NULL);
    const weir_step step = data_step(&x);
    expect_trainer_gradient(m, t, &step);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

Test(train, gradient_with_context_weights_and_chosen_rows)
{
    weir_runtime *const rt = open_weir(2);
    weir_model *const m = must_build(rt, MODEL("f64", 4, 3, MIXED));
    const weir_matrix x = some_data(90, 4, 1), c = some_data(90, 3, 2);
    weir_call call = {.struct_size = (uint32_t)sizeof call, .context = &c};
    MUST(weir_model_initialize(m, &x, &call, 0, &error));
    shake(m, 0.1);
    weir_trainer *const t = must_train(m, NULL);
    double weights[90];
    int64_t rows[70];
    for (int i = 0; i < 90; i++) weights[i] = i % 7;
    for (int i = 0; i < 70; i++) rows[i] = (i * 13) % 90;
    weir_step step = data_step(&x);
    step.context = &c;
    step.weights = weights;
    step.rows = rows;
    step.row_count = 70;
    expect_trainer_gradient(m, t, &step);
    /* The loss is the weighted mean of -log p over those rows. */
    double p[90], sum = 0, total = 0;
    MUST(weir_log_prob(m, &x, &call, p, &error));
    for (int i = 0; i < 70; i++) {
        sum -= weights[rows[i]] * p[rows[i]];
        total += weights[rows[i]];
    }
    weir_step_result r = no_result();
    step.learning_rate = 0;
    MUST(weir_trainer_step(t, &step, &r, &error));
    cr_assert(fabs(r.loss - sum / total) < 1e-10, "%.15g against %.15g", r.loss, sum / total);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

static int32_t gaussian_target(void *user, int64_t rows, int64_t columns, const double *x, double *log_p,
                               double *gradient)
{
    (void)user;
    for (int64_t i = 0; i < rows; i++) {
        log_p[i] = 0;
        for (int64_t j = 0; j < columns; j++) {
            const double d = x[i * columns + j] - 1.5 * (double)(j + 1);
            log_p[i] -= 2 * d * d;
            gradient[i * columns + j] = -4 * d;
        }
    }
    return 0;
}

Test(train, gradient_of_reverse_kl)
{
    weir_runtime *const rt = open_weir(2);
    weir_model *const m = must_build(
        rt, "{\"dtype\":\"f64\",\"features\":3,\"flow\":" CHAIN(COUPLING("half", "rq_spline") "," MAF(
                "affine") ","
                          "{\"type\":\"lu_linear\"}," IAF(
                              "affine")) ",\"base\":{\"type\":\"normal\",\"options\":{\"trainable\":true}}}");
    shake(m, 0.1);
    weir_trainer *const t = must_train(m, NULL);
    weir_step step = {.struct_size = (uint32_t)sizeof step, .samples = 100, .target = gaussian_target};
    expect_trainer_gradient(m, t, &step);
    step.target = NULL;
    step.target_json = "{\"type\":\"normal\"}";
    expect_trainer_gradient(m, t, &step);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

Test(train, reverse_kl_finds_a_gaussian)
{
    weir_runtime *const rt = open_weir(2);
    weir_model *const m = must_build(rt, MODEL("f64", 2, 0, "{\"type\":\"lu_linear\"}"));
    weir_trainer *const t = must_train(m, NULL);
    weir_step step = {.struct_size = (uint32_t)sizeof step, .samples = 128, .target = gaussian_target};
    weir_step_result r = no_result();
    for (int i = 0; i < 5000; i++) {
        step.learning_rate = i < 3000 ? 2e-2 : i < 4500 ? 2e-3 : 2e-4;
        MUST(weir_trainer_step(t, &step, &r, &error));
    }
    /* Against the normalised target: KL = 0; the unnormalised one has log Z = log(2 pi / 4). */
    cr_assert(fabs(r.loss + log(6.283185307179586 / 4)) < 0.01, "loss %g", r.loss);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

/* Trains for a while with so many threads; returns the parameters' hash. */
static uint64_t trained(int32_t threads, int32_t recompute, const char *dtype_model, int64_t rows,
                        double *loss)
{
    weir_runtime *const rt = open_weir(threads);
    weir_model *const m = must_build(rt, dtype_model);
    const weir_matrix x = some_data(rows, 5, 1);
    MUST(weir_model_set_recompute(m, recompute, &error));
    MUST(weir_model_initialize(m, &x, NULL, 0, &error));
    weir_trainer *const t = must_train(m, "{\"clip\":5}");
    const weir_step step = data_step(&x);
    weir_step_result r = no_result();
    for (int i = 0; i < 12; i++) MUST(weir_trainer_step(t, &step, &r, &error));
    *loss = r.loss;
    double *const p = parameters(m);
    const uint64_t h = hash_of(p, weir_model_get(m, WEIR_MODEL_PARAMETERS));
    free(p);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
    return h;
}

Test(train, bits_do_not_depend_on_threads)
{
    double loss;
    const uint64_t one = trained(1, 0, MODEL("f32", 5, 0, MIXED), 1000, &loss);
    for (int32_t threads = 2; threads <= 5; threads++)
        cr_assert_eq(trained(threads, 0, MODEL("f32", 5, 0, MIXED), 1000, &loss), one, "%d threads", threads);
}

/* Parameters of over 2 MiB: tiles as wide as the lanes allow, here 192 of 520 rows, with a bad row in the second. */
static weir_step_result wide_step(int32_t threads, const weir_matrix *x, uint64_t *hash, double *mean)
{
    weir_runtime *const rt = open_weir(threads);
    weir_model *const m = must_build(rt, MODEL("f64", 5, 0, WIDE("affine") "," REVERSE "," WIDE("affine")));
    weir_trainer *const t = must_train(m, NULL);
    const weir_step step = data_step(x);
    weir_step_result r = no_result();
    double p[520], sum = 0;
    for (int i = 0; i < 3; i++) {
        MUST(weir_log_prob(m, x, NULL, p, &error));
        MUST(weir_trainer_step(t, &step, &r, &error));
    }
    cr_assert_gt(weir_model_get(m, WEIR_MODEL_TILE), 64);
    for (int i = 0; i < 520; i++) sum += isnan(p[i]) ? 0 : p[i];
    *mean = sum / (double)r.rows;
    double *const after = parameters(m);
    *hash = hash_of(after, weir_model_get(m, WEIR_MODEL_PARAMETERS));
    free(after);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
    return r;
}

Test(train, wide_tiles_of_large_models_change_nothing_else)
{
    const weir_matrix x = some_data(520, 5, 1);
    uint64_t one, other;
    double mean;
    ((double *)x.data)[300 * 5 + 2] = (double)NAN;
    for (int32_t threads = 1; threads <= 3; threads++) {
        const weir_step_result r = wide_step(threads, &x, threads == 1 ? &one : &other, &mean);
        cr_assert_eq(r.discarded, 1);
        cr_assert(fabs(r.loss + mean) < 1e-10, "%.15g against %.15g", r.loss, -mean);
        cr_assert(threads == 1 || other == one, "%d threads", threads);
    }
}

Test(train, recompute_gives_the_same_gradient)
{
    double taped, rebuilt;
    trained(2, 0, MODEL("f64", 5, 0, MIXED), 300, &taped);
    trained(2, 1, MODEL("f64", 5, 0, MIXED), 300, &rebuilt);
    cr_assert(fabs(taped - rebuilt) < 1e-9, "%.15g against %.15g", taped, rebuilt);
}

/* ---- gradients that are written, not added to ------------------------------------------------------------------------ */

static double *gradient_of(weir_model *m, weir_trainer *t, const weir_matrix *x)
{
    const int64_t n = weir_model_get(m, WEIR_MODEL_PARAMETERS);
    double *const g = malloc((size_t)n * sizeof(double));
    const weir_step step = data_step(x);
    weir_step_result r = no_result();
    MUST(weir_trainer_gradient(t, &step, &r, g, n, &error));
    return g;
}

static void expect_same_bits(weir_model *m, double *first, double *again)
{
    const size_t bytes = (size_t)weir_model_get(m, WEIR_MODEL_PARAMETERS) * sizeof(double);
    cr_assert_eq(memcmp(first, again, bytes), 0);
    free(again);
}

/* The weights of linear objects are not zeroed between steps. */
Test(train, a_gradient_holds_nothing_of_those_before)
{
    for (int32_t threads = 1; threads <= 3; threads += 2) {
        weir_runtime *const rt = open_weir(threads);
        weir_model *const m = must_build(rt, MODEL("f64", 5, 0, MIXED));
        const weir_matrix x = some_data(300, 5, 1), other = some_data(300, 5, 2);
        MUST(weir_model_initialize(m, &x, NULL, 0, &error));
        shake(m, 0.1);
        weir_trainer *const t = must_train(m, NULL);
        double *const first = gradient_of(m, t, &x);
        free(gradient_of(m, t, &other));
        expect_same_bits(m, first, gradient_of(m, t, &x));
        MUST(weir_freeze(m, "flow.*", 1, &error));
        const weir_step step = data_step(&other);
        weir_step_result r = no_result();
        weir_trainer_step(t, &step, &r, &error);
        MUST(weir_freeze(m, "flow.*", 0, &error));
        expect_same_bits(m, first, gradient_of(m, t, &x));
        free(first);
        weir_trainer_close(t);
        weir_model_close(m);
        weir_close(rt);
    }
}

/* Nothing writes the gradient of a lane none of whose rows counts. */
Test(train, a_lane_of_bad_rows_adds_nothing)
{
    weir_runtime *const rt = open_weir(2);
    weir_model *const m = must_build(rt, MODEL("f64", 5, 0, MIXED));
    const weir_matrix x = some_data(256, 5, 1);
    MUST(weir_model_initialize(m, &x, NULL, 0, &error));
    shake(m, 0.1);
    weir_trainer *const t = must_train(m, NULL);
    free(gradient_of(m, t, &x));
    weir_matrix good = x;
    good.rows = 128;
    good.data = (double *)x.data + 128 * 5;
    double *const wanted = gradient_of(m, t, &good);
    for (int i = 0; i < 128 * 5; i++) ((double *)x.data)[i] = (double)NAN;
    double *const got = gradient_of(m, t, &x);
    for (int64_t i = 0; i < weir_model_get(m, WEIR_MODEL_PARAMETERS); i++)
        cr_assert(fabs(got[i] - wanted[i]) < 1e-12 * (1 + fabs(wanted[i])), "parameter %ld: %g, not %g",
                  (long)i, got[i], wanted[i]);
    free(got);
    free(wanted);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

/* ---- bad rows ------------------------------------------------------------------------------------------------------- */

Test(train, one_bad_row_changes_no_other_row_and_no_gradient)
{
    weir_runtime *const rt = open_weir(2);
    weir_model *const m = must_build(rt, MODEL("f64", 5, 0, MIXED));
    const weir_matrix x = some_data(200, 5, 1);
    double *const data = x.data;
    MUST(weir_model_initialize(m, &x, NULL, 0, &error));
    shake(m, 0.1);
    weir_trainer *const t = must_train(m, NULL);
    const int64_t n = weir_model_get(m, WEIR_MODEL_PARAMETERS);
    double *const without = malloc((size_t)n * sizeof(double)), *const with =
                                                                    malloc((size_t)n * sizeof(double));
    double clean[200], dirty[200];
    MUST(weir_log_prob(m, &x, NULL, clean, &error));
    double weights[200];
    for (int i = 0; i < 200; i++) weights[i] = i != 77;
    weir_step step = data_step(&x);
    step.weights = weights;
    weir_step_result r = no_result();
    MUST(weir_trainer_gradient(t, &step, &r, without, n, &error));
    step.weights = NULL;
    static const double bad[] = {INFINITY, -INFINITY, NAN};
    for (int k = 0; k < 3; k++) {
        const double kept = data[77 * 5 + 2];
        data[77 * 5 + 2] = bad[k];
        weir_call call = {.struct_size = (uint32_t)sizeof call};
        MUST(weir_log_prob(m, &x, &call, dirty, &error));
        cr_assert_eq(call.discarded, 1);
        for (int i = 0; i < 200; i++)
            if (i == 77)
                cr_assert(isnan(dirty[i]));
            else
                cr_assert_eq(clean[i], dirty[i], "row %d: %.17g became %.17g", i, clean[i], dirty[i]);
        MUST(weir_trainer_gradient(t, &step, &r, with, n, &error));
        cr_assert_eq(r.discarded, 1);
        cr_assert_eq(r.rows, 199);
        cr_assert(strstr(r.message, "row 78"), "%s", r.message);
        for (int64_t i = 0; i < n; i++)
            cr_assert(fabs(with[i] - without[i]) < 1e-12 * (1 + fabs(without[i])),
                      "parameter %ld: %g, not %g", (long)i, with[i], without[i]);
        data[77 * 5 + 2] = kept;
    }
    free(with);
    free(without);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

Test(train, a_step_that_is_not_finite_is_skipped_and_named)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m =
        must_build(rt, MODEL("f32", 4, 0, COUPLING("half", "affine") "," COUPLING("even", "affine")));
    const weir_matrix x = some_data(100, 4, 1);
    shake(m, 0.1);
    const int64_t bias = weir_tensor_find(m, "flow.2.network.hidden.1.bias");
    cr_assert_geq(bias, 0, "no such tensor");
    double v[12] = {NAN};
    MUST(weir_tensor_write(m, bias, v, 12, &error));
    weir_trainer *const t = must_train(m, NULL);
    const weir_step step = data_step(&x);
    weir_step_result r = no_result();
    double *const before = parameters(m);
    MUST(weir_trainer_step(t, &step, &r, &error));
    double *const after = parameters(m);
    cr_assert_eq(r.applied, 0);
    cr_assert(strstr(r.message, "flow.2") && strstr(r.message, "row 1"), "%s", r.message);
    cr_assert_eq(memcmp(before, after, (size_t)weir_model_get(m, WEIR_MODEL_PARAMETERS) * sizeof(double)), 0);
    free(before);
    free(after);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

Test(train, rollback_goes_back_to_the_snapshot)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(rt, MODEL("f32", 4, 0, COUPLING("half", "affine")));
    const weir_matrix x = some_data(100, 4, 1);
    weir_trainer *const t = must_train(m, "{\"on_nan\":\"rollback\"}");
    double *const kept = parameters(m);
    MUST(weir_trainer_snapshot(t, &error));
    weir_step step = data_step(&x);
    weir_step_result r = no_result();
    MUST(weir_trainer_step(t, &step, &r, &error));
    double v[12] = {NAN};
    MUST(weir_tensor_write(m, weir_tensor_find(m, "flow.1.network.hidden.1.bias"), v, 12, &error));
    MUST(weir_trainer_step(t, &step, &r, &error));
    cr_assert_eq(r.applied, 0);
    double *const now = parameters(m);
    cr_assert_eq(memcmp(kept, now, (size_t)weir_model_get(m, WEIR_MODEL_PARAMETERS) * sizeof(double)), 0);
    free(kept);
    free(now);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

/* ---- freezing, sharing, optimizers ----------------------------------------------------------------------------------- */

Test(train, frozen_parameters_stay)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m =
        must_build(rt, MODEL("f32", 4, 0, COUPLING("half", "affine") "," COUPLING("even", "affine")));
    const weir_matrix x = some_data(100, 4, 1);
    cr_assert_eq(weir_freeze(m, "flow.9.*", 1, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "flow.9.*"), "%s", error.message);
    MUST(weir_freeze(m, "flow.1.*", 1, &error));
    double *const before = parameters(m);
    weir_trainer *const t = must_train(m, "{\"optimizer\":\"adamw\",\"weight_decay\":0.1}");
    const weir_step step = data_step(&x);
    weir_step_result r = no_result();
    for (int i = 0; i < 3; i++) MUST(weir_trainer_step(t, &step, &r, &error));
    double *const after = parameters(m);
    int64_t at = 0;
    for (int64_t k = 0; k < weir_model_get(m, WEIR_MODEL_TENSORS); k++) {
        weir_tensor_info info = {.struct_size = (uint32_t)sizeof info};
        MUST(weir_tensor_at(m, k, &info, &error));
        if (info.kind != WEIR_TENSOR_PARAMETER) continue;
        const int same = memcmp(before + at, after + at, (size_t)info.count * sizeof(double)) == 0;
        if (strncmp(info.name, "flow.1.", 7) == 0) cr_assert(same, "%s moved", info.name);
        if (strstr(info.name, "flow.2.network.hidden.1.weight"))
            cr_assert_not(same, "%s did not move", info.name);
        at += info.count;
    }
    free(before);
    free(after);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

Test(train, shared_parameters_are_one_and_their_gradients_add_up)
{
    weir_runtime *const rt = open_weir(1);
    const char *const node = "{\"type\":\"coupling\",\"share\":\"twin\",\"children\":{\"network\":" MLP "}}";
    char json[1200];
    snprintf(
        json, sizeof json,
        "{\"dtype\":\"f64\",\"features\":4,\"flow\":{\"type\":\"chain\",\"children\":{\"layers\":[%s,%s,%s]}},"
        "\"base\":{\"type\":\"normal\"}}",
        node, REVERSE, node);
    weir_model *const two = must_build(rt, json);
    weir_model *const one = must_build(rt, MODEL("f64", 4, 0, COUPLING("half", "affine")));
    cr_assert_eq(weir_model_get(two, WEIR_MODEL_PARAMETERS), weir_model_get(one, WEIR_MODEL_PARAMETERS));
    const weir_matrix x = some_data(100, 4, 1);
    shake(two, 0.2);
    weir_trainer *const t = must_train(two, NULL);
    const weir_step step = data_step(&x);
    expect_trainer_gradient(two, t, &step);
    weir_trainer_close(t);
    weir_model_close(one);
    weir_model_close(two);
    weir_close(rt);
}

/* One parameter per feature and the loss mean((x + b)^2)/2 + c: its gradient is mean(x) + b, so that every optimizer's first
 * steps can be written down. */
static double shift_after(const char *settings, double rate, int steps, double *mean)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(rt, MODEL("f64", 1, 0,
                                               "{\"type\":\"elementwise\",\"children\":{\"univariate\":"
                                               "{\"type\":\"additive\"}}}"));
    const weir_matrix x = some_data(50, 1, 1);
    *mean = 0;
    for (int i = 0; i < 50; i++) *mean += ((double *)x.data)[i] / 50;
    weir_trainer *const t = must_train(m, settings);
    weir_step step = data_step(&x);
    step.learning_rate = rate;
    weir_step_result r = no_result();
    for (int i = 0; i < steps; i++) MUST(weir_trainer_step(t, &step, &r, &error));
    double *const p = parameters(m), b = p[0];
    free(p);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
    return b;
}

static void expect_near(double got, double wanted)
{
    cr_assert(fabs(got - wanted) < 1e-12, "%.15g, not %.15g", got, wanted);
}

Test(train, optimizers_follow_their_formulas)
{
    double g, b = 0, m = 0, v = 0;
    double got = shift_after("{\"optimizer\":\"sgd\",\"momentum\":0.5}", 0.1, 3, &g);
    for (int i = 0; i < 3; i++) b -= 0.1 * (m = 0.5 * m + (g + b));
    expect_near(got, b);
    got = shift_after("{\"optimizer\":\"sgd\",\"momentum\":0.5,\"nesterov\":true,\"clip\":0.2}", 0.1, 2, &g);
    b = m = 0;
    for (int i = 0; i < 2; i++) {
        const double clipped = fmin(0.2, fmax(-0.2, g + b));
        m = 0.5 * m + clipped;
        b -= 0.1 * (clipped + 0.5 * m);
    }
    expect_near(got, b);
    for (int decoupled = 0; decoupled < 2; decoupled++) {
        got = shift_after(decoupled ? "{\"optimizer\":\"adamw\",\"weight_decay\":0.3}"
                                    : "{\"optimizer\":\"adam\",\"weight_decay\":0.3}",
                          0.01, 4, &g);
        b = m = v = 0;
        for (int i = 1; i <= 4; i++) {
            /* A shift is marked no-decay: the setting must leave it alone. */
            m = 0.9 * m + 0.1 * (g + b);
            v = 0.999 * v + 0.001 * (g + b) * (g + b);
            b -= 0.01 * (m / (1 - pow(0.9, i))) / (sqrt(v / (1 - pow(0.999, i))) + 1e-8);
        }
        expect_near(got, b);
    }
}

/* One step of SGD or AdamW with and without decay differs by rate * decay * w, for weights and not for biases. */
static double moved_by_decay(const char *plain, const char *decayed, const char *tensor, double *start)
{
    double after[2][12 * 2];
    for (int k = 0; k < 2; k++) {
        weir_runtime *const rt = open_weir(1);
        weir_model *const m = must_build(rt, MODEL("f64", 4, 0, COUPLING("half", "affine")));
        const weir_matrix x = some_data(50, 4, 1);
        const int64_t at = weir_tensor_find(m, tensor);
        weir_tensor_info info = {.struct_size = (uint32_t)sizeof info};
        shake(m, 0.3);
        MUST(weir_tensor_at(m, at, &info, &error));
        MUST(weir_tensor_read(m, at, after[k], info.count, &error));
        *start = after[k][0];
        weir_trainer *const t = must_train(m, k ? decayed : plain);
        weir_step step = data_step(&x);
        step.learning_rate = 0.01;
        weir_step_result r = no_result();
        MUST(weir_trainer_step(t, &step, &r, &error));
        MUST(weir_tensor_read(m, at, after[k], info.count, &error));
        weir_trainer_close(t);
        weir_model_close(m);
        weir_close(rt);
    }
    return after[1][0] - after[0][0];
}

Test(train, weight_decay_shrinks_weights_and_leaves_biases)
{
    static const char *const settings[][2] = {
        {"{\"optimizer\":\"sgd\"}", "{\"optimizer\":\"sgd\",\"weight_decay\":0.3}"},
        {"{\"optimizer\":\"adamw\"}", "{\"optimizer\":\"adamw\",\"weight_decay\":0.3}"}};
    for (int k = 0; k < 2; k++) {
        double w;
        const double shrunk =
            moved_by_decay(settings[k][0], settings[k][1], "flow.1.network.hidden.1.weight", &w);
        expect_near(shrunk, -0.01 * 0.3 * w);
        expect_near(moved_by_decay(settings[k][0], settings[k][1], "flow.1.network.hidden.1.bias", &w), 0);
    }
}

Test(train, a_context_must_be_wanted_and_fit)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const without = must_build(rt, MODEL("f32", 4, 0, COUPLING("half", "affine")));
    weir_model *const with = must_build(rt, MODEL("f32", 4, 3, COUPLING("half", "affine")));
    const weir_matrix x = some_data(10, 4, 1), c = some_data(10, 3, 2), few = some_data(9, 3, 2);
    weir_trainer *const t = must_train(without, NULL), *const u = must_train(with, NULL);
    weir_step step = data_step(&x);
    weir_step_result r = no_result();
    cr_assert_eq(weir_trainer_step(u, &step, &r, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "needs a context of 3 columns"), "%s", error.message);
    step.context = &few;
    cr_assert_eq(weir_trainer_step(u, &step, &r, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "context has 9 rows, the data 10"), "%s", error.message);
    step.context = &c;
    MUST(weir_trainer_step(u, &step, &r, &error));
    cr_assert_eq(weir_trainer_step(t, &step, &r, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "takes none"), "%s", error.message);
    weir_trainer_close(t);
    weir_trainer_close(u);
    weir_model_close(without);
    weir_model_close(with);
    weir_close(rt);
}

Test(train, settings_are_checked)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(rt, MODEL("f32", 2, 0, COUPLING("half", "affine")));
    weir_trainer *t;
    static const char *const wrong[][2] = {{"{\"optimizer\":\"adan\"}", "did you mean \"adam\""},
                                           {"{\"clipp\":1}", "did you mean \"clip\""},
                                           {"{\"clip\":-1}", "clip must be a number"},
                                           {"[1]", "must be a JSON object"},
                                           {"{", "must be a JSON object"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_assert_eq(weir_trainer_create(m, wrong[i][0], &t, &error), WEIR_INVALID, "%s", wrong[i][0]);
        cr_assert(strstr(error.message, wrong[i][1]), "%s", error.message);
    }
    weir_model_close(m);
    weir_close(rt);
}
