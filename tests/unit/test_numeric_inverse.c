/* test_numeric_inverse.c - univariates whose inverse iterates: far targets come back, hopeless ones are given up alone, and
 * the frame's report says what it cost.
 *
 * SPDX-License-Identifier: MIT
 */
#include "univariate.h"

#include "model/solo.h"

TestSuite(numeric_inverse);

#define LINE(dtype, type) UNIVARIATE(dtype, type, "", NORMAL_BASE)
#define EACH(X)                                                                                              \
    X("gaussian_mixture_cdf") X("logistic_mixture_cdf") X("deep_sigmoidal") X("bernstein") X("sos_polynomial")
#define BOTH(type) {LINE("f64", type), LINE("f32", type)},

static const char *const models[][2] = {EACH(BOTH)};
#define MODELS ((int)(sizeof models / sizeof *models))

static const double targets[] = {-1e6, -1e3, -40, -5, -0.5, 0, 1e-3, 2, 40, 1e3, 1e6};
enum { TARGETS = sizeof targets / sizeof *targets };

static void expect_return(const char *json, double tolerance)
{
    stage s = open_stage(json);
    uint64_t state = 31;
    double p[MOST_PARAMS], y[TARGETS], x[TARGETS], again[TARGETS], l[TARGETS], back[TARGETS];
    for (int draw = 0; draw < 4; draw++) {
        stir(s, 0.6, &state, p);
        memcpy(y, targets, sizeof y);
        cr_assert_eq(run_rows(s, 1, TARGETS, y, x, back), 0, "%s", json);
        cr_assert_eq(run_rows(s, 0, TARGETS, x, again, l), 0, "%s", json);
        for (int i = 0; i < TARGETS; i++) {
            NEAR(again[i], y[i], tolerance);
            NEAR(-back[i], l[i], tolerance);
        }
    }
    close_stage(s);
}

Test(numeric_inverse, far_targets_come_back)
{
    for (int m = 0; m < MODELS; m++) {
        expect_return(models[m][0], 2e-14);
        expect_return(models[m][1], 1e-5);
    }
}

/* A polynomial of degree 25 in single precision: the bracket's end overflows, and serves. */
Test(numeric_inverse, an_infinite_value_tells_the_side)
{
    stage s = open_stage(UNIVARIATE("f32", "sos_polynomial", "\"squares\":1,\"degree\":12", NORMAL_BASE));
    double p[14] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}, l;
    put(s, "1.params", p, 14);
    const double x = run_one(s, 1, 1e30, &l);
    NEAR(pow(x, 25) / 25, 1e30, 1e-5);
    close_stage(s);
}

/* ---- one module through its own calls ---- */

#define ROWS 16

static const char *const ids[] = {"gaussian_mixture_cdf", "logistic_mixture_cdf", "deep_sigmoidal",
                                  "bernstein", "sos_polynomial"};

static double *lane(const weir_tile *tile, int32_t f)
{
    return (double *)tile->data + f * tile->stride;
}

static int is_discarded(const weir_frame *frame, int row)
{
    return (int)(frame->discard[row >> 6] >> (row & 63) & 1);
}

static void expect_report(weir_runtime *rt, const char *id)
{
    json_t *const node = json_pack("{s:s}", "type", id);
    const weir__solo_spec spec = {.node = node, .precision = WEIR_F64, .features = 1, .supply = 1};
    weir__solo *solo = NULL;
    MUST(weir__solo_open(rt, &spec, &solo, &error));
    const weir_child *const c = weir__solo_child(solo);
    const weir_tile y = weir__solo_tile(solo, 1, ROWS), x = weir__solo_tile(solo, 1, ROWS);
    const weir_tile params = weir__solo_tile(solo, c->params, ROWS);
    for (int r = 0; r < ROWS; r++) {
        lane(&y, 0)[r] = r - 7.3;
        for (int k = 0; k < c->params; k++) lane(&params, k)[r] = c->identity[k] + 0.05 * ((r + k) % 5);
    }
    lane(&y, 0)[3] = NAN;
    lane(&y, 0)[11] = INFINITY;
    int32_t iterations[ROWS] = {0};
    double residual[ROWS] = {0}, log_det[ROWS] = {0};
    weir_report report = {(uint32_t)sizeof report, 0, iterations, residual};
    weir_frame *const frame = weir__solo_frame(solo, ROWS, WEIR_MODE_EVALUATE, 0, 0, NULL, NULL);
    frame->report = &report;
    cr_assert_eq(c->univariate->inverse(c->self, frame, &y, &params, &x, log_det), WEIR_DISCARD, "%s", id);
    for (int r = 0; r < ROWS; r++) {
        const int hopeless = r == 3 || r == 11;
        cr_assert_eq(is_discarded(frame, r), hopeless, "%s: row %d", id, r);
        if (hopeless) continue;
        cr_assert(isfinite(lane(&x, 0)[r]) && isfinite(log_det[r]), "%s: row %d", id, r);
        cr_assert(iterations[r] >= 1 && iterations[r] <= 40, "%s: %d evaluations", id, (int)iterations[r]);
        cr_assert(residual[r] < 1e-13, "%s: residual %g", id, residual[r]);
    }
    cr_assert(c->traits & WEIR_TRAIT_INVERSE_NUMERIC);
    weir__solo_close(solo);
    json_decref(node);
}

Test(numeric_inverse, reports_say_what_it_took_and_hopeless_rows_are_marked)
{
    weir_runtime *const rt = open_weir(1);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) expect_report(rt, ids[i]);
    weir_close(rt);
}
