/* test_bends.c - planar, radial, sylvester, scale and lambert_w against the formulas of their sources, and at the points
 * where those formulas have a hole.
 *
 * SPDX-License-Identifier: MIT
 */
#include "stage.h"

TestSuite(bends);

#define D     3
#define LEAST 1e-6 /* added by the modules to what must stay positive */
#define LAYER(layer)                                                                                         \
    "{\"dtype\":\"f64\",\"features\":3,\"seed\":5,\"flow\":" layer ",\"base\":{\"type\":\"normal\"}}"
#define PLANAR(options) LAYER("{\"type\":\"planar\",\"options\":{" options "}}")
#define RADIAL(options) LAYER("{\"type\":\"radial\",\"options\":{" options "}}")

/* One row through the model; the log-det. */
static double pass(stage s, int inverse, const double *from, double *to)
{
    double log_det = NAN, copy[D];
    memcpy(copy, from, sizeof copy);
    const weir_matrix in = {(uint32_t)sizeof in, WEIR_DTYPE_F64, 1, D, 0, copy};
    const weir_matrix out = {(uint32_t)sizeof out, WEIR_DTYPE_F64, 1, D, 0, to};
    weir_call call = {.struct_size = (uint32_t)sizeof call};
    MUST((inverse ? weir_inverse : weir_forward)(s.m, &in, &call, &out, &log_det, &error));
    cr_assert_eq(call.discarded, 0, "discarded");
    return log_det;
}

static void expect_near(const double *is, const double *should, double tolerance)
{
    for (int i = 0; i < D; i++)
        cr_assert(fabs(is[i] - should[i]) <= tolerance * (1 + fabs(should[i])), "%d: %.17g, not %.17g", i,
                  is[i], should[i]);
}

static double dot(const double *a, const double *b)
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* ---- planar ---- */

static const double w[D] = {0.8, -1.1, 0.4}, u[D] = {-0.7, 0.9, 1.3},
                    points[][D] = {{0.3, -0.2, 1.1}, {-4, 2, 0.5}, {0, 0, 0}, {30, 50, -20}};

/* Rezende and Mohamed 2015, eq. 10 to 12 and appendix A.1. */
static double planar_by_hand(const double *x, double b, double *z)
{
    const double t = dot(w, u), m = -1 + log1p(exp(t)) + LEAST, a = dot(w, x) + b, h = tanh(a);
    double v[D];
    for (int i = 0; i < D; i++) v[i] = u[i] + (m - t) * w[i] / dot(w, w);
    for (int i = 0; i < D; i++) z[i] = x[i] + v[i] * h;
    return log(fabs(1 + (1 - h * h) * dot(w, v)));
}

Test(bends, planar_is_the_source_s_in_either_direction)
{
    const stage forward = open_stage(PLANAR("")), inverse = open_stage(PLANAR("\"explicit\":\"inverse\""));
    for (int k = 0; k < 2; k++) {
        const stage s = k ? inverse : forward;
        put(s, "w", w, D);
        put(s, "u", u, D);
        put_one(s, "b", -0.3);
        for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
            double z[D], wanted[D], back[D];
            const double l = planar_by_hand(points[i], -0.3, wanted);
            cr_assert_float_eq(pass(s, k, points[i], z), l, 1e-12);
            expect_near(z, wanted, 1e-14);
            cr_assert_float_eq(pass(s, !k, z, back), -l, 1e-12);
            expect_near(back, points[i], 1e-14);
        }
        close_stage(s);
    }
}

Test(bends, planar_without_a_direction_is_a_shift)
{
    const stage s = open_stage(PLANAR(""));
    const double none[D] = {0}, x[D] = {1, 2, 3};
    double z[D], back[D], wanted[D];
    put(s, "w", none, D);
    put(s, "u", u, D);
    put_one(s, "b", 0.7);
    for (int i = 0; i < D; i++) wanted[i] = x[i] + u[i] * tanh(0.7);
    cr_assert_float_eq(pass(s, 0, x, z), 0, 1e-15);
    expect_near(z, wanted, 1e-15);
    cr_assert_float_eq(pass(s, 1, z, back), 0, 1e-15);
    expect_near(back, x, 1e-15);
    close_stage(s);
}

/* w.u far below -1: only the constraint keeps the slope along w positive, at 1e-6 where it is least. */
Test(bends, planar_comes_back_where_it_is_nearly_flat)
{
    const stage s = open_stage(PLANAR(""));
    const double amount[D] = {-60, 0, 0}, direction[D] = {1, 0, 0};
    put(s, "w", direction, D);
    put(s, "u", amount, D);
    for (double x = -8; x <= 8; x += 0.37) {
        const double h = tanh(x), slope = h * h + (1 - h * h) * LEAST, at[D] = {x, 0, 0};
        double z[D], back[D];
        cr_assert_float_eq(pass(s, 0, at, z), log(slope), 1e-9);
        pass(s, 1, z, back);
        cr_assert(fabs(back[0] - x) <= 64 * 0x1p-53 * (1 + fabs(x)) / slope, "%.17g comes back as %.17g", x,
                  back[0]);
    }
    close_stage(s);
}

Test(bends, planar_can_start_at_the_identity)
{
    const stage s = open_stage(PLANAR("\"start\":\"identity\""));
    double z[D];
    cr_assert_float_eq(pass(s, 0, points[1], z), 0, 1e-14);
    expect_near(z, points[1], 1e-14);
    close_stage(s);
}

/* ---- radial ---- */

static const double centre[D] = {0.5, -1, 2};

/* The same, eq. 14 and appendix A.2. */
static double radial_by_hand(const double *x, double alpha, double beta, double *z)
{
    const double off[D] = {x[0] - centre[0], x[1] - centre[1], x[2] - centre[2]}, r = sqrt(dot(off, off));
    const double b = -alpha + log1p(exp(beta)) + LEAST, h = 1 / (alpha + r), slope = -h * h;
    for (int i = 0; i < D; i++) z[i] = x[i] + b * h * off[i];
    return (D - 1) * log(1 + b * h) + log(1 + b * h + b * slope * r);
}

Test(bends, radial_is_the_source_s_in_either_direction)
{
    for (int k = 0; k < 4; k++) {
        const stage s = open_stage(k % 2 ? RADIAL("\"explicit\":\"inverse\"") : RADIAL(""));
        const double beta = k / 2 ? -3 : 1.7;
        put(s, "centre", centre, D);
        put_one(s, "log_alpha", -0.6);
        put_one(s, "beta", beta);
        for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
            double z[D], wanted[D], back[D];
            const double l = radial_by_hand(points[i], exp(-0.6), beta, wanted);
            cr_assert_float_eq(pass(s, k % 2, points[i], z), l, 1e-12);
            expect_near(z, wanted, 1e-14);
            cr_assert_float_eq(pass(s, !(k % 2), z, back), -l, 1e-12);
            expect_near(back, points[i], 1e-13);
        }
        close_stage(s);
    }
}

Test(bends, radial_keeps_its_centre)
{
    const stage s = open_stage(RADIAL(""));
    const double slope = (log1p(exp(-3.0)) + LEAST) / exp(-0.6);
    double z[D], back[D];
    put(s, "centre", centre, D);
    put_one(s, "log_alpha", -0.6);
    put_one(s, "beta", -3);
    cr_assert_float_eq(pass(s, 0, centre, z), D * log(slope), 1e-13);
    expect_near(z, centre, 0);
    cr_assert_float_eq(pass(s, 1, z, back), -D * log(slope), 1e-13);
    expect_near(back, centre, 0);
    close_stage(s);
}

/* ---- sylvester, scale, shift ---- */

Test(bends, what_cannot_be_is_refused)
{
    expect_no_build(LAYER("{\"type\":\"sylvester\",\"options\":{\"hidden\":4}}"),
                    "hidden = 4 is more than the 3 features");
    expect_no_build(LAYER("{\"type\":\"scale\",\"options\":{\"start\":[1,0,2]}}"), "start of feature 2 is 0");
    expect_no_build(LAYER("{\"type\":\"scale\",\"options\":{\"start\":[1,2]}}"),
                    "start has 2 numbers for 3 features: give 1 or 3");
    expect_no_build(LAYER("{\"type\":\"shift\",\"options\":{\"start\":[]}}"),
                    "start has 0 numbers for 3 features");
    expect_no_build(
        LAYER("{\"type\":\"elementwise\",\"children\":{\"univariate\":{\"type\":\"power\",\"options\":{"
              "\"exponent\":0}}}}"),
        "exponent = 0");
}

Test(bends, a_scale_that_becomes_0_is_refused)
{
    const stage s = open_stage(LAYER("{\"type\":\"scale\"}"));
    const double zero[D] = {1, 0, 1};
    double x[D] = {1, 2, 3}, z[D];
    const weir_matrix in = {(uint32_t)sizeof in, WEIR_DTYPE_F64, 1, D, 0, x};
    const weir_matrix out = {(uint32_t)sizeof out, WEIR_DTYPE_F64, 1, D, 0, z};
    weir_call call = {.struct_size = (uint32_t)sizeof call};
    weir_error e = {0};
    weir_status status = weir_tensor_write(s.m, weir_tensor_find(s.m, "flow.scale"), zero, D, &e);
    if (status == WEIR_OK) status = weir_forward(s.m, &in, &call, &out, NULL, &e);
    cr_assert_neq(status, WEIR_OK);
    cr_assert(strstr(e.message, "scale of feature 2 is 0"), "%s", e.message);
    close_stage(s);
}

Test(bends, sylvester_starts_at_the_identity_and_moves_along_its_units)
{
    const stage s = open_stage(LAYER("{\"type\":\"sylvester\",\"options\":{\"hidden\":2}}"));
    const double stretch[2] = {1.5, -2};
    double z[D], back[D];
    cr_assert_float_eq(pass(s, 0, points[0], z), 0, 1e-14);
    expect_near(z, points[0], 1e-14);
    put(s, "stretch", stretch, 2);
    const double l = pass(s, 0, points[0], z);
    cr_assert(fabs(l) > 1e-3);
    cr_assert_float_eq(pass(s, 1, z, back), -l, 1e-13);
    expect_near(back, points[0], 1e-14);
    close_stage(s);
}

/* ---- lambert_w ---- */

Test(bends, lambert_w_solves_its_equation)
{
    const stage s = open_stage(
        LAYER("{\"type\":\"elementwise\",\"children\":{\"univariate\":{\"type\":\"lambert_w\"}}}"));
    const double a[D] = {-5, 0, 3};
    put(s, "params", a, D);
    for (double e = -40; e <= 40; e += 0.625) {
        const double x = pow(10, e), at[D] = {x, -x, x};
        double z[D], sum = 0;
        const double l = pass(s, 0, at, z);
        for (int i = 0; i < D; i++) {
            const double delta = log1p(exp(a[i])), v = delta * z[i] * z[i];
            cr_assert(fabs(log(fabs(z[i])) + v / 2 - log(x)) <= 1e-13 * (1 + fabs(log(x))), "at %g: %g",
                      at[i], z[i]);
            cr_assert_eq(signbit(z[i]), signbit(at[i]));
            sum -= v / 2 + log1p(v);
        }
        cr_assert_float_eq(l, sum, 1e-12 * (1 + fabs(sum)));
    }
    close_stage(s);
}

/* ---- training in both directions ---- */

/* Energy 1 of Rezende and Mohamed 2015, table 1: a ring with two heavy sides. */
static int32_t two_moons(void *user, int64_t rows, int64_t columns, const double *x, double *log_p,
                         double *gradient)
{
    (void)user;
    for (int64_t i = 0; i < rows; i++) {
        const double *const z = x + i * columns;
        const double r = sqrt(z[0] * z[0] + z[1] * z[1]) + 1e-12, out = (r - 2) / 0.4;
        const double a = exp(-(z[0] - 2) * (z[0] - 2) / 0.72), b = exp(-(z[0] + 2) * (z[0] + 2) / 0.72);
        const double sum = a + b + 1e-300;
        log_p[i] = -out * out / 2 + log(sum);
        for (int j = 0; j < 2; j++) gradient[i * columns + j] = -out / 0.4 * z[j] / r;
        gradient[i * columns] += (-(z[0] - 2) / 0.36 * a - (z[0] + 2) / 0.36 * b) / sum;
    }
    return 0;
}

/* Mean loss of the first and of the last ten steps. */
static void train(const char *layer, const weir_step *step, double *first, double *last)
{
    char json[1500];
    snprintf(
        json, sizeof json,
        "{\"features\":2,\"seed\":3,\"flow\":{\"type\":\"repeat\",\"options\":{\"count\":6},\"children\":{"
        "\"layers\":[%s]}},\"base\":{\"type\":\"normal\"}}",
        layer);
    const stage s = open_stage(json);
    weir_trainer *const t = must_train(s.m, NULL);
    *first = *last = 0;
    for (int i = 0; i < 150; i++) {
        weir_step_result r = no_result();
        MUST(weir_trainer_step(t, step, &r, &error));
        cr_assert(r.applied, "%s: step %d: %s", layer, i, r.message);
        if (i < 10) *first += r.loss / 10;
        if (i >= 140) *last += r.loss / 10;
    }
    weir_trainer_close(t);
    close_stage(s);
}

Test(bends, both_directions_of_every_layer_train_by_both_divergences)
{
    static const char *const layers[] = {
        "{\"type\":\"planar\"}",
        "{\"type\":\"planar\",\"options\":{\"explicit\":\"inverse\"}}",
        "{\"type\":\"planar\",\"options\":{\"activation\":\"leaky_relu\"}}",
        "{\"type\":\"radial\"}",
        "{\"type\":\"radial\",\"options\":{\"explicit\":\"inverse\"}}",
        "{\"type\":\"sylvester\"}",
        "{\"type\":\"sylvester\",\"options\":{\"explicit\":\"inverse\",\"hidden\":1}}",
        "{\"type\":\"shift\"},{\"type\":\"scale\"}",
        "{\"type\":\"lu_linear\"},{\"type\":\"elementwise\",\"children\":{\"univariate\":{\"type\":\"sinh_arcsinh\"}}}",
        "{\"type\":\"lu_linear\"},{\"type\":\"elementwise\",\"children\":{\"univariate\":{\"type\":\"lambert_w\"}}}",
        "{\"type\":\"lu_linear\"},{\"type\":\"elementwise\",\"children\":{\"univariate\":{\"type\":\"prelu\"}}}",
    };
    const weir_matrix x = some_data(256, 2, 11);
    weir_step data = data_step(&x);
    weir_step target = {.struct_size = (uint32_t)sizeof target, .samples = 256, .target = two_moons};
    data.learning_rate = target.learning_rate = 1e-2;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        double first, last;
        train(layers[i], &data, &first, &last);
        cr_assert(last < first - 0.02, "%s: forward KL from %g to %g", layers[i], first, last);
        train(layers[i], &target, &first, &last);
        cr_assert(last < first - 0.1, "%s: reverse KL from %g to %g", layers[i], first, last);
    }
    free(x.data);
}
