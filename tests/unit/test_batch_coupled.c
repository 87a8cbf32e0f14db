/* test_batch_coupled.c - flows that are cut at their batch-coupled layers: gradients, bits, bad rows, what is left behind.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sandbox.h"

#include "models.h"

TestSuite(batch_coupled, .init = sandbox_open, .fini = sandbox_close);

#define BATCH_NORM    "{\"type\":\"batch_norm\"}"
#define BARE_NORM     "{\"type\":\"batch_norm\",\"options\":{\"affine\":false}}"
#define ACTNORM       "{\"type\":\"actnorm\"}"
#define TWICE(layers) "{\"type\":\"repeat\",\"options\":{\"count\":2},\"children\":{\"layers\":[" layers "]}}"
#define COUPLED       COUPLING("half", "affine") "," BATCH_NORM "," COUPLING("even", "affine") "," BATCH_NORM

/* 56 + 56 + 38 rows. */
#define ROWS 150

static weir_model *ready(weir_runtime *rt, const char *json, const weir_matrix *x, weir_call *call)
{
    weir_model *const m = must_build(rt, json);
    MUST(weir_model_initialize(m, x, call, 0, &error));
    shake(m, 0.15);
    return m;
}

/* ---- gradients ----------------------------------------------------------------------------------------------------------- */

static void expect_gradient_over(const char *json, int64_t rows)
{
    weir_runtime *const rt = open_weir(2);
    const weir_matrix x = some_data(rows, 4, 1);
    weir_model *const m = ready(rt, json, &x, NULL);
    weir_trainer *const t = must_train(m, NULL);
    const weir_step step = data_step(&x);
    expect_trainer_gradient(m, t, &step);
    cr_assert_eq(weir_model_get(m, WEIR_MODEL_TILE), rows == ROWS ? 56 : 112);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

static void expect_gradient_of(const char *json)
{
    expect_gradient_over(json, ROWS);
}

Test(batch_coupled, gradient_of_forward_kl)
{
    expect_gradient_of(MODEL("f64", 4, 0, COUPLED));
}

Test(batch_coupled, gradient_over_wide_tiles)
{
    expect_gradient_over(MODEL("f64", 4, 0, WIDE("affine") "," BATCH_NORM "," REVERSE "," WIDE("affine")),
                         330);
}

Test(batch_coupled, gradient_where_stages_are_empty)
{
    expect_gradient_of(MODEL("f64", 4, 0, BATCH_NORM "," BARE_NORM "," COUPLING("half", "affine")));
    expect_gradient_of(MODEL("f64", 4, 0, MAF("affine") "," BATCH_NORM));
}

Test(batch_coupled, gradient_inside_chain_and_repeat)
{
    expect_gradient_of(MODEL("f64", 4, 0,
                             CHAIN(COUPLING("half", "affine") "," CHAIN(BATCH_NORM)) "," TWICE(
                                 COUPLING("even", "affine") "," BATCH_NORM "," REVERSE) "," ACTNORM));
}

/* The flow may be one such layer alone, or a layer that is no chain. */
Test(batch_coupled, gradient_of_one_layer)
{
    expect_gradient_of("{\"dtype\":\"f64\",\"features\":4,\"flow\":" BATCH_NORM
                       ",\"base\":{\"type\":\"normal\",\"options\":{\"trainable\":true}}}");
}

Test(batch_coupled, gradient_with_context_weights_and_chosen_rows)
{
    weir_runtime *const rt = open_weir(2);
    const weir_matrix x = some_data(200, 4, 1), c = some_data(200, 3, 2);
    weir_call call = {.struct_size = (uint32_t)sizeof call, .context = &c};
    weir_model *const m = ready(rt, MODEL("f64", 4, 3, COUPLED), &x, &call);
    weir_trainer *const t = must_train(m, NULL);
    double weights[200];
    int64_t rows[ROWS];
    for (int i = 0; i < 200; i++) weights[i] = i % 7;
    for (int i = 0; i < ROWS; i++) rows[i] = (i * 13) % 200;
    weir_step step = data_step(&x);
    step.context = &c;
    step.weights = weights;
    step.rows = rows;
    step.row_count = ROWS;
    expect_trainer_gradient(m, t, &step);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

typedef struct gradient {
    weir_step_result result;
    double *values;
    int64_t count;
} gradient;

static gradient gradient_of(weir_model *m, weir_trainer *t, const weir_step *step)
{
    gradient g = {.result = no_result(), .count = weir_model_get(m, WEIR_MODEL_PARAMETERS)};
    g.values = keep(malloc((size_t)g.count * sizeof(double)));
    MUST(weir_trainer_gradient(t, step, &g.result, g.values, g.count, &error));
    return g;
}

static void expect_same(const gradient *a, const gradient *b, double tolerance)
{
    double largest = 0;
    cr_assert(fabs(a->result.loss - b->result.loss) < tolerance, "loss %.17g, then %.17g", a->result.loss,
              b->result.loss);
    for (int64_t i = 0; i < a->count; i++) {
        largest = fmax(largest, fabs(a->values[i]));
        cr_assert(fabs(a->values[i] - b->values[i]) < tolerance, "%ld: %.15g, then %.15g", (long)i,
                  a->values[i], b->values[i]);
    }
    cr_assert(largest > 1e-2, "all gradients are 0");
}

/* The same 40 rows once, three and five times over: tiles of 40, of 64 and 56, of 56 and a last 32 rows, and the same means. */
Test(batch_coupled, tilings_agree)
{
    weir_runtime *const rt = open_weir(2);
    const weir_matrix x = some_data(40, 4, 1);
    weir_model *const m = ready(rt, MODEL("f64", 4, 0, COUPLED), &x, NULL);
    weir_trainer *const t = must_train(m, NULL);
    static const int64_t times[3] = {1, 3, 5}, tiles[3] = {40, 64, 56};
    int64_t rows[200];
    gradient g[3];
    weir_step step = data_step(&x);
    for (int i = 0; i < 200; i++) rows[i] = i % 40;
    step.rows = rows;
    for (int k = 0; k < 3; k++) {
        step.row_count = 40 * times[k];
        g[k] = gradient_of(m, t, &step);
        cr_assert_eq(weir_model_get(m, WEIR_MODEL_TILE), tiles[k]);
        if (k) expect_same(&g[0], &g[k], 1e-10);
    }
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

/* The noise of a stochastic layer is a row's own: in another order, and in the pass after a bad row left, it is the same. */
Test(batch_coupled, noise_belongs_to_the_row)
{
    weir_runtime *const rt = open_weir(2);
    const weir_matrix x = some_data(ROWS, 4, 1);
    double *const data = x.data;
    for (int i = 0; i < ROWS * 4; i++) data[i] = floor(fmin(fmax(20 * data[i] + 100, 0), 255));
    weir_model *const m = ready(rt, MODEL("f64", 4, 0, "{\"type\":\"dequantize\"}," COUPLED), &x, NULL);
    weir_trainer *const t = must_train(m, NULL);
    int64_t rows[ROWS - 1];
    weir_step step = data_step(&x);
    step.rows = rows;
    step.row_count = ROWS - 1;
    for (int i = 0; i < ROWS - 1; i++) rows[i] = i + 1;
    const gradient clean = gradient_of(m, t, &step);
    for (int i = 0; i < ROWS - 1; i++) rows[i] = ROWS - 1 - i;
    const gradient turned = gradient_of(m, t, &step);
    expect_same(&clean, &turned, 1e-10);
    data[0] = NAN;
    const weir_step all = data_step(&x);
    const gradient dirty = gradient_of(m, t, &all);
    cr_assert_eq(dirty.result.discarded, 1);
    expect_same(&clean, &dirty, 1e-10);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

Test(batch_coupled, recompute_gives_the_same_gradient)
{
    weir_runtime *const rt = open_weir(2);
    const weir_matrix x = some_data(ROWS, 4, 1);
    weir_model *const m = ready(rt, MODEL("f64", 4, 0, COUPLED "," MAF("affine") "," REVERSE), &x, NULL);
    weir_trainer *const t = must_train(m, NULL);
    const weir_step step = data_step(&x);
    const gradient taped = gradient_of(m, t, &step);
    MUST(weir_model_set_recompute(m, 1, &error));
    const gradient rebuilt = gradient_of(m, t, &step);
    expect_same(&taped, &rebuilt, 1e-10);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

/* ---- bits ---------------------------------------------------------------------------------------------------------------- */

/* Of everything that a model saves. */
static uint64_t bits_of(const weir_model *m)
{
    uint64_t all = 0;
    for (int64_t t = 0; t < weir_model_get(m, WEIR_MODEL_TENSORS); t++) {
        weir_tensor_info info = {.struct_size = (uint32_t)sizeof info};
        MUST(weir_tensor_at(m, t, &info, &error));
        double *const v = malloc((size_t)(info.count + 1) * sizeof *v);
        MUST(weir_tensor_read(m, t, v, info.count, &error));
        all = all * UINT64_C(1099511628211) + hash_of(v, info.count);
        free(v);
    }
    return all;
}

static void take_steps(weir_trainer *t, const weir_matrix *x, int count)
{
    const weir_step step = data_step(x);
    for (int i = 0; i < count; i++) {
        weir_step_result r = no_result();
        MUST(weir_trainer_step(t, &step, &r, &error));
        cr_assert_eq(r.applied, 1, "%s", r.message);
    }
}

static uint64_t trained(int32_t threads)
{
    weir_runtime *const rt = open_weir(threads);
    const weir_matrix x = some_data(1000, 4, 1);
    weir_model *const m = ready(rt, MODEL("f32", 4, 0, COUPLED), &x, NULL);
    weir_trainer *const t = must_train(m, "{\"clip\":5}");
    take_steps(t, &x, 12);
    const uint64_t bits = bits_of(m);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
    return bits;
}

Test(batch_coupled, bits_do_not_depend_on_threads)
{
    const uint64_t one = trained(1);
    for (int32_t threads = 2; threads <= 5; threads++)
        cr_assert_eq(trained(threads), one, "%d threads", threads);
}

Test(batch_coupled, resumed_steps_have_the_same_bits)
{
    weir_runtime *const rt = open_weir(2);
    const weir_matrix x = some_data(ROWS, 4, 1);
    weir_model *const whole = ready(rt, MODEL("f32", 4, 0, COUPLED), &x, NULL);
    weir_model *const rest = must_build(rt, MODEL("f32", 4, 0, COUPLED));
    weir_trainer *const t = must_train(whole, NULL), *const u = must_train(rest, NULL);
    take_steps(t, &x, 4);
    MUST(weir_trainer_save(t, in_root("c"), NULL, &error));
    take_steps(t, &x, 5);
    MUST(weir_trainer_resume(u, in_root("c"), NULL, &error));
    cr_assert_neq(bits_of(rest), bits_of(whole));
    take_steps(u, &x, 5);
    cr_assert_eq(bits_of(rest), bits_of(whole));
    weir_trainer_close(t);
    weir_trainer_close(u);
    weir_model_close(whole);
    weir_model_close(rest);
    weir_close(rt);
}

/* ---- f64 within f32 --------------------------------------------------------------------------------------------------------- */

#define WIDE_NORM "{\"type\":\"test.wide_batch_norm\"}"
#define OVER(norm)                                                                                           \
    COUPLING("half", "affine")                                                                               \
    "," norm "," COUPLING("even", "affine") "," norm "," COUPLING("odd", "affine")

static weir_runtime *open_with_wide(int32_t threads)
{
    weir_runtime *rt = NULL;
    put_fixture("wide", "plugins/wide.so");
    const weir_settings settings = {
        .struct_size = (uint32_t)sizeof settings, .threads = threads, .plugin_path = box.plugins};
    MUST(weir_open(&settings, &rt, &error));
    return rt;
}

Test(batch_coupled, a_layer_of_the_other_precision_has_the_same_gradient)
{
    weir_runtime *const rt = open_with_wide(2);
    const weir_matrix x = some_data(ROWS, 4, 1);
    weir_model *const mixed = ready(rt, MODEL("f32", 4, 0, OVER(WIDE_NORM)), &x, NULL);
    weir_model *const narrow = ready(rt, MODEL("f32", 4, 0, OVER(BATCH_NORM)), &x, NULL);
    weir_model *const broad = ready(rt, MODEL("f64", 4, 0, OVER(BATCH_NORM)), &x, NULL);
    const weir_step step = data_step(&x);
    weir_model *const models[3] = {mixed, narrow, broad};
    gradient g[3];
    for (int k = 0; k < 3; k++) {
        weir_trainer *const t = must_train(models[k], NULL);
        double *const p = parameters(mixed);
        set_parameters(models[k], p);
        free(p);
        g[k] = gradient_of(models[k], t, &step);
        weir_trainer_close(t);
    }
    expect_same(&g[0], &g[2], 2e-5);
    expect_same(&g[1], &g[2], 2e-5);
    for (int k = 0; k < 3; k++) weir_model_close(models[k]);
    weir_close(rt);
}

Test(batch_coupled, a_layer_of_the_other_precision_resumes_to_the_bit)
{
    weir_runtime *const rt = open_with_wide(3);
    const weir_matrix x = some_data(ROWS, 4, 1);
    weir_model *const whole = ready(rt, MODEL("f32", 4, 0, OVER(WIDE_NORM)), &x, NULL);
    weir_model *const rest = must_build(rt, MODEL("f32", 4, 0, OVER(WIDE_NORM)));
    weir_trainer *const t = must_train(whole, NULL), *const u = must_train(rest, NULL);
    const weir_step step = data_step(&x);
    take_steps(t, &x, 3);
    MUST(weir_trainer_save(t, in_root("c"), NULL, &error));
    MUST(weir_trainer_resume(u, in_root("c"), NULL, &error));
    gradient_of(rest, u, &step); /* which leaves no trace */
    take_steps(t, &x, 3);
    take_steps(u, &x, 3);
    cr_assert_eq(bits_of(rest), bits_of(whole));
    weir_trainer_close(t);
    weir_trainer_close(u);
    weir_model_close(whole);
    weir_model_close(rest);
    weir_close(rt);
}

/* ---- running averages ------------------------------------------------------------------------------------------------------- */

static void read_tensor(const weir_model *m, const char *name, double *values, int64_t count)
{
    const int64_t t = weir_tensor_find(m, name);
    cr_assert_geq(t, 0, "no %s", name);
    MUST(weir_tensor_read(m, t, values, count, &error));
}

static void moments_of(const weir_matrix *x, int column, double *mean, double *variance)
{
    const double *const data = x->data;
    *mean = *variance = 0;
    for (int64_t i = 0; i < x->rows; i++) *mean += data[i * x->columns + column] / (double)x->rows;
    for (int64_t i = 0; i < x->rows; i++) {
        const double d = data[i * x->columns + column] - *mean;
        *variance += d * d / (double)x->rows;
    }
}

Test(batch_coupled, a_step_has_the_loss_of_its_batch_and_moves_the_running_averages)
{
    weir_runtime *const rt = open_weir(2);
    weir_model *const m =
        must_build(rt, MODEL("f64", 2, 0, "{\"type\":\"batch_norm\",\"options\":{\"momentum\":0.25}}"));
    const weir_matrix x = some_data(ROWS, 2, 1);
    weir_trainer *const t = must_train(m, NULL);
    weir_step step = data_step(&x);
    step.learning_rate = 0;
    weir_step_result r = no_result();
    MUST(weir_trainer_step(t, &step, &r, &error));
    double means[2], variances[2], loss = log(6.283185307179586);
    read_tensor(m, "flow.1.running_mean", means, 2);
    read_tensor(m, "flow.1.running_variance", variances, 2);
    for (int j = 0; j < 2; j++) {
        double mean, variance;
        moments_of(&x, j, &mean, &variance);
        cr_assert(fabs(means[j] - 0.25 * mean) < 1e-12, "%g", means[j]);
        cr_assert(fabs(variances[j] - (0.75 + 0.25 * variance)) < 1e-12, "%g", variances[j]);
        /* mean of z^2 / 2 is v / (2 (v + eps)) */
        loss += variance / (2 * (variance + 1e-5)) + log(variance + 1e-5) / 2;
    }
    cr_assert(fabs(r.loss - loss) < 1e-12, "%.17g, not %.17g", r.loss, loss);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

Test(batch_coupled, evaluation_does_not_depend_on_the_batch)
{
    weir_runtime *const rt = open_weir(2);
    const weir_matrix x = some_data(ROWS, 4, 1);
    weir_model *const m = ready(rt, MODEL("f64", 4, 0, COUPLED), &x, NULL);
    weir_trainer *const t = must_train(m, NULL);
    take_steps(t, &x, 3);
    double all[ROWS], one;
    for (int32_t mode = 0; mode < 2; mode++) {
        weir_call call = {.struct_size = (uint32_t)sizeof call, .mode = mode};
        MUST(weir_log_prob(m, &x, &call, all, &error));
        for (int64_t i = 0; i < ROWS; i += 31) {
            weir_matrix row = x;
            row.rows = 1;
            row.data = (double *)x.data + i * 4;
            MUST(weir_log_prob(m, &row, &call, &one, &error));
            cr_assert(fabs(one - all[i]) < 1e-12 * (1 + fabs(one)), "%.17g, not %.17g", one, all[i]);
        }
    }
    /* And there is a way back, by the same averages. */
    const weir_matrix z = room(ROWS, 4), back = room(ROWS, 4);
    MUST(weir_forward(m, &x, NULL, &z, NULL, &error));
    MUST(weir_inverse(m, &z, NULL, &back, NULL, &error));
    for (int i = 0; i < ROWS * 4; i++)
        cr_assert(fabs(((double *)back.data)[i] - ((double *)x.data)[i]) < 1e-8);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

Test(batch_coupled, only_a_step_that_is_taken_leaves_a_trace)
{
    weir_runtime *const rt = open_weir(2);
    const weir_matrix x = some_data(ROWS, 4, 1);
    weir_model *const m = ready(rt, MODEL("f32", 4, 0, COUPLED), &x, NULL);
    weir_trainer *const t = must_train(m, NULL);
    const weir_step step = data_step(&x);
    weir_step_result r = no_result();
    const uint64_t before = bits_of(m);
    gradient_of(m, t, &step);
    cr_assert_eq(bits_of(m), before, "a gradient alone");
    double *const data = x.data, kept = data[0];
    for (int i = 0; i < ROWS * 4; i++) data[i] = NAN;
    MUST(weir_trainer_step(t, &step, &r, &error));
    cr_assert_eq(r.applied, 0);
    cr_assert_eq(r.discarded, ROWS);
    cr_assert_eq(bits_of(m), before, "a step without rows");
    const weir_matrix fresh = some_data(ROWS, 4, 1);
    memcpy(data, fresh.data, ROWS * 4 * sizeof *data);
    cr_assert_eq(data[0], kept);
    MUST(weir_trainer_step(t, &step, &r, &error));
    cr_assert_neq(bits_of(m), before);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

Test(batch_coupled, a_batch_of_one_row)
{
    weir_runtime *const rt = open_weir(2);
    weir_model *const m = must_build(rt, MODEL("f64", 2, 0, BATCH_NORM));
    const weir_matrix x = some_data(1, 2, 1);
    weir_trainer *const t = must_train(m, NULL);
    weir_step step = data_step(&x);
    step.learning_rate = 0;
    weir_step_result r = no_result();
    MUST(weir_trainer_step(t, &step, &r, &error));
    /* z = 0, twice, and log-det -log(eps) / 2, twice */
    cr_assert(fabs(r.loss - (log(6.283185307179586) + log(1e-5))) < 1e-12, "%.17g", r.loss);
    double mean[2], variance[2];
    read_tensor(m, "flow.1.running_mean", mean, 2);
    read_tensor(m, "flow.1.running_variance", variance, 2);
    for (int j = 0; j < 2; j++) {
        cr_assert(fabs(mean[j] - 0.1 * ((double *)x.data)[j]) < 1e-15);
        cr_assert_eq(variance[j], 1);
    }
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

/* ---- initialisation ----------------------------------------------------------------------------------------------------------- */

static void expect_normalised(const char *layers)
{
    weir_runtime *const rt = open_weir(2);
    weir_model *const m = must_build(rt, layers);
    const weir_matrix x = some_data(ROWS, 4, 1), z = room(ROWS, 4);
    MUST(weir_model_initialize(m, &x, NULL, 0, &error));
    MUST(weir_forward(m, &x, NULL, &z, NULL, &error));
    for (int j = 0; j < 4; j++) {
        double mean, variance;
        moments_of(&z, j, &mean, &variance);
        cr_assert(fabs(mean) < 1e-10 && fabs(variance - 1) < 1e-4, "%d: mean %g, variance %g", j, mean,
                  variance);
    }
    weir_model_close(m);
    weir_close(rt);
}

Test(batch_coupled, layers_are_initialised_in_their_order)
{
    expect_normalised(MODEL("f64", 4, 0, "{\"type\":\"scale\",\"options\":{\"start\":[3]}}," BATCH_NORM));
    expect_normalised(
        MODEL("f64", 4, 0, BATCH_NORM ",{\"type\":\"shift\",\"options\":{\"start\":[5]}}," ACTNORM));
    expect_normalised(MODEL("f64", 4, 0, ACTNORM "," REVERSE "," BATCH_NORM));
}

/* A layer that stands the other way round learns what makes its inverse normalise. */
Test(batch_coupled, inverted_layers_are_initialised_the_other_way)
{
    expect_normalised(MODEL("f64", 4, 0, "{\"type\":\"inverse\",\"children\":{\"layer\":" ACTNORM "}}"));
    expect_normalised(
        MODEL("f64", 4, 0, "{\"type\":\"inverse\",\"children\":{\"layer\":{\"type\":\"standardize\"}}}"));
    expect_normalised(MODEL("f64", 4, 0, "{\"type\":\"inverse\",\"children\":{\"layer\":" BATCH_NORM "}}"));
}

/* ---- bad rows ------------------------------------------------------------------------------------------------------------- */

Test(batch_coupled, a_bad_row_is_as_one_that_was_never_there)
{
    weir_runtime *const rt = open_weir(2);
    const weir_matrix x = some_data(ROWS, 4, 1);
    double *const data = x.data;
    weir_model *const m = ready(rt, MODEL("f64", 4, 0, COUPLED), &x, NULL);
    weir_trainer *const t = must_train(m, NULL);
    int64_t rows[ROWS];
    int64_t count = 0;
    for (int64_t i = 0; i < ROWS; i++)
        if (i != 5 && i != 70 && i < 128) rows[count++] = i;
    weir_step without = data_step(&x), with = data_step(&x);
    without.rows = rows;
    without.row_count = count;
    const gradient clean = gradient_of(m, t, &without);
    cr_assert_eq(clean.result.discarded, 0);
    data[5 * 4 + 1] = NAN;
    data[70 * 4] = INFINITY;
    for (int64_t i = 128; i < ROWS; i++) data[i * 4 + 3] = -INFINITY; /* the whole last tile */
    const gradient dirty = gradient_of(m, t, &with);
    cr_assert_eq(dirty.result.discarded, ROWS - count);
    cr_assert_eq(dirty.result.rows, count);
    cr_assert(strstr(dirty.result.message, "row 6"), "%s", dirty.result.message);
    expect_same(&clean, &dirty, 1e-12);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

/* The identity, but for points above 2.03, whose exponential leaves the numbers. */
#define MOVE(name, by) "{\"type\":\"" name "\",\"options\":{\"start\":[" by "]}}"
#define EXP            "{\"type\":\"elementwise\",\"children\":{\"univariate\":{\"type\":\"exp\"}}}"
#define NARROW                                                                                               \
    MOVE("scale", "300")                                                                                     \
    "," MOVE("shift", "100") "," EXP ",{\"type\":\"inverse\",\"children\":{\"layer\":" EXP                   \
                             "}}," MOVE("shift", "-100") "," MOVE("scale", "0.003333333333333333")

/* What one batch comes to, by hand: rows that are lost behind the normalisation leave, and move the statistics, until all
 * that are left stay. */
typedef struct survivors {
    int left[ROWS], count, rounds;
    double mean, variance, loss;
} survivors;

static survivors survivors_of(const weir_model *rest, const weir_matrix *x)
{
    survivors r = {.count = ROWS};
    const double *const data = x->data;
    for (int i = 0; i < ROWS; i++) r.left[i] = 1;
    for (int lost = 1; lost; r.rounds++) {
        const weir_matrix z = room(ROWS, 1);
        double log_p[ROWS];
        r.mean = r.variance = r.loss = 0;
        for (int i = 0; i < ROWS; i++) r.mean += r.left[i] * data[i] / r.count;
        for (int i = 0; i < ROWS; i++)
            r.variance += r.left[i] * (data[i] - r.mean) * (data[i] - r.mean) / r.count;
        for (int i = 0; i < ROWS; i++) ((double *)z.data)[i] = (data[i] - r.mean) / sqrt(r.variance + 1e-5);
        MUST(weir_log_prob(rest, &z, NULL, log_p, &error));
        lost = 0;
        for (int i = 0; i < ROWS; i++) {
            if (r.left[i] && isfinite(log_p[i])) r.loss -= log_p[i] / r.count;
            if (!r.left[i] || isfinite(log_p[i])) continue;
            r.left[i] = 0;
            lost++;
        }
        r.count -= lost;
    }
    r.loss += log(r.variance + 1e-5) / 2;
    return r;
}

Test(batch_coupled, rows_that_turn_bad_behind_the_layer_do_not_count)
{
    weir_runtime *const rt = open_weir(2);
    weir_model *const m = must_build(rt, MODEL("f64", 1, 0, BARE_NORM "," NARROW));
    weir_model *const rest = must_build(rt, MODEL("f64", 1, 0, NARROW));
    const weir_matrix x = some_data(ROWS, 1, 3);
    const survivors wanted = survivors_of(rest, &x);
    cr_assert(wanted.rounds > 2 && wanted.count < ROWS && wanted.count > ROWS / 2, "%d rounds, %d left",
              wanted.rounds, wanted.count);
    weir_trainer *const t = must_train(m, NULL);
    const weir_step step = data_step(&x);
    weir_step_result r = no_result();
    double running;
    MUST(weir_trainer_step(t, &step, &r, &error));
    cr_assert_eq(r.applied, 1, "%s", r.message);
    cr_assert_eq(r.rows, wanted.count, "%ld rows, not %d", (long)r.rows, wanted.count);
    cr_assert_eq(r.discarded, ROWS - wanted.count);
    cr_assert(fabs(r.loss - wanted.loss) < 1e-12, "%.17g, not %.17g", r.loss, wanted.loss);
    read_tensor(m, "flow.1.running_mean", &running, 1);
    cr_assert(fabs(running - 0.1 * wanted.mean) < 1e-13, "moved %g, not %g", running, 0.1 * wanted.mean);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_model_close(rest);
    weir_close(rt);
}

/* ---- reverse KL, refusals ---------------------------------------------------------------------------------- */

static int32_t bowl(void *user, int64_t rows, int64_t columns, const double *x, double *log_p, double *slope)
{
    (void)user;
    for (int64_t i = 0; i < rows; i++) {
        log_p[i] = 0;
        for (int64_t j = 0; j < columns; j++) {
            log_p[i] -= x[i * columns + j] * x[i * columns + j];
            slope[i * columns + j] = -2 * x[i * columns + j];
        }
    }
    return 0;
}

Test(batch_coupled, reverse_kl_takes_the_running_averages_as_constants)
{
    weir_runtime *const rt = open_weir(2);
    const weir_matrix x = some_data(ROWS, 4, 1);
    weir_model *const m = ready(rt, MODEL("f64", 4, 0, COUPLED), &x, NULL);
    weir_trainer *const t = must_train(m, NULL);
    weir_step step = {
        .struct_size = (uint32_t)sizeof step, .learning_rate = 1e-3, .samples = ROWS, .target = bowl};
    expect_trainer_gradient(m, t, &step);
    double before[4], after[4];
    weir_step_result r = no_result();
    read_tensor(m, "flow.2.running_variance", before, 4);
    MUST(weir_trainer_step(t, &step, &r, &error));
    cr_assert_eq(r.applied, 1);
    read_tensor(m, "flow.2.running_variance", after, 4);
    cr_assert_arr_eq(before, after, sizeof before);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

static void expect_refused(const char *json, const char *place)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(rt, json);
    weir_trainer *t = NULL;
    cr_assert_eq(weir_trainer_create(m, NULL, &t, &error), WEIR_UNSUPPORTED);
    cr_assert(strstr(error.message, place) && strstr(error.message, "batch-coupled"), "%s", error.message);
    cr_assert_not(strchr(error.message, '\n'));
    weir_model_close(m);
    weir_close(rt);
}

Test(batch_coupled, other_places_are_refused_by_name)
{
    expect_refused(
        MODEL("f64", 4, 0, REVERSE ",{\"type\":\"inverse\",\"children\":{\"layer\":" BATCH_NORM "}}"),
        "flow.2.layer (batch_norm)");
    expect_refused(MODEL("f64", 4, 0,
                         BATCH_NORM
                         ",{\"type\":\"slice\",\"options\":{\"first\":2,\"count\":2},\"children\":{"
                         "\"layer\":" CHAIN(BATCH_NORM) "}}"),
                   "flow.2.layer.1 (batch_norm)");
}
