/* test_recompute.c - memory constant in depth: what the tape holds, and that the gradients are the same.
 *
 * SPDX-License-Identifier: MIT
 */
#include "models.h"
#include "run/model.h"

TestSuite(recompute);

static char *coupling_stack(int depth)
{
    char *const text = malloc(600);
    snprintf(
        text, 600,
        "{\"dtype\":\"f64\",\"features\":6,\"seed\":2,\"base\":{\"type\":\"normal\"},\"flow\":{\"type\":\"repeat\","
        "\"options\":{\"count\":%d},\"children\":{\"layers\":[" COUPLING("half", "affine") "," REVERSE "]}}}",
        depth);
    return text;
}

/* The most that any worker of the model ever had on its tape, and in scratch. */
static int64_t highest(const weir_model *m, int64_t (*of)(const weir__worker *))
{
    int64_t most = 0;
    for (const weir__worker *w = m->idle; w; w = w->next)
        if (of(w) > most) most = of(w);
    return most;
}

static int64_t on_tape(const weir__worker *w)
{
    return weir__tape_high_water(w->run.tape);
}

static int64_t in_scratch(const weir__worker *w)
{
    return weir__scratch_high_water(w->run.scratch);
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

static weir_step step_of(int reverse, const weir_matrix *x)
{
    weir_step step = {.struct_size = (uint32_t)sizeof step, .learning_rate = 1e-3};
    if (!reverse) step.x = x;
    if (reverse) step.samples = 64;
    if (reverse) step.target = bowl;
    return step;
}

typedef struct water {
    int64_t tape, scratch;
} water;

static water after_a_step(int depth, int32_t recompute, int reverse)
{
    weir_runtime *const rt = open_weir(1);
    char *const json = coupling_stack(depth);
    weir_model *const m = must_build(rt, json);
    const weir_matrix x = some_data(64, 6, 1);
    MUST(weir_model_set_recompute(m, recompute, &error));
    weir_trainer *const t = must_train(m, NULL);
    const weir_step step = step_of(reverse, &x);
    weir_step_result r = no_result();
    MUST(weir_trainer_step(t, &step, &r, &error));
    cr_assert_eq(r.applied, 1, "%s", r.message);
    const water w = {highest(m, on_tape), highest(m, in_scratch)};
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
    free(json);
    return w;
}

static void expect_constant_in_depth(int reverse)
{
    const water few = after_a_step(4, 1, reverse), some = after_a_step(16, 1, reverse),
                many = after_a_step(64, 1, reverse);
    cr_assert_gt(few.tape, 0);
    cr_assert_eq(few.tape, some.tape, "%ld bytes, then %ld", (long)few.tape, (long)some.tape);
    cr_assert_eq(few.tape, many.tape, "%ld bytes, then %ld", (long)few.tape, (long)many.tape);
    cr_assert_eq(few.scratch, many.scratch, "scratch: %ld bytes, then %ld", (long)few.scratch,
                 (long)many.scratch);
    const water taped[3] = {after_a_step(4, 0, reverse), after_a_step(16, 0, reverse),
                            after_a_step(64, 0, reverse)};
    const double first = (double)(taped[1].tape - taped[0].tape) / 12;
    const double second = (double)(taped[2].tape - taped[1].tape) / 48;
    cr_assert(fabs(first / second - 1) < 0.1, "%g bytes a layer, then %g", first, second);
    cr_assert(first > 6 * 64 * 8, "%g bytes a layer are less than one tile", first);
    cr_assert(few.tape < taped[0].tape);
}

Test(recompute, the_tape_is_constant_in_depth)
{
    expect_constant_in_depth(0);
}

Test(recompute, the_tape_of_reverse_kl_is_constant_in_depth)
{
    expect_constant_in_depth(1);
}

/* ---- the same gradients --------------------------------------------------------------------------------------------- */

static void expect_same_gradient(const char *json, int reverse)
{
    weir_runtime *const rt = open_weir(2);
    weir_model *const m = must_build(rt, json);
    const int64_t n = weir_model_get(m, WEIR_MODEL_PARAMETERS);
    const weir_matrix x = some_data(100, weir_model_get(m, WEIR_MODEL_FEATURES), 1);
    double *const taped = malloc((size_t)n * sizeof(double)), *const rebuilt =
                                                                  malloc((size_t)n * sizeof(double));
    weir_step_result a = no_result(), b = no_result();
    MUST(weir_model_initialize(m, &x, NULL, 0, &error));
    shake(m, 0.2);
    weir_trainer *const t = must_train(m, NULL);
    const weir_step step = step_of(reverse, &x);
    MUST(weir_trainer_gradient(t, &step, &a, taped, n, &error));
    MUST(weir_model_set_recompute(m, 1, &error));
    MUST(weir_trainer_gradient(t, &step, &b, rebuilt, n, &error));
    double largest = 0;
    cr_assert(fabs(a.loss - b.loss) < 1e-12 * fabs(a.loss), "loss %.17g, then %.17g", a.loss, b.loss);
    for (int64_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(taped[i]));
        cr_assert(fabs(taped[i] - rebuilt[i]) < 1e-10, "%ld: %.15g, then %.15g", (long)i, taped[i],
                  rebuilt[i]);
    }
    cr_assert(largest > 1e-3, "all gradients are 0");
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
    free(taped);
    free(rebuilt);
}

Test(recompute, gradients_of_forward_kl_are_the_same)
{
    expect_same_gradient(MODEL("f64", 5, 0, MIXED), 0);
    expect_same_gradient(
        MODEL("f64", 5, 0, CHAIN(COUPLING("half", "affine") "," CHAIN(MAF("affine") "," REVERSE))), 0);
}

Test(recompute, gradients_of_reverse_kl_are_the_same)
{
    expect_same_gradient(MODEL("f64", 5, 0,
                               COUPLING("half", "rq_spline") ",{\"type\":\"lu_linear\"}," IAF(
                                   "affine") "," COUPLING("even", "affine")),
                         1);
    expect_same_gradient(MODEL("f64", 4, 0, MAF("affine") "," CHAIN(REVERSE "," COUPLING("even", "affine"))),
                         1);
}

/* Layers whose inverse takes a pass for each feature keep their input: the description says so, and the tape shows it. */
Test(recompute, autoregressive_layers_are_kept)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(rt, MODEL("f64", 5, 0, COUPLING("half", "affine") "," MAF("affine")));
    char *text = NULL;
    MUST(weir_model_describe(m, &text, &error));
    json_t *const root = json_loads(text, 0, NULL);
    const json_t *const layers = json_object_get(json_object_get(root, "flow"), "children");
    cr_assert(json_is_false(json_object_get(json_array_get(layers, 0), "kept")));
    cr_assert(json_is_true(json_object_get(json_array_get(layers, 1), "kept")));
    json_decref(root);
    weir_free(text);
    weir_model_close(m);
    weir_close(rt);
}
