/* test_space_models.c - flows with layers that change the number of features: chains are checked where spaces meet, train,
 * sample, score, recompute and go to a file and back like any other.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sandbox.h"

#include "spaces.h"

TestSuite(space_models, .init = sandbox_open, .fini = sandbox_close);

#define MIX          COUPLING("even", "affine") "," COUPLING("odd", "affine")
#define SIMPLEX_FLOW SPACE(4, LAYER("stick_breaking") "," MIX)
#define SLICE(first, count, layer)                                                                           \
    "{\"type\":\"slice\",\"options\":{\"first\":" first ",\"count\":" count                                  \
    "},\"children\":{\"layer\":" layer "}}"
#define INVERSE(features, layer)                                                                             \
    "{\"type\":\"inverse\",\"options\":{\"features\":" features "},\"children\":{\"layer\":" layer "}}"

/* Parts in uneven shares, bent away from any Dirichlet law; on an edge of the simplex by design never. */
static weir_matrix some_parts(int64_t rows, uint64_t seed)
{
    const weir_matrix x = room(rows, 4);
    double *const at = x.data;
    for (int64_t i = 0; i < rows; i++) {
        const double a = normal_draw(&seed), b = 0.3 * normal_draw(&seed) + a * a / 3;
        const double logs[4] = {a, b, 0.5 * a - 1, 0.4 * normal_draw(&seed)};
        double sum = 0;
        for (int k = 0; k < 4; k++) sum += exp(logs[k]);
        for (int k = 0; k < 4; k++) at[4 * i + k] = exp(logs[k]) / sum;
    }
    return x;
}

static double fit(weir_model *m, const weir_matrix *x, int steps)
{
    weir_trainer *const t = must_train(m, NULL);
    weir_step step = data_step(x);
    weir_step_result r = no_result();
    step.learning_rate = 1e-2;
    for (int i = 0; i < steps; i++) {
        MUST(weir_trainer_step(t, &step, &r, &error));
        cr_assert_eq(r.applied, 1, "%s", r.message);
        cr_assert_eq(r.discarded, 0);
    }
    weir_trainer_close(t);
    return r.loss;
}

static void expect_on_simplex(const weir_matrix *x, double tolerance)
{
    const double *const at = x->data;
    for (int64_t i = 0; i < x->rows; i++) {
        double sum = 0;
        for (int64_t k = 0; k < x->columns; k++) {
            cr_assert_geq(at[i * x->columns + k], 0);
            sum += at[i * x->columns + k];
        }
        cr_assert(fabs(sum - 1) <= tolerance, "row %d adds up to %.17g", (int)i, sum);
    }
}

static double mean_of(const weir_matrix *x, int64_t column)
{
    double sum = 0;
    for (int64_t i = 0; i < x->rows; i++) sum += ((const double *)x->data)[i * x->columns + column];
    return sum / (double)x->rows;
}

Test(space_models, a_flow_on_a_simplex_trains_and_samples_there)
{
    weir_runtime *const rt = open_weir(2);
    weir_model *const m = must_build(rt, SIMPLEX_FLOW);
    cr_assert_eq(weir_model_get(m, WEIR_MODEL_FEATURES), 4);
    cr_assert_eq(weir_model_get(m, WEIR_MODEL_LATENT), 3);
    const weir_matrix x = some_parts(512, 3), test = some_parts(512, 4), samples = room(4000, 4);
    weir_call call = seeded(1, NULL);
    const double before = -mean_log_prob(m, &test, &call);
    fit(m, &x, 300);
    const double after = -mean_log_prob(m, &test, &call);
    cr_assert_lt(after, before - 0.5, "%g nats before, %g after", before, after);
    double *const log_q = malloc(4000 * sizeof *log_q), *const log_p = malloc(4000 * sizeof *log_p);
    call = seeded(7, NULL);
    MUST(weir_sample(m, &call, &samples, log_q, &error));
    cr_assert_eq(call.discarded, 0);
    expect_on_simplex(&samples, 1e-14);
    for (int64_t k = 0; k < 4; k++)
        cr_assert(fabs(mean_of(&samples, k) - mean_of(&x, k)) < 0.03, "part %d: %g of %g", (int)k,
                  mean_of(&samples, k), mean_of(&x, k));
    MUST(weir_log_prob(m, &samples, NULL, log_p, &error));
    for (int i = 0; i < 4000; i++) cr_assert_float_eq(log_p[i], log_q[i], 1e-8 * (1 + fabs(log_q[i])));
    free(log_q);
    free(log_p);
    weir_model_close(m);
    weir_close(rt);
}

/* In f32, where parts add up to 1 only to 1e-7, and data arrive rounded. */
Test(space_models, single_precision_too)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(rt, "{\"features\":4,\"seed\":5,\"flow\":" CHAIN(
                                             LAYER("stick_breaking") "," MIX) ",\"base\":"
                                                                              "{\"type\":\"normal\"}}");
    const weir_matrix x = some_parts(256, 3), samples = room(1000, 4);
    weir_call call = seeded(7, NULL);
    fit(m, &x, 50);
    MUST(weir_sample(m, &call, &samples, NULL, &error));
    cr_assert_eq(call.discarded, 0);
    expect_on_simplex(&samples, 1e-6);
    MUST(weir_log_prob(m, &samples, &call, room(1000, 1).data, &error));
    cr_assert_eq(call.discarded, 0);
    weir_model_close(m);
    weir_close(rt);
}

/* The log-density of a Dirichlet(3, 2, 2, 4) law but for its constant, and its gradient by all four parts. */
static int32_t dirichlet(void *user, int64_t rows, int64_t columns, const double *x, double *log_p,
                         double *gradient)
{
    static const double alpha[4] = {3, 2, 2, 4};
    (void)user;
    for (int64_t i = 0; i < rows; i++) {
        log_p[i] = 0;
        for (int64_t k = 0; k < columns; k++) {
            log_p[i] += (alpha[k] - 1) * log(x[i * columns + k]);
            gradient[i * columns + k] = (alpha[k] - 1) / x[i * columns + k];
        }
    }
    return 0;
}

/* The least reverse KL is minus the logarithm of the constant, which is known. */
Test(space_models, reverse_kl_on_a_simplex_finds_the_constant)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(rt, SIMPLEX_FLOW);
    weir_trainer *const t = must_train(m, NULL);
    weir_step step = {
        .struct_size = (uint32_t)sizeof step, .learning_rate = 5e-3, .samples = 512, .target = dirichlet};
    weir_step_result r = no_result();
    double mean = 0;
    for (int i = 0; i < 500; i++) {
        step.epoch = (uint64_t)i;
        MUST(weir_trainer_step(t, &step, &r, &error));
        cr_assert_eq(r.applied, 1, "%s", r.message);
        if (i >= 400) mean += r.loss / 100;
    }
    const double constant = lgamma(3) + lgamma(2) + lgamma(2) + lgamma(4) - lgamma(11);
    cr_assert(fabs(mean + constant) < 0.05, "loss %g, the least is %g", mean, -constant);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

/* Recompute mode rebuilds the input of the coupling, which is narrower than the data, and the data's own lanes. */
static void expect_same_gradients(const char *json, const weir_matrix *x)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(rt, json);
    shake(m, 0.2);
    const int64_t count = weir_model_get(m, WEIR_MODEL_PARAMETERS);
    double *const taped = calloc((size_t)count + 1, sizeof *taped), *const rebuilt = calloc((size_t)count + 1,
                                                                                            sizeof *rebuilt);
    const weir_step step = data_step(x);
    weir_step_result r = no_result();
    for (int32_t recompute = 0; recompute < 2; recompute++) {
        MUST(weir_model_set_recompute(m, recompute, &error));
        weir_trainer *const t = must_train(m, NULL);
        MUST(weir_trainer_gradient(t, &step, &r, recompute ? rebuilt : taped, count, &error));
        weir_trainer_close(t);
    }
    double size = 0;
    for (int64_t i = 0; i < count; i++) {
        cr_assert_float_eq(rebuilt[i], taped[i], 1e-9 * (1 + fabs(taped[i])));
        size += fabs(taped[i]);
    }
    cr_assert_gt(size, 0.01);
    free(taped);
    free(rebuilt);
    weir_model_close(m);
    weir_close(rt);
}

Test(space_models, recomputed_gradients_are_the_same)
{
    const weir_matrix x = some_parts(100, 5), free_numbers = some_data(100, 4, 6);
    expect_same_gradients(SIMPLEX_FLOW, &x);
    expect_same_gradients(
        SPACE(4, MIX "," INVERSE("5", LAYER("stick_breaking")) "," LAYER("stick_breaking") "," MIX),
        &free_numbers);
}

/* The score of log p along the simplex: 0 for the dependent part, the others by differences. */
Test(space_models, the_score_is_along_the_simplex)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(rt, SIMPLEX_FLOW);
    shake(m, 0.3);
    const weir_matrix x = some_parts(5, 8), score = room(5, 4), moved = room(5, 4);
    double p[2][5];
    MUST(weir_score(m, &x, NULL, &score, NULL, &error));
    for (int k = 0; k < 4; k++) {
        for (int side = 0; side < 2 && k < 3; side++) {
            memcpy(moved.data, x.data, 20 * sizeof(double));
            for (int i = 0; i < 5; i++) {
                ((double *)moved.data)[4 * i + k] += side ? 1e-6 : -1e-6;
                ((double *)moved.data)[4 * i + 3] -= side ? 1e-6 : -1e-6;
            }
            MUST(weir_log_prob(m, &moved, NULL, p[side], &error));
        }
        for (int i = 0; i < 5; i++) {
            const double is = ((const double *)score.data)[4 * i + k],
                         wanted = k < 3 ? (p[1][i] - p[0][i]) / 2e-6 : 0;
            cr_assert(fabs(is - wanted) <= 1e-5 * fabs(wanted), "%g instead of %g", is, wanted);
        }
    }
    weir_model_close(m);
    weir_close(rt);
}

Test(space_models, a_file_gives_the_same_model_back)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(rt, SIMPLEX_FLOW), *again = NULL;
    const weir_matrix x = some_parts(50, 9);
    double p[2][50];
    shake(m, 0.3);
    MUST(weir_model_save(m, in_root("simplex.safetensors"), &error));
    MUST(weir_model_load(rt, in_root("simplex.safetensors"), &again, &error));
    cr_assert_eq(weir_model_get(again, WEIR_MODEL_LATENT), 3);
    MUST(weir_log_prob(m, &x, NULL, p[0], &error));
    MUST(weir_log_prob(again, &x, NULL, p[1], &error));
    cr_assert_eq(hash_of(p[0], 50), hash_of(p[1], 50));
    weir_model_close(m);
    weir_model_close(again);
    weir_close(rt);
}

/* Lanes 2 to 4 are a simplex, the rest is free: the density is a product, whatever stands beside the slice. */
Test(space_models, a_slice_may_drop_features)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(rt, SPACE(5, SLICE("2", "3", LAYER("stick_breaking"))));
    weir_model *const alone = must_build(rt, SPACE(3, LAYER("stick_breaking")));
    cr_assert_eq(weir_model_get(m, WEIR_MODEL_LATENT), 4);
    const double x[5] = {0.7, 0.2, 0.5, 0.3, -1.1};
    double z[4], part[2], back[5];
    const double l = forward_one(m, x, z);
    cr_assert_float_eq(l, forward_one(alone, x + 1, part), 1e-14);
    cr_assert(z[0] == x[0] && z[1] == part[0] && z[2] == part[1] && z[3] == x[4]);
    cr_assert_float_eq(inverse_one(m, z, back), -l, 1e-13);
    for (int i = 0; i < 5; i++) cr_assert_float_eq(back[i], x[i], 1e-14);
    const weir_matrix samples = room(100, 5);
    weir_call call = seeded(3, NULL);
    MUST(weir_sample(m, &call, &samples, NULL, &error));
    for (int i = 0; i < 100; i++) {
        const double *const row = (const double *)samples.data + 5 * i;
        cr_assert_float_eq(row[1] + row[2] + row[3], 1, 1e-14);
    }
    weir_model_close(m);
    weir_model_close(alone);
    weir_close(rt);
}

/* The other way round: data in R^2, latent points on a simplex, and from there on to R^2 again. */
Test(space_models, an_inverse_may_add_features)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m =
        must_build(rt, SPACE(2, INVERSE("3", LAYER("stick_breaking")) "," LAYER("stick_breaking")));
    const double x[2] = {0.4, -1.3};
    double z[2];
    cr_assert_float_eq(forward_one(m, x, z), 0, 1e-13);
    cr_assert_float_eq(z[0], x[0], 1e-14);
    cr_assert_float_eq(z[1], x[1], 1e-14);
    weir_model_close(m);
    weir_close(rt);
}

/* ---- neighbours ---- */

static void expect_refused(weir_runtime *rt, const char *json, const char *wanted)
{
    weir_model *m = NULL;
    weir_error e = {0};
    cr_assert_eq(weir_model_build(rt, json, -1, &m, &e), WEIR_INVALID, "accepted: %s", json);
    cr_assert(strstr(e.message, wanted), "\"%s\" instead of \"%s\"", e.message, wanted);
    cr_assert_not(strpbrk(e.message, "\n\r\033"), "not one clean line: %s", e.message);
}

Test(space_models, neighbours_that_do_not_fit_are_named)
{
    weir_runtime *const rt = open_weir(1);
    expect_refused(
        rt, SPACE(4, LAYER("stick_breaking") "," LAYER("stick_breaking")),
        "flow.2 (stick_breaking) needs lane 1 in a simplex of 3 lanes, but flow.1 (stick_breaking) gives "
        "the whole line");
    expect_refused(
        rt, SPACE(3, LAYER("standardize") "," LAYER("sphere")),
        "flow.2 (sphere) needs lane 1 in a unit vector of 3 lanes, but flow.1 (standardize) gives");
    expect_refused(rt, SPACE(3, LAYER("lu_linear") "," LAYER("psd_cholesky")),
                   "in a positive definite matrix of 3 lanes");
    expect_refused(rt, SPACE(3, LAYER("lu_linear") "," LAYER("correlation")),
                   "in the Cholesky factor of a correlation matrix of 3 lanes");
    expect_refused(rt, SPACE(2, LAYER("lu_linear") "," LAYER("ordered")),
                   "in an increasing vector of 2 lanes");
    expect_refused(
        rt, SPACE(2, LAYER("positive") "," LAYER("positive")),
        "flow.2 (positive) needs lane 1 in the interval 0 to inf, but flow.1 (positive) gives the whole line");
    expect_refused(
        rt, SPACE(2, INVERSE("3", LAYER("stick_breaking")) "," LAYER("sphere")),
        "flow.2 (sphere) needs lane 1 in a unit vector of 3 lanes, but flow.1 (inverse) gives a simplex of 3 lanes");
    expect_refused(rt,
                   SPACE(2, "{\"type\":\"inverse\",\"children\":{\"layer\":" LAYER("stick_breaking") "}}"),
                   "its layer makes 1 features of 2, and 2 come in: say features = n");
    expect_refused(rt,
                   SPACE(5, SLICE("2", "3", INVERSE("4", LAYER("stick_breaking"))) "," SLICE(
                                "2", "3", LAYER("stick_breaking"))),
                   "gives a simplex of 4 lanes");
    weir_close(rt);
}

Test(space_models, neighbours_that_fit_are_not)
{
    weir_runtime *const rt = open_weir(1);
    weir_model_close(must_build(rt, SPACE(3, LAYER("positive") "," LAYER("lu_linear"))));
    weir_model_close(must_build(rt, SPACE(5, SLICE("2", "3", INVERSE("4", LAYER("stick_breaking"))) "," SLICE(
                                                 "2", "4", LAYER("stick_breaking")) "," MIX)));
    weir_model_close(must_build(
        rt, SPACE(6, SLICE("1", "3", LAYER("sphere")) "," SLICE("3", "3", LAYER("stick_breaking")))));
    weir_close(rt);
}
