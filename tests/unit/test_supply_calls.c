/* test_supply_calls.c - supplied and adapted calls one by one: discards, statistics, the context's cotangent, reports.
 *
 * SPDX-License-Identifier: MIT
 */
#include "supply.h"
#include "valgrind.h"

#include "model/solo.h"

TestSuite(supply_calls, .init = open_with_two_threads, .fini = close_all);

/* A row that no root answers is discarded, alone: not a bit of any other row changes. */
static void expect_lone_discards(const flow *f, const char *dtype)
{
    weir_model *const m = make(f, dtype);
    const weir_matrix z = some_data(ROWS, FEATURES, 1);
    weir_matrix a = empty(ROWS), b = empty(ROWS);
    double la[ROWS], lb[ROWS];
    weir_call call = {.struct_size = (uint32_t)sizeof call};
    MUST(weir_inverse(m, &z, &call, &a, la, &error));
    cr_assert_eq(call.discarded, 0);
    ((double *)z.data)[7 * FEATURES] = (double)NAN;
    ((double *)z.data)[70 * FEATURES + 4] = (double)INFINITY;
    MUST(weir_inverse(m, &z, &call, &b, lb, &error));
    cr_assert_eq(call.discarded, 2, "%s: %d discarded", dtype, (int)call.discarded);
    for (int i = 0; i < ROWS; i++) {
        if (i == 7 || i == 70) continue;
        cr_assert_eq(la[i], lb[i], "%s: row %d", dtype, i);
        cr_assert_arr_eq((double *)a.data + i * FEATURES, (double *)b.data + i * FEATURES,
                         FEATURES * sizeof(double));
    }
    weir_model_close(m);
    free(z.data);
    free_all(&a, &b, NULL);
}

Test(supply_calls, a_row_without_a_root_is_discarded_alone)
{
    static const flow roots = {COUPLING("half", "test.falling"), NULL, 0};
    static const flow newton = {LAYER("test.bare_layer"), NULL, 0};
    expect_lone_discards(&roots, "f64");
    expect_lone_discards(&roots, "f32");
    expect_lone_discards(&newton, "f64");
    expect_lone_discards(&newton, "f32");
}

/* Newton's method takes a step for each unit of a steep tail: rows that arrived long before stand still meanwhile. */
Test(supply_calls, a_slow_row_moves_no_other)
{
    static const flow steep = {LAYER("test.no_inverse"), NULL, 0};
    weir_model *const m = make(&steep, "f64");
    const weir_matrix z = some_data(60, FEATURES, 1);
    weir_matrix a = empty(60), b = empty(60);
    weir_call call = {.struct_size = (uint32_t)sizeof call};
    MUST(weir_inverse(m, &z, &call, &a, NULL, &error));
    ((double *)z.data)[7 * FEATURES] = 30;
    MUST(weir_inverse(m, &z, &call, &b, NULL, &error));
    cr_assert_eq(call.discarded, 0);
    cr_assert_gt(((double *)b.data)[7 * FEATURES], 3.5);
    for (int i = 0; i < 60 * FEATURES; i++)
        if (i / FEATURES != 7)
            cr_assert_eq(((double *)a.data)[i], ((double *)b.data)[i], "row %d", i / FEATURES);
    weir_model_close(m);
    free(z.data);
    free_all(&a, &b, NULL);
}

/* The statistics go to a layer of the other precision, and what it makes of them comes back. */
Test(supply_calls, a_layer_of_the_other_precision_starts_from_data)
{
    static const flow start = {SHUFFLE "," LAYER("test.wide_actnorm") "," LAYER("actnorm"), NULL, 0};
    const weir_matrix x = some_data(ROWS, FEATURES, 1);
    weir_matrix z = empty(ROWS);
    weir_model *const single = make(&start, "f32"), *const whole = make(&start, "f64");
    MUST(weir_model_initialize(single, &x, NULL, 0, &error));
    MUST(weir_model_initialize(whole, &x, NULL, 0, &error));
    double *const a = parameters(single), *const b = parameters(whole);
    cr_assert(difference(a, b, weir_model_get(whole, WEIR_MODEL_PARAMETERS)) < 1e-5);
    MUST(weir_forward(single, &x, NULL, &z, NULL, &error));
    for (int f = 0; f < FEATURES; f++) {
        double sum = 0, squares = 0;
        for (int i = 0; i < ROWS; i++) {
            const double v = ((double *)z.data)[i * FEATURES + f];
            sum += v;
            squares += v * v;
        }
        cr_assert(fabs(sum / ROWS) < 1e-4 && fabs(squares / ROWS - 1) < 1e-2, "%g %g", sum, squares);
    }
    free(a);
    free(b);
    weir_model_close(single);
    weir_model_close(whole);
    free_all((weir_matrix *)&x, &z, NULL);
}

/* ---- below a model: what no public call shows ------------------------------------------------------------------------ */

/* One module of 3 features alone, with 2 of context, called through what the host has filled in. */
typedef struct alone {
    weir__solo *solo;
    weir_tile x, z, bar, x_bar, context, context_bar;
    json_t *node;
} alone;

static void fill(const weir_tile *tile, int32_t precision, uint64_t seed)
{
    uint64_t state = seed;
    for (int32_t f = 0; f < tile->features; f++)
        for (int32_t r = 0; r < tile->width; r++) {
            const double v = 2 * dice(&state) - 1;
            if (precision == WEIR_F32)
                ((float *)tile->data)[f * tile->stride + r] = (float)v;
            else
                ((double *)tile->data)[f * tile->stride + r] = (double)(float)v;
        }
}

static double at(const weir_tile *tile, int32_t precision, int32_t f, int32_t r)
{
    return precision == WEIR_F32 ? (double)((float *)tile->data)[f * tile->stride + r]
                                 : ((double *)tile->data)[f * tile->stride + r];
}

static void open_alone(alone *a, const char *id, int32_t precision, int32_t rows)
{
    a->node = json_pack("{s:s}", "type", id);
    const weir__solo_spec spec = {
        .node = a->node, .precision = precision, .features = 3, .context = 2, .supply = 1};
    MUST(weir__solo_open(runtime, &spec, &a->solo, &error));
    a->x = weir__solo_tile(a->solo, 3, rows);
    a->z = weir__solo_tile(a->solo, 3, rows);
    a->bar = weir__solo_tile(a->solo, 3, rows);
    a->x_bar = weir__solo_tile(a->solo, 3, rows);
    a->context = weir__solo_tile(a->solo, 2, rows);
    a->context_bar = weir__solo_tile(a->solo, 2, rows);
    fill(&a->x, precision, 1);
    fill(&a->bar, precision, 2);
    fill(&a->context, precision, 3);
    fill(&a->context_bar, precision, 4);
}

static void close_alone(alone *a)
{
    weir__solo_close(a->solo);
    json_decref(a->node);
}

static void there_and_back(alone *a, int32_t inverse)
{
    const weir_child *const c = weir__solo_child(a->solo);
    weir_frame *const frame =
        weir__solo_frame(a->solo, a->x.rows, WEIR_MODE_TRAIN, 1, 1, &a->context, &a->context_bar);
    if (inverse) {
        cr_assert_eq(c->layer->inverse(c->self, frame, &a->x, &a->z, NULL), WEIR_OK);
        cr_assert_eq(c->layer->inverse_vjp(c->self, frame, &a->x, &a->z, &a->bar, NULL, &a->x_bar), WEIR_OK);
    } else {
        cr_assert_eq(c->layer->forward(c->self, frame, &a->x, &a->z, NULL), WEIR_OK);
        cr_assert_eq(c->layer->forward_vjp(c->self, frame, &a->x, &a->z, &a->bar, NULL, &a->x_bar), WEIR_OK);
    }
    cr_assert_eq(weir__solo_tape_mark(a->solo), 0, "the tape is not empty");
    cr_assert_eq(frame->context, &a->context);
}

/* The context's cotangent is added to, across precisions and through an inverse that the host supplies. */
Test(supply_calls, cotangents_of_the_context_are_added)
{
    for (int32_t inverse = 0; inverse < 2; inverse++) {
        alone single, whole;
        open_alone(&single, "test.wide_mixing", WEIR_F32, 37);
        open_alone(&whole, "test.bare_layer", WEIR_F64, 37);
        there_and_back(&single, inverse);
        there_and_back(&whole, inverse);
        for (int32_t r = 0; r < 37; r++) {
            for (int32_t f = 0; f < 3; f++) {
                cr_assert_float_eq(at(&single.z, WEIR_F32, f, r), at(&whole.z, WEIR_F64, f, r), 1e-5);
                cr_assert_float_eq(at(&single.x_bar, WEIR_F32, f, r), at(&whole.x_bar, WEIR_F64, f, r), 1e-5);
            }
            for (int32_t k = 0; k < 2; k++)
                cr_assert_float_eq(at(&single.context_bar, WEIR_F32, k, r),
                                   at(&whole.context_bar, WEIR_F64, k, r), 1e-5);
        }
        fill(&single.context_bar, WEIR_F32, 4);
        cr_assert_float_neq(at(&single.context_bar, WEIR_F32, 0, 5), at(&whole.context_bar, WEIR_F64, 0, 5),
                            1e-3);
        close_alone(&single);
        close_alone(&whole);
    }
}

Test(supply_calls, iterations_and_residuals_are_reported)
{
    static const char *const ids[] = {"test.bare_univariate", "test.bare_layer"};
    for (int k = 0; k < 2; k++) {
        int32_t iterations[64] = {0};
        double residual[64] = {0};
        weir_report report = {
            .struct_size = (uint32_t)sizeof report, .iterations = iterations, .residual = residual};
        alone a;
        open_alone(&a, ids[k], WEIR_F64, 20);
        const weir_child *const c = weir__solo_child(a.solo);
        weir_frame *const frame = weir__solo_frame(a.solo, 20, WEIR_MODE_EVALUATE, 0, 0, &a.context, NULL);
        frame->report = &report;
        const weir_status status = c->univariate
                                       ? c->univariate->inverse(c->self, frame, &a.x, &a.bar, &a.z, NULL)
                                       : c->layer->inverse(c->self, frame, &a.x, &a.z, NULL);
        cr_assert_eq(status, WEIR_OK);
        for (int r = 0; r < 20; r++) {
            cr_assert(iterations[r] >= 1 && iterations[r] < 80, "%s: %d iterations", ids[k],
                      (int)iterations[r]);
            cr_assert(residual[r] >= 0 && residual[r] < 1e-14, "%s: residual %g", ids[k], residual[r]);
        }
        close_alone(&a);
    }
}

/* Every promise of the interface holds for the calls the host fills in. */
Test(supply_calls, what_is_filled_in_passes_the_check)
{
    SKIP_UNDER_VALGRIND("is too slow for the time that a check may take");
    static const char *const ids[] = {"test.bare_univariate", "test.falling",    "test.bare_layer",
                                      "test.no_inverse_vjp",  "test.no_inverse", "test.bare_network",
                                      "test.wide_maf"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char *json = NULL;
        int32_t ok = 0;
        MUST(weir_check(runtime, ids[i], NULL, &json, &ok, &error));
        cr_assert(ok, "%s: %s", ids[i], json);
        cr_assert(strstr(json, "\"round_trip\"") || strstr(json, "\"sweep_vjp\""), "%s: %s", ids[i], json);
        weir_free(json);
    }
}
