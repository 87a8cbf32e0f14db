/* test_methods.c - methods of modules, called by name and signature.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sandbox.h"
#include "stage.h"

TestSuite(methods);

#define FLOW(dtype, layers, base)                                                                            \
    "{\"dtype\":\"" dtype "\",\"features\":3,\"seed\":9,\"flow\":" CHAIN(layers) ",\"base\":" base "}"
#define NORMAL          "{\"type\":\"normal\"}"
#define ELEMENTWISE(id) "{\"type\":\"elementwise\",\"children\":{\"univariate\":{\"type\":\"" id "\"}}}"

static weir_value reals(const double *values, int64_t n)
{
    return (weir_value){.struct_size = (uint32_t)sizeof(weir_value),
                        .type = WEIR_VALUE_REALS,
                        .reals = values,
                        .rank = 1,
                        .dims = {n}};
}

static weir_value number(double value)
{
    return (weir_value){
        .struct_size = (uint32_t)sizeof(weir_value), .type = WEIR_VALUE_NUMBER, .number = value};
}

static weir_value integer(int64_t value)
{
    return (weir_value){
        .struct_size = (uint32_t)sizeof(weir_value), .type = WEIR_VALUE_INTEGER, .integer = value};
}

static weir_value text(const char *value)
{
    return (weir_value){.struct_size = (uint32_t)sizeof(weir_value), .type = WEIR_VALUE_TEXT, .text = value};
}

static weir_answer *ask(weir_model *m, const char *module, const char *method, const weir_value *arguments,
                        int count)
{
    weir_answer *answer = NULL;
    MUST(weir_model_call(m, module, method, arguments, count, &answer, &error));
    return answer;
}

static weir_value result(const weir_answer *answer, int32_t index)
{
    weir_value v = {.struct_size = (uint32_t)sizeof v};
    MUST(weir_answer_at(answer, index, &v, &error));
    return v;
}

static void fails(weir_model *m, const char *module, const char *method, const weir_value *arguments,
                  int count, const char *says)
{
    weir_answer *answer = NULL;
    cr_assert_neq(weir_model_call(m, module, method, arguments, count, &answer, &error), WEIR_OK);
    cr_assert_null(answer);
    cr_assert(strstr(error.message, says), "said \"%s\", not \"%s\"", error.message, says);
    cr_assert_null(strchr(error.message, '\n'));
}

/* ---- what the built-in modules answer ------------------------------------------------------------------------- */

/* Row i of the answer times x + b is what the layer makes of x. */
static void expect_matrix(weir_model *m, const char *module, const char *bias, double tolerance)
{
    const double points[2][3] = {{0.3, -1.2, 2}, {-4, 0.7, 0.1}};
    double out[2][3], b[3] = {0};
    weir_answer *const answer = ask(m, module, "matrix", NULL, 0);
    const weir_value w = result(answer, 0);
    cr_assert_eq(weir_answer_count(answer), 1);
    cr_assert_eq(w.rank, 2);
    cr_assert_eq(w.dims[0], 3);
    cr_assert_eq(w.dims[1], 3);
    weir_matrix x = {(uint32_t)sizeof x, WEIR_DTYPE_F64, 2, 3, 0, (void *)(uintptr_t)points};
    weir_matrix z = {(uint32_t)sizeof z, WEIR_DTYPE_F64, 2, 3, 0, out};
    MUST(weir_forward(m, &x, NULL, &z, NULL, &error));
    MUST(weir_tensor_read(m, weir_tensor_find(m, bias), b, 3, &error));
    for (int r = 0; r < 2; r++)
        for (int i = 0; i < 3; i++) {
            double sum = b[i];
            for (int j = 0; j < 3; j++) sum += w.reals[3 * i + j] * points[r][j];
            cr_assert(fabs(sum - out[r][i]) < tolerance, "%g, not %g", sum, out[r][i]);
        }
    weir_answer_free(answer);
}

Test(methods, matrix)
{
    static const char *const forms[] = {"full", "diagonal",    "triangular",  "lu",     "qr",
                                        "svd",  "householder", "exponential", "cayley", "low_rank"};
    weir_runtime *const rt = open_weir(1);
    for (size_t k = 0; k < sizeof forms / sizeof *forms; k++)
        for (int wide = 0; wide < 2; wide++) {
            char json[800];
            snprintf(json, sizeof json,
                     "{\"dtype\":\"%s\",\"features\":3,\"flow\":{\"type\":\"linear\",\"options\":"
                     "{\"parameterization\":\"%s\"}},\"base\":" NORMAL "}",
                     wide ? "f64" : "f32", forms[k]);
            weir_model *const m = must_build(rt, json);
            shake(m, 0.2);
            expect_matrix(m, "flow", "flow.bias", wide ? 1e-12 : 1e-4);
            weir_model_close(m);
        }
    weir_close(rt);
}

/* More columns than one block has. */
Test(methods, matrix_of_many_features)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m =
        must_build(rt, "{\"dtype\":\"f64\",\"features\":150,\"flow\":{\"type\":\"permutation\",\"options\":"
                       "{\"kind\":\"random\"}},\"base\":" NORMAL "}");
    weir_model *const w =
        must_build(rt, "{\"dtype\":\"f64\",\"features\":150,\"flow\":{\"type\":\"linear\",\"options\":"
                       "{\"parameterization\":\"full\"}},\"base\":" NORMAL "}");
    static double weight[150 * 150];
    for (int i = 0; i < 150 * 150; i++) weight[i] = i % 151 == 0 ? 2 : 1e-4 * (double)(i % 7);
    MUST(weir_tensor_write(w, weir_tensor_find(w, "flow.weight"), weight, 150 * 150, &error));
    weir_answer *const matrix = ask(w, "flow", "matrix", NULL, 0), *const order =
                                                                       ask(m, "flow", "order", NULL, 0);
    cr_assert_eq(memcmp(result(matrix, 0).reals, weight, sizeof weight), 0);
    cr_assert_eq(result(order, 0).type, WEIR_VALUE_INTEGERS);
    int64_t sum = 0;
    for (int i = 0; i < 150; i++) sum += result(order, 0).integers[i];
    cr_assert_eq(sum, 150 * 151 / 2);
    weir_answer_free(matrix);
    weir_answer_free(order);
    weir_model_close(m);
    weir_model_close(w);
    weir_close(rt);
}

/* The flow takes the knots of feature 2 to their values, and the slope between two knots lies as the ends say. */
static void expect_knots(weir_runtime *rt, const char *id, int has_slopes)
{
    char json[800];
    snprintf(json, sizeof json, FLOW("f64", ELEMENTWISE("%s"), NORMAL), id);
    weir_model *const m = must_build(rt, json);
    const weir_value second = number(2);
    double rows[9][3] = {{0}}, out[9][3], log_det[9];
    shake(m, 0.5);
    weir_answer *const parameters = ask(m, "flow.1", "parameters", &second, 1);
    const weir_value theta = result(parameters, 0);
    weir_answer *const knots = ask(m, "flow.1.univariate", "knots", &theta, 1);
    cr_assert_eq(weir_answer_count(knots), has_slopes ? 3 : 2);
    for (int k = 0; k < 9; k++) rows[k][1] = result(knots, 0).reals[k];
    cr_assert_eq(rows[0][1], -5);
    cr_assert_eq(rows[8][1], 5);
    weir_matrix x = {(uint32_t)sizeof x, WEIR_DTYPE_F64, 9, 3, 0, rows};
    weir_matrix z = {(uint32_t)sizeof z, WEIR_DTYPE_F64, 9, 3, 0, out};
    MUST(weir_forward(m, &x, NULL, &z, log_det, &error));
    for (int k = 0; k < 9; k++)
        cr_assert(fabs(out[k][1] - result(knots, 1).reals[k]) < 1e-12, "%s, knot %d: %.15g, not %.15g", id, k,
                  result(knots, 1).reals[k], out[k][1]);
    for (int k = 0; k < 9; k++) rows[k][1] = 0; /* the other features' share of the log-det */
    for (int k = 1; has_slopes && k < 8; k++) {
        double base[9];
        const double at = result(knots, 0).reals[k];
        rows[0][1] = at;
        MUST(weir_forward(m, &x, NULL, &z, log_det, &error));
        rows[0][1] = 7; /* in the tail, where the slope is 1 */
        MUST(weir_forward(m, &x, NULL, &z, base, &error));
        const double slope = exp(log_det[0] - base[0]);
        cr_assert(fabs(slope / result(knots, 2).reals[k] - 1) < 1e-9, "%s, knot %d: slope %g, not %g", id, k,
                  result(knots, 2).reals[k], slope);
    }
    weir_answer_free(parameters);
    weir_answer_free(knots);
    weir_model_close(m);
}

Test(methods, knots)
{
    weir_runtime *const rt = open_weir(1);
    expect_knots(rt, "rq_spline", 1);
    expect_knots(rt, "quadratic_spline", 1);
    expect_knots(rt, "cubic_spline", 1);
    expect_knots(rt, "linear_spline", 0);
    weir_close(rt);
}

Test(methods, moments)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(
        rt, FLOW("f64", "{\"type\":\"affine_gaussian\"}",
                 "{\"type\":\"normal\",\"options\":{\"trainable\":true,\"covariance\":\"full\"}}"));
    const double below[] = {0.5, -1, 2}, diagonal[] = {0.1, 0.2, -0.3}, mean[] = {1, 2, 3};
    double l[3][3] = {{0}};
    for (int i = 0, at = 0; i < 3; i++) {
        for (int j = 0; j < i; j++) l[i][j] = below[at++];
        l[i][i] = exp(diagonal[i]);
    }
    MUST(weir_tensor_write(m, weir_tensor_find(m, "base.factor"), below, 3, &error));
    MUST(weir_tensor_write(m, weir_tensor_find(m, "base.log_scale"), diagonal, 3, &error));
    MUST(weir_tensor_write(m, weir_tensor_find(m, "base.mean"), mean, 3, &error));
    MUST(weir_tensor_write(m, weir_tensor_find(m, "flow.1.lower"), below, 3, &error));
    MUST(weir_tensor_write(m, weir_tensor_find(m, "flow.1.log_diagonal"), diagonal, 3, &error));
    MUST(weir_tensor_write(m, weir_tensor_find(m, "flow.1.mean"), mean, 3, &error));
    const char *const modules[] = {"base", "flow.1"};
    for (int k = 0; k < 2; k++) {
        weir_answer *const covariance = ask(m, modules[k], "covariance", NULL, 0);
        weir_answer *const centre = ask(m, modules[k], "mean", NULL, 0);
        for (int i = 0; i < 3; i++) {
            cr_assert_eq(result(centre, 0).reals[i], mean[i]);
            for (int j = 0; j < 3; j++) {
                const double should = l[i][0] * l[j][0] + l[i][1] * l[j][1] + l[i][2] * l[j][2];
                cr_assert(fabs(result(covariance, 0).reals[3 * i + j] - should) < 1e-14, "%s %d %d",
                          modules[k], i, j);
            }
        }
        weir_answer_free(covariance);
        weir_answer_free(centre);
    }
    weir_model_close(m);
    weir_close(rt);
}

Test(methods, components_of_a_mixture)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(
        rt, FLOW("f32", REVERSE, "{\"type\":\"gaussian_mixture\",\"options\":{\"components\":2}}"));
    const double logit[] = {log(3), 0};
    MUST(weir_tensor_write(m, weir_tensor_find(m, "base.logit"), logit, 2, &error));
    weir_answer *const answer = ask(m, "base", "components", NULL, 0);
    cr_assert_eq(weir_answer_count(answer), 3);
    cr_assert(fabs(result(answer, 0).reals[0] - 0.75) < 1e-6);
    cr_assert_eq(result(answer, 1).dims[0], 2);
    cr_assert_eq(result(answer, 1).dims[1], 3);
    cr_assert_eq(result(answer, 2).reals[5], 1);
    weir_answer_free(answer);
    weir_model_close(m);
    weir_close(rt);
}

/* ---- every kind of argument -------------------------------------------------------------------------------------- */

static weir_runtime *runtime;
static weir_model *model;

static void open_fixture(const char *dtype)
{
    char json[600];
    sandbox_open();
    put_fixture("methods", "plugins/methods.so");
    const weir_settings settings = {
        .struct_size = (uint32_t)sizeof settings, .threads = 1, .plugin_path = box.plugins};
    MUST(weir_open(&settings, &runtime, &error));
    snprintf(json, sizeof json, FLOW("%s", ELEMENTWISE("test.methods"), NORMAL), dtype);
    model = must_build(runtime, json);
}

static void close_fixture(void)
{
    weir_model_close(model);
    weir_close(runtime);
    sandbox_close();
}

static void expect_mix(const char *dtype)
{
    const double x[] = {0.5, 0.25, -2}, k[] = {7, -8};
    const weir_value given[] = {number(3), integer(4), text("four"), reals(x, 3), reals(k, 2)};
    open_fixture(dtype);
    for (int again = 0; again < 2; again++) { /* what libffi needs is kept */
        weir_answer *const answer = ask(model, "flow.1.univariate", "mix", given, 5);
        cr_assert_eq(weir_answer_count(answer), 4);
        cr_assert_eq(result(answer, 0).type, WEIR_VALUE_INTEGER);
        cr_assert_eq(result(answer, 0).integer, 4);
        cr_assert_eq(result(answer, 1).number, 2.75);
        cr_assert_eq(result(answer, 2).dims[0], 3);
        cr_assert_eq(result(answer, 2).reals[5], -8);
        cr_assert_eq(result(answer, 3).integers[0], -8);
        cr_assert_eq(result(answer, 3).integers[1], 7);
        weir_value beyond = {.struct_size = (uint32_t)sizeof beyond};
        cr_assert_eq(weir_answer_at(answer, 4, &beyond, &error), WEIR_INVALID);
        weir_answer_free(answer);
    }
    close_fixture();
}

Test(methods, every_kind_in_f32)
{
    expect_mix("f32");
}

Test(methods, every_kind_in_f64)
{
    expect_mix("f64");
}

Test(methods, arguments_that_do_not_fit)
{
    const double x[] = {0.5, 0.25, -2}, k[] = {7, -8}, odd[] = {7, 0.5};
    weir_value given[] = {number(3), integer(4), text("four"), reals(x, 3), reals(k, 2)};
    const char *const at = "flow.1.univariate";
    open_fixture("f32");
    fails(model, "flow.1.univariat", "mix", given, 5, "did you mean \"flow.1.univariate\"?");
    fails(model, at, "mixx", given, 5, "it has no method \"mixx\"; did you mean \"mix\"?");
    fails(model, at, "matrix", given, 5, "it has mix, double");
    fails(model, "flow", "matrix", NULL, 0, "flow (chain): it has no method \"matrix\"; it has none");
    fails(model, at, "mix", given, 4, "flow.1.univariate (test.methods): mix: expected 5 arguments, got 4");
    given[0] = number(2.5);
    fails(model, at, "mix", given, 5, "argument 1: expected integer count, got 2.5");
    given[0] = number(1e16);
    fails(model, at, "mix", given, 5, "argument 1: expected integer count, got 1e+16");
    given[0] = integer(-1);
    fails(model, at, "mix", given, 5, "the size [count] is -1");
    given[0] = integer(INT64_C(1) << 40);
    fails(model, at, "mix", given, 5, "more than 134217728 elements");
    given[0] = integer(2);
    fails(model, at, "mix", given, 5, "argument 4: expected real x[count], here 2, got 3 numbers");
    given[0] = integer(3);
    given[1] = text("4");
    fails(model, at, "mix", given, 5, "argument 2: expected number a, got a text");
    given[1] = number(4);
    given[2] = number(4);
    fails(model, at, "mix", given, 5, "argument 3: expected text word, got a number");
    given[2] = text("fail");
    fails(model, at, "mix", given, 5, "mix: asked to fail");
    given[2] = text("four");
    given[3].rank = 2;
    given[3].dims[1] = 1;
    fails(model, at, "mix", given, 5, "expected real x[count], got 3 x 1 numbers");
    given[3] = number(1);
    fails(model, at, "mix", given, 5, "expected real x[count], got a number");
    given[3] = reals(x, 3);
    given[4] = reals(odd, 2);
    fails(model, at, "mix", given, 5, "expected integer k[2], got 0.5 at place 2");
    given[4].type = 17;
    fails(model, at, "mix", given, 5, "type 17 is unknown");
    given[4] = reals(k, 2);
    given[0].struct_size = 8;
    fails(model, at, "mix", given, 5, "struct_size is 8");
    close_fixture();
}

Test(methods, lengths_that_the_caller_gives)
{
    const double x[] = {1, 2, 3, 4, 5, 6};
    weir_value given[] = {reals(x, 2), integer(2)};
    given[0].rank = 2;
    given[0].dims[1] = 3;
    open_fixture("f32");
    weir_answer *const answer = ask(model, "flow.1.univariate", "double", given, 2);
    cr_assert_eq(result(answer, 0).dims[0], 2);
    cr_assert_eq(result(answer, 0).dims[1], 3);
    cr_assert_eq(result(answer, 0).reals[5], 12);
    weir_answer_free(answer);
    given[0].dims[1] = 2;
    fails(model, "flow.1.univariate", "double", given, 2, "here 2 x 3, got 2 x 2 numbers");
    close_fixture();
}
