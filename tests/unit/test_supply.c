/* test_supply.c - modules that lack calls, see no index or have one precision work in whole models like any other.
 *
 * SPDX-License-Identifier: MIT
 */
#include "supply.h"

TestSuite(supply, .init = open_with_two_threads, .fini = close_all);

/* ---- both directions agree ------------------------------------------------------------------------------------- */

static void expect_round_trip(const weir_model *m, const weir_matrix *x, weir_call *call, double limit)
{
    weir_matrix z = empty(ROWS), back = empty(ROWS);
    double there[ROWS], here[ROWS];
    MUST(weir_forward(m, x, call, &z, there, &error));
    cr_assert_eq(call->discarded, 0);
    MUST(weir_inverse(m, &z, call, &back, here, &error));
    cr_assert_eq(call->discarded, 0);
    for (int i = 0; i < ROWS; i++) here[i] = -here[i];
    const double of_x = difference(back.data, x->data, ROWS * FEATURES), of_l = difference(here, there, ROWS);
    cr_assert(difference(z.data, x->data, ROWS * FEATURES) > 0.01, "the flow moves nothing");
    cr_assert(of_x < limit && of_l < limit, "x off by %g, log-det by %g", of_x, of_l);
    free_all(&z, &back, NULL);
}

static void expect_samples(const weir_model *m, weir_call *call, double limit)
{
    weir_matrix x = empty(ROWS);
    double said[ROWS], found[ROWS];
    MUST(weir_sample(m, call, &x, said, &error));
    MUST(weir_log_prob(m, &x, call, found, &error));
    const double off = difference(found, said, ROWS);
    cr_assert(off < limit, "log p off by %g", off);
    free(x.data);
}

/* ---- gradients --------------------------------------------------------------------------------------------------- */

static double loss_at(weir_model *m, weir_trainer *t, const weir_step *step, const double *p,
                      double *gradient)
{
    weir_step_result r = no_result();
    set_parameters(m, p);
    MUST(weir_trainer_gradient(t, step, &r, gradient, weir_model_get(m, WEIR_MODEL_PARAMETERS), &error));
    cr_assert_eq(r.discarded, 0);
    return r.loss;
}

/* Against central differences along random directions. */
static void expect_gradient(weir_model *m, const weir_step *step, const char *what)
{
    weir_trainer *const t = must_train(m, NULL);
    const int64_t n = weir_model_get(m, WEIR_MODEL_PARAMETERS);
    double *const at = parameters(m), *const g = calloc((size_t)n, sizeof *g);
    double *const d = calloc((size_t)n, sizeof *d), *const near = calloc((size_t)n, sizeof *near);
    double *const unused = calloc((size_t)n, sizeof *unused), h = 1e-5;
    uint64_t state = 5;
    loss_at(m, t, step, at, g);
    for (int round = 0; round < 4; round++) {
        double along = 0, size = 0, change = 0;
        for (int64_t i = 0; i < n; i++) {
            d[i] = 2 * dice(&state) - 1;
            along += g[i] * d[i];
            size += fabs(g[i] * d[i]);
        }
        for (int side = -1; side <= 1; side += 2) {
            for (int64_t i = 0; i < n; i++) near[i] = at[i] + side * h * d[i];
            change += side * loss_at(m, t, step, near, unused);
        }
        cr_assert(size > 1e-3, "%s: no gradient at all", what);
        cr_assert(fabs(change / (2 * h) - along) < 1e-8 * (1 + size), "%s: %.12g, differences %.12g", what,
                  along, change / (2 * h));
    }
    set_parameters(m, at);
    weir_trainer_close(t);
    free(at);
    free(g);
    free(d);
    free(near);
    free(unused);
}

/* Not symmetric, not the base: every parameter has work to do. */
static int32_t target(void *user, int64_t rows, int64_t columns, const double *x, double *log_p,
                      double *gradient)
{
    (void)user;
    for (int64_t i = 0; i < rows; i++) {
        log_p[i] = 0;
        for (int64_t j = 0; j < columns; j++) {
            const double d = x[i * columns + j] - 0.5 * (double)(j + 1);
            const double e = j ? x[i * columns + j] - sin(x[i * columns + j - 1]) : 0;
            log_p[i] -= 0.5 * d * d + 0.5 * e * e;
            gradient[i * columns + j] = -d - e;
            if (j) gradient[i * columns + j - 1] += e * cos(x[i * columns + j - 1]);
        }
    }
    return 0;
}

static weir_step reverse_step(void)
{
    return (weir_step){
        .struct_size = (uint32_t)sizeof(weir_step), .learning_rate = 3e-3, .samples = ROWS, .target = target};
}

static double train(weir_model *m, const weir_step *step, int steps)
{
    weir_trainer *const t = must_train(m, NULL);
    weir_step_result r = no_result();
    double first = 0;
    for (int i = 0; i < steps; i++) {
        MUST(weir_trainer_step(t, step, &r, &error));
        cr_assert(r.applied, "%s", r.message);
        if (i == 0) first = r.loss;
    }
    weir_trainer_close(t);
    return first - r.loss;
}

/* ---- precisions agree ------------------------------------------------------------------------------------------------ */

static void gradient_of(weir_model *m, const weir_step *step, double *g)
{
    weir_trainer *const t = must_train(m, NULL);
    weir_step_result r = no_result();
    MUST(weir_trainer_gradient(t, step, &r, g, weir_model_get(m, WEIR_MODEL_PARAMETERS), &error));
    cr_assert_eq(r.discarded, 0);
    weir_trainer_close(t);
}

/* In units of the longest entry: small ones are sums of many that cancel. */
static void expect_close_gradients(weir_model *single, weir_model *whole, const weir_step *step,
                                   const char *what)
{
    const int64_t n = weir_model_get(whole, WEIR_MODEL_PARAMETERS);
    double *const a = calloc((size_t)n, sizeof *a), *const b = calloc((size_t)n, sizeof *b), longest = 0,
                  worst = 0;
    gradient_of(single, step, a);
    gradient_of(whole, step, b);
    for (int64_t i = 0; i < n; i++) {
        longest = fmax(longest, fabs(b[i]));
        worst = fmax(worst, fabs(a[i] - b[i]));
    }
    cr_assert(longest > 1e-3 && worst < 1e-4 * longest, "%s: gradients off by %g of %g", what, worst,
              longest);
    free(a);
    free(b);
}

static void expect_close_values(const weir_model *single, const weir_model *whole, const weir_matrix *x,
                                weir_call *call)
{
    weir_matrix a = empty(ROWS), b = empty(ROWS);
    double la[ROWS], lb[ROWS];
    MUST(weir_forward(single, x, call, &a, la, &error));
    MUST(weir_forward(whole, x, call, &b, lb, &error));
    double off = fmax(difference(a.data, b.data, ROWS * FEATURES), difference(la, lb, ROWS));
    cr_assert(off < 1e-4, "forward off by %g", off);
    MUST(weir_inverse(single, &b, call, &a, la, &error));
    MUST(weir_inverse(whole, &b, call, &b, lb, &error));
    off = fmax(difference(a.data, b.data, ROWS * FEATURES), difference(la, lb, ROWS));
    cr_assert(off < 1e-4, "inverse off by %g", off);
    MUST(weir_log_prob(single, x, call, la, &error));
    MUST(weir_log_prob(whole, x, call, lb, &error));
    off = difference(la, lb, ROWS);
    cr_assert(off < 1e-4, "log p off by %g", off);
    free_all(&a, &b, NULL);
}

/* ---- all of it ---------------------------------------------------------------------------------------------------- */

typedef struct task {
    weir_matrix x, context;
    weir_call call;
    weir_step forward, reverse;
} task;

static void set_task(task *t, const flow *f)
{
    t->x = some_data(ROWS, FEATURES, 1);
    t->context = some_data(ROWS, f->context ? f->context : 1, 2);
    t->call =
        (weir_call){.struct_size = (uint32_t)sizeof t->call, .context = f->context ? &t->context : NULL};
    t->forward = data_step(&t->x);
    t->forward.learning_rate = 3e-3;
    t->reverse = reverse_step();
    t->forward.context = t->reverse.context = t->call.context;
}

static void clear_task(task *t)
{
    free_all(&t->x, &t->context, NULL);
}

static void expect_double(const flow *f)
{
    task t;
    set_task(&t, f);
    weir_model *const m = make(f, "f64");
    expect_round_trip(m, &t.x, &t.call, 1e-10);
    expect_samples(m, &t.call, 1e-10);
    expect_gradient(m, &t.forward, "forward KL");
    expect_gradient(m, &t.reverse, "reverse KL");
    cr_assert_gt(train(m, &t.forward, 40), 0.1);
    cr_assert_gt(train(m, &t.reverse, 40), 0.1);
    expect_round_trip(m, &t.x, &t.call, 1e-9);
    weir_model_close(m);
    clear_task(&t);
}

static void expect_single(const flow *f)
{
    task t;
    set_task(&t, f);
    weir_model *const single = make(f, "f32"), *const whole = make(f, "f64");
    double *const p = parameters(single);
    set_parameters(whole, p);
    expect_close_values(single, whole, &t.x, &t.call);
    expect_round_trip(single, &t.x, &t.call, 1e-4);
    expect_samples(single, &t.call, 1e-4);
    expect_close_gradients(single, whole, &t.forward, "forward KL");
    expect_close_gradients(single, whole, &t.reverse, "reverse KL");
    cr_assert_gt(train(single, &t.forward, 40), 0.1);
    cr_assert_gt(train(single, &t.reverse, 40), 0.1);
    expect_round_trip(single, &t.x, &t.call, 1e-3);
    free(p);
    weir_model_close(single);
    weir_model_close(whole);
    clear_task(&t);
}

static const flow univariates = {
    COUPLING("half", "test.bare_univariate") "," SHUFFLE "," MAF("test.falling") "," IAF(
        "test.bare_univariate") "," COUPLING("even", "test.falling"),
    NULL, 2};
static const flow layers = {
    LAYER("test.bare_layer") "," COUPLING("odd", "affine") "," INVERTED(LAYER("test.bare_layer")) "," LAYER(
        "test.no_inverse_vjp") "," INVERTED(LAYER("test.no_inverse_vjp")) "," SHUFFLE
                                                                          "," LAYER("test.bare_layer"),
    NULL, 2};
static const flow networks = {
    MAF_OF("autoregressive", "test.falling", BARE_NETWORK, "reverse") "," MAF_OF(
        "autoregressive", "affine", BARE_NETWORK,
        "random") "," INVERTED(MAF_OF("autoregressive", "affine", BARE_NETWORK, "natural")),
    NULL, 2};
/* None of these declares that it can see an index, and all are handed one. */
static const flow indices = {
    GIVEN("[5,1,2]", "test.bare_univariate", BARE_NETWORK) "," GIVEN("[2,4]", "test.falling", MLP) "," MAF_OF(
        "autoregressive", "test.bare_univariate", BARE_NETWORK, "random"),
    NULL, 0};
/* f64 only, each under parents of f32: a layer, a base, a network under an f32 parent, a univariate, and a parent whose
 * children are f32 or f64 again. */
static const flow mixed = {
    LAYER("test.wide_mixing") "," GIVEN("[5,1,2]", "test.wide_bend", MLP) "," MAF_OF(
        "autoregressive", "affine", WIDE_MADE,
        "random") "," INVERTED(MAF_OF("test.wide_maf", "affine", MADE,
                                      "reverse")) "," MAF_OF("test.wide_maf", "test.wide_bend", WIDE_MADE,
                                                             "random") "," LAYER("test.only_f64"),
    "{\"type\":\"test.wide_normal\",\"options\":{\"trainable\":true}}", 2};
static const flow mixed_sweeps = {
    INVERTED(MAF_OF("autoregressive", "test.wide_bend", WIDE_MADE, "natural")) "," SHUFFLE "," MAF_OF(
        "test.wide_maf", "test.falling", BARE_NETWORK, "random"),
    NULL, 0};

Test(supply, univariates_without_an_inverse)
{
    expect_double(&univariates);
    expect_single(&univariates);
}

Test(supply, layers_without_an_inverse_or_its_gradient)
{
    expect_double(&layers);
    expect_single(&layers);
}

Test(supply, autoregressive_networks_without_a_sweep)
{
    expect_double(&networks);
    expect_single(&networks);
}

Test(supply, modules_that_must_not_see_an_index)
{
    expect_double(&indices);
    expect_single(&indices);
}

Test(supply, modules_of_the_other_precision)
{
    expect_double(&mixed);
    expect_single(&mixed);
}

Test(supply, sweeps_in_the_other_precision)
{
    expect_double(&mixed_sweeps);
    expect_single(&mixed_sweeps);
}

/* The other way round: what an f32-only layer computes inside an f64 model is right to f32. */
Test(supply, an_f32_layer_in_an_f64_model)
{
    static const flow narrow = {LAYER("test.only_f32") "," COUPLING("half", "affine"), NULL, 0};
    task t;
    set_task(&t, &narrow);
    weir_model *const m = make(&narrow, "f64");
    expect_round_trip(m, &t.x, &t.call, 1e-5);
    expect_samples(m, &t.call, 1e-4);
    cr_assert_gt(train(m, &t.forward, 40), 0.1);
    cr_assert_gt(train(m, &t.reverse, 40), 0.1);
    weir_model_close(m);
    clear_task(&t);
}

Test(supply, gradients_do_not_depend_on_threads_or_on_the_tape)
{
    static const flow *const flows[] = {&univariates, &layers, &networks, &mixed};
    for (int k = 0; k < 4; k++) {
        uint64_t hash[3];
        for (int threads = 1; threads <= 3; threads++) {
            task t;
            set_task(&t, flows[k]);
            if (runtime) close_all();
            open_all(threads);
            weir_model *const m = make(flows[k], "f32");
            const int64_t n = weir_model_get(m, WEIR_MODEL_PARAMETERS);
            double *const g = calloc((size_t)(2 * n), sizeof *g), *const again =
                                                                      calloc((size_t)n, sizeof *again);
            gradient_of(m, &t.forward, g);
            gradient_of(m, &t.reverse, g + n);
            hash[threads - 1] = hash_of(g, 2 * n);
            MUST(weir_model_set_recompute(m, 1, &error));
            gradient_of(m, &t.forward, again);
            cr_assert(difference(again, g, n) < 1e-4, "flow %d: recompute is off by %g", k,
                      difference(again, g, n));
            free(g);
            free(again);
            weir_model_close(m);
            clear_task(&t);
        }
        cr_assert(hash[0] == hash[1] && hash[1] == hash[2], "flow %d", k);
    }
}
