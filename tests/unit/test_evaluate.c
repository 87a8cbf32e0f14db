/* test_evaluate.c - log_prob, forward, inverse, sample and score of whole models, and what their results do not depend on.
 *
 * SPDX-License-Identifier: MIT
 */
#include "models.h"

TestSuite(evaluate);

#define ROWS 150

static weir_model *mixed(weir_runtime *rt, const char *json, const weir_matrix *context)
{
    weir_model *const m = must_build(rt, json);
    const weir_matrix x = some_data(ROWS, weir_model_get(m, WEIR_MODEL_FEATURES), 1);
    weir_call call = seeded(0, context);
    MUST(weir_model_initialize(m, &x, &call, 0, &error));
    shake(m, 0.2);
    return m;
}

static double worst(const double *a, const double *b, int64_t count)
{
    double largest = 0;
    for (int64_t i = 0; i < count; i++)
        largest = fmax(largest, isfinite(a[i] - b[i]) ? fabs(a[i] - b[i]) : INFINITY);
    return largest;
}

/* ---- the four directions agree ------------------------------------------------------------------------------------ */

Test(evaluate, inverse_undoes_forward_and_log_dets_have_opposite_signs)
{
    weir_runtime *const rt = open_weir(2);
    weir_model *const m = mixed(rt, MODEL("f64", 5, 0, MIXED), NULL);
    const weir_matrix x = some_data(ROWS, 5, 2), z = room(ROWS, 5), back = room(ROWS, 5);
    double there[ROWS], here[ROWS], log_p[ROWS], from_parts[ROWS];
    MUST(weir_forward(m, &x, NULL, &z, there, &error));
    MUST(weir_inverse(m, &z, NULL, &back, here, &error));
    cr_assert(worst(x.data, back.data, ROWS * 5) < 1e-9, "round trip %g", worst(x.data, back.data, ROWS * 5));
    for (int i = 0; i < ROWS; i++) here[i] = -here[i];
    cr_assert(worst(there, here, ROWS) < 1e-9, "log-dets %g", worst(there, here, ROWS));
    MUST(weir_log_prob(m, &x, NULL, log_p, &error));
    for (int i = 0; i < ROWS; i++) {
        from_parts[i] = there[i] - 2.5 * log(6.283185307179586);
        for (int j = 0; j < 5; j++) from_parts[i] -= pow(((double *)z.data)[5 * i + j], 2) / 2;
    }
    cr_assert(worst(log_p, from_parts, ROWS) < 1e-11, "%g", worst(log_p, from_parts, ROWS));
    weir_model_close(m);
    weir_close(rt);
}

Test(evaluate, log_det_is_that_of_the_jacobian)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = mixed(rt, MODEL("f64", 2, 0, MIXED), NULL);
    const weir_matrix x = some_data(1, 2, 2), z = room(1, 2);
    double *const at = x.data, *const to = z.data, log_det, j[2][2];
    for (int k = 0; k < 2; k++)
        for (int sign = 1; sign >= -1; sign -= 2) {
            at[k] += sign * 1e-6;
            MUST(weir_forward(m, &x, NULL, &z, NULL, &error));
            for (int i = 0; i < 2; i++) j[i][k] = sign > 0 ? to[i] : (j[i][k] - to[i]) / 2e-6;
            at[k] -= sign * 1e-6;
        }
    MUST(weir_forward(m, &x, NULL, &z, &log_det, &error));
    cr_assert(fabs(log_det - log(fabs(j[0][0] * j[1][1] - j[0][1] * j[1][0]))) < 1e-6, "%g", log_det);
    weir_model_close(m);
    weir_close(rt);
}

Test(evaluate, score_is_the_gradient_of_log_prob)
{
    weir_runtime *const rt = open_weir(2);
    weir_model *const m = mixed(rt, MODEL("f64", 5, 0, MIXED), NULL);
    const weir_matrix x = some_data(ROWS, 5, 2), score = room(ROWS, 5);
    double log_p[ROWS], again[ROWS], up[ROWS], down[ROWS];
    MUST(weir_score(m, &x, NULL, &score, log_p, &error));
    MUST(weir_log_prob(m, &x, NULL, again, &error));
    cr_assert(worst(log_p, again, ROWS) < 1e-12);
    for (int j = 0; j < 5; j++) {
        for (int i = 0; i < ROWS; i++) ((double *)x.data)[5 * i + j] += 1e-6;
        MUST(weir_log_prob(m, &x, NULL, up, &error));
        for (int i = 0; i < ROWS; i++) ((double *)x.data)[5 * i + j] -= 2e-6;
        MUST(weir_log_prob(m, &x, NULL, down, &error));
        for (int i = 0; i < ROWS; i++) {
            const double slope = (up[i] - down[i]) / 2e-6, got = ((double *)score.data)[5 * i + j];
            cr_assert(fabs(slope - got) < 1e-5 * (1 + fabs(got)), "row %d, column %d: %g, not %g", i, j, got,
                      slope);
            ((double *)x.data)[5 * i + j] += 1e-6;
        }
    }
    weir_model_close(m);
    weir_close(rt);
}

/* ---- sampling ----------------------------------------------------------------------------------------------------- */

Test(evaluate, samples_are_named_by_seed_and_row)
{
    const weir_matrix a = room(ROWS, 5), b = room(ROWS, 5);
    double log_p[ROWS], again[ROWS];
    weir_runtime *const rt = open_weir(2), *const one = open_weir(1);
    weir_model *const m = mixed(rt, MODEL("f64", 5, 0, MIXED), NULL), *const alone = mixed(
                                                                          one, MODEL("f64", 5, 0, MIXED),
                                                                          NULL);
    weir_call call = seeded(7, NULL);
    MUST(weir_sample(m, &call, &a, log_p, &error));
    MUST(weir_log_prob(m, &a, NULL, again, &error));
    cr_assert(worst(log_p, again, ROWS) < 1e-9, "the sample's density: %g", worst(log_p, again, ROWS));
    MUST(weir_sample(alone, &call, &b, again, &error));
    cr_assert_arr_eq(a.data, b.data, ROWS * 5 * sizeof(double), "other threads, other bits");
    cr_assert_arr_eq(log_p, again, sizeof log_p);
    /* Cut between tiles: the same bits. Cut anywhere: the same noise, through kernels of other shapes. */
    static const int64_t cuts[] = {64, 128, 37, 149};
    for (int k = 0; k < 4; k++) {
        weir_matrix tail = {.struct_size = (uint32_t)sizeof tail,
                            .dtype = WEIR_DTYPE_F64,
                            .rows = ROWS - cuts[k],
                            .columns = 5,
                            .data = b.data};
        call.first_row = (uint64_t)cuts[k];
        MUST(weir_sample(m, &call, &tail, NULL, &error));
        const double off = worst((double *)a.data + 5 * cuts[k], b.data, 5 * tail.rows);
        cr_assert(k < 2 ? off == 0 : off < 1e-9, "cut at %ld: %g", (long)cuts[k], off);
    }
    call = seeded(8, NULL);
    MUST(weir_sample(m, &call, &b, NULL, &error));
    for (int i = 0; i < ROWS; i++)
        cr_assert(worst((double *)a.data + 5 * i, (double *)b.data + 5 * i, 5) > 1e-3);
    weir_model_close(m);
    weir_model_close(alone);
    weir_close(rt);
    weir_close(one);
}

Test(evaluate, densities_do_not_depend_on_threads_and_hardly_on_the_cut)
{
    weir_runtime *const many = open_weir(3), *const one = open_weir(1);
    weir_model *const m = mixed(many, MODEL("f64", 5, 0, MIXED), NULL), *const alone = mixed(
                                                                            one, MODEL("f64", 5, 0, MIXED),
                                                                            NULL);
    const weir_matrix x = some_data(ROWS, 5, 2);
    double all[ROWS], other[ROWS], single;
    MUST(weir_log_prob(m, &x, NULL, all, &error));
    MUST(weir_log_prob(alone, &x, NULL, other, &error));
    cr_assert_arr_eq(all, other, sizeof all);
    for (int i = 0; i < ROWS; i++) {
        const weir_matrix row = {.struct_size = (uint32_t)sizeof row,
                                 .dtype = WEIR_DTYPE_F64,
                                 .rows = 1,
                                 .columns = 5,
                                 .data = (double *)x.data + 5 * i};
        MUST(weir_log_prob(m, &row, NULL, &single, &error));
        cr_assert(fabs(single - all[i]) < 1e-10, "row %d: %.17g alone, %.17g in the batch", i, single,
                  all[i]);
    }
    weir_model_close(m);
    weir_model_close(alone);
    weir_close(many);
    weir_close(one);
}

/* ---- contexts ------------------------------------------------------------------------------------------------------- */

Test(evaluate, one_row_of_context_is_for_all)
{
    weir_runtime *const rt = open_weir(2);
    const weir_matrix once = some_data(1, 3, 9), each = room(ROWS, 3), other = some_data(ROWS, 3, 4);
    for (int i = 0; i < ROWS; i++) memcpy((double *)each.data + 3 * i, once.data, 3 * sizeof(double));
    weir_model *const m = mixed(rt, MODEL("f64", 4, 3, MIXED), &once);
    const weir_matrix x = some_data(ROWS, 4, 2), a = room(ROWS, 4), b = room(ROWS, 4);
    double p[ROWS], q[ROWS];
    weir_call by_one = seeded(3, &once), by_row = seeded(3, &each), by_other = seeded(3, &other);
    MUST(weir_log_prob(m, &x, &by_one, p, &error));
    MUST(weir_log_prob(m, &x, &by_row, q, &error));
    cr_assert_arr_eq(p, q, sizeof p);
    MUST(weir_sample(m, &by_one, &a, NULL, &error));
    MUST(weir_sample(m, &by_row, &b, NULL, &error));
    cr_assert_arr_eq(a.data, b.data, ROWS * 4 * sizeof(double));
    MUST(weir_log_prob(m, &x, &by_other, q, &error));
    cr_assert(worst(p, q, ROWS) > 1e-3, "the context changes nothing");
    weir_model_close(m);
    weir_close(rt);
}

/* ---- noise ------------------------------------------------------------------------------------------------------------ */

Test(evaluate, dequantization_is_fixed_in_evaluation_and_fresh_in_every_epoch)
{
    weir_runtime *const rt = open_weir(2);
    weir_model *const m = must_build(
        rt, MODEL("f64", 3, 0,
                  "{\"type\":\"dequantize\",\"options\":{\"levels\":16}},{\"type\":\"logit\"}," COUPLING(
                      "half", "affine")));
    cr_assert_eq(weir_model_get(m, WEIR_MODEL_LEVELS), 16);
    const weir_matrix x = room(100, 3);
    for (int i = 0; i < 300; i++) ((double *)x.data)[i] = (i * 7) % 16;
    double p[100], q[100];
    weir_call call = seeded(1, NULL);
    MUST(weir_log_prob(m, &x, &call, p, &error));
    call.step = 5; /* an epoch means nothing when evaluating */
    MUST(weir_log_prob(m, &x, &call, q, &error));
    cr_assert_arr_eq(p, q, sizeof p);
    call.seed = 2;
    MUST(weir_log_prob(m, &x, &call, q, &error));
    cr_assert(worst(p, q, 100) > 1e-3, "the seed changes nothing");
    call.mode = 1;
    MUST(weir_log_prob(m, &x, &call, p, &error));
    call.step = 6;
    MUST(weir_log_prob(m, &x, &call, q, &error));
    cr_assert(worst(p, q, 100) > 1e-3, "the epoch changes nothing");
    weir_trainer *const t = must_train(m, NULL);
    weir_step step = data_step(&x);
    weir_step_result first = no_result(), again = no_result(), fresh = no_result();
    step.learning_rate = 0;
    MUST(weir_trainer_step(t, &step, &first, &error));
    MUST(weir_trainer_step(t, &step, &again, &error));
    step.epoch = 1;
    MUST(weir_trainer_step(t, &step, &fresh, &error));
    cr_assert_eq(first.loss, again.loss);
    cr_assert_neq(first.loss, fresh.loss);
    weir_trainer_close(t);
    weir_model_close(m);
    weir_close(rt);
}

/* In f32 log-det and base density are f32 numbers, but their sum keeps the digits of both: most sums are no f32. */
Test(evaluate, f32_sums_are_not_rounded)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(rt, MODEL("f32", 5, 0, MIXED));
    const weir_matrix x = some_data(100, 5, 1);
    double p[100];
    int rounded = 0;
    MUST(weir_model_initialize(m, &x, NULL, 0, &error));
    shake(m, 0.1);
    MUST(weir_log_prob(m, &x, NULL, p, &error));
    for (int i = 0; i < 100; i++) rounded += (double)(float)p[i] >= p[i] && (double)(float)p[i] <= p[i];
    cr_assert_lt(rounded, 90, "%d of 100", rounded);
    weir_model_close(m);
    weir_close(rt);
}
