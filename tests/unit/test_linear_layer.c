/* test_linear_layer.c - every parameterization of linear against its formula in plain loops, its start, its training, and
 * the matrices that it must refuse.
 *
 * SPDX-License-Identifier: MIT
 */
#include "stage.h"

#include "file_fixture.h"

TestSuite(linear_layer);

#define N    5
#define HALF (N * (N - 1) / 2)
#define OPTIONS(options)                                                                                     \
    "{\"dtype\":\"f64\",\"features\":5,\"seed\":5,\"flow\":{\"type\":\"linear\",\"options\":{" options       \
    "}},\"base\":{\"type\":\"normal\"}}"
#define FORM(form) OPTIONS("\"parameterization\":\"" form "\"")

typedef double square[N][N];

static const char *const forms[] = {"full", "diagonal",    "triangular",  "lu",     "qr",
                                    "svd",  "householder", "exponential", "cayley", "low_rank"};
#define FORMS (sizeof forms / sizeof *forms)

static stage open_form(const char *form, const char *more)
{
    char json[400];
    snprintf(json, sizeof json, OPTIONS("\"parameterization\":\"%s\"%s"), form, more);
    return open_stage(json);
}

/* ---- plain matrices ---- */

static void set_identity(square a)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = i == j;
}

/* a = a b */
static void times(square a, square b)
{
    square c = {{0}};
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            for (int k = 0; k < N; k++) c[i][j] += a[i][k] * b[k][j];
    memcpy(a, c, sizeof c);
}

static double difference(square a, square b)
{
    double most = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) most = fmax(most, fabs(a[i][j] - b[i][j]));
    return most;
}

/* By elimination with the largest pivot of all that are left. */
static double log_abs_det(square given)
{
    square a;
    double sum = 0;
    memcpy(a, given, sizeof a);
    for (int k = 0; k < N; k++) {
        int row = k, column = k;
        for (int i = k; i < N; i++)
            for (int j = k; j < N; j++)
                if (fabs(a[i][j]) > fabs(a[row][column])) row = i, column = j;
        const double pivot = a[row][column];
        for (int j = 0; j < N; j++) {
            const double kept = a[k][j];
            a[k][j] = a[row][j];
            a[row][j] = kept;
        }
        for (int i = 0; i < N; i++) {
            const double kept = a[i][k];
            a[i][k] = a[i][column];
            a[i][column] = kept;
        }
        for (int i = k + 1; i < N; i++)
            for (int j = N - 1; j >= k; j--) a[i][j] -= a[i][k] / pivot * a[k][j];
        sum += log(fabs(pivot));
    }
    return sum;
}

/* ---- each form by its definition ---- */

static void read_triangle(stage s, const char *name, int lower, int unit, square a)
{
    double packed[HALF], logs[N];
    set_identity(a);
    get(s, name, packed, HALF);
    if (!unit) get(s, "log_diagonal", logs, N);
    for (int i = 0, next = 0; i < N; i++) {
        if (!unit) a[i][i] = exp(logs[i]);
        for (int j = 0; j < i; j++, next++) *(lower ? &a[i][j] : &a[j][i]) = packed[next];
    }
}

static void read_reflections(stage s, const char *name, square a)
{
    double v[N * N];
    const int count = (int)(get(s, name, v, N * N) / N);
    cr_assert_eq(count, 4, "%d reflections of 5 features", count);
    set_identity(a);
    for (int k = 0; k < count; k++) {
        square h;
        double norm = 0;
        for (int i = 0; i < N; i++) norm += v[k * N + i] * v[k * N + i];
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) h[i][j] = (i == j) - 2 * v[k * N + i] * v[k * N + j] / norm;
        times(a, h);
    }
}

static void read_diagonal(stage s, square a)
{
    double logs[N];
    get(s, "log_diagonal", logs, N);
    set_identity(a);
    for (int i = 0; i < N; i++) a[i][i] = exp(logs[i]);
}

static void read_skew(stage s, square a)
{
    double packed[HALF];
    get(s, "skew", packed, HALF);
    for (int i = 0, next = 0; i < N; i++) {
        a[i][i] = 0;
        for (int j = 0; j < i; j++, next++) {
            a[i][j] = packed[next];
            a[j][i] = -packed[next];
        }
    }
}

/* (I + A / 2^20 + ...)^(2^20) would lose 6 digits; A / 64 and thirty terms lose none. */
static void exponential_of(square a, square w)
{
    square term, small;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) small[i][j] = a[i][j] / 64;
    set_identity(w);
    set_identity(term);
    for (int k = 1; k <= 30; k++) {
        times(term, small);
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                term[i][j] /= k;
                w[i][j] += term[i][j];
            }
    }
    for (int k = 0; k < 6; k++) {
        square copy;
        memcpy(copy, w, sizeof copy);
        times(w, copy);
    }
}

static void read_lu(stage s, square w)
{
    square lower, upper;
    double order[N], sign[N];
    read_triangle(s, "lower", 1, 1, lower);
    read_triangle(s, "upper", 0, 0, upper);
    get(s, "permutation", order, N);
    get(s, "sign", sign, N);
    for (int i = 0; i < N; i++) upper[i][i] *= sign[i];
    times(lower, upper);
    for (int i = 0; i < N; i++) memcpy(w[i], lower[(int)order[i]], sizeof w[i]);
}

static void read_low_rank(stage s, square w)
{
    double left[N * N], right[N * N];
    const int r = (int)(get(s, "left", left, N * N) / N);
    cr_assert_eq(get(s, "right", right, N * N), r * N);
    cr_assert_eq(r, 4);
    read_diagonal(s, w);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            for (int k = 0; k < r; k++) w[i][j] += left[i * r + k] * right[j * r + k];
}

static void by_definition(stage s, const char *form, square w)
{
    square other;
    double flat[N * N];
    if (strcmp(form, "full") == 0) {
        get(s, "weight", flat, N * N);
        memcpy(w, flat, sizeof flat);
    } else if (strcmp(form, "diagonal") == 0) {
        read_diagonal(s, w);
    } else if (strcmp(form, "triangular") == 0) {
        read_triangle(s, "lower", 1, 0, w);
    } else if (strcmp(form, "lu") == 0) {
        read_lu(s, w);
    } else if (strcmp(form, "qr") == 0) {
        read_reflections(s, "householder", w);
        read_triangle(s, "upper", 0, 0, other);
        times(w, other);
    } else if (strcmp(form, "svd") == 0) {
        read_reflections(s, "left", w);
        read_diagonal(s, other);
        times(w, other);
        read_reflections(s, "right", other);
        times(w, other);
    } else if (strcmp(form, "householder") == 0) {
        read_reflections(s, "householder", w);
    } else if (strcmp(form, "low_rank") == 0) {
        read_low_rank(s, w);
    } else {
        read_skew(s, other);
        exponential_of(other, w);
    }
}

/* ---- the layer ---- */

/* W, b and log |det W| as the layer computes them, from the images of 0 and of the axes; inverse: of the inverse map. */
static double probe(stage s, int inverse, square w, double *b)
{
    double x[(N + 1) * N] = {0}, z[(N + 1) * N], log_det[N + 1];
    const weir_matrix in = {(uint32_t)sizeof in, WEIR_DTYPE_F64, N + 1, N, 0, x};
    const weir_matrix out = {(uint32_t)sizeof out, WEIR_DTYPE_F64, N + 1, N, 0, z};
    weir_call call = {.struct_size = (uint32_t)sizeof call};
    for (int i = 0; i < N; i++) x[(i + 1) * N + i] = 1;
    MUST((inverse ? weir_inverse : weir_forward)(s.m, &in, &call, &out, log_det, &error));
    cr_assert_eq(call.discarded, 0);
    memcpy(b, z, N * sizeof *b);
    for (int j = 0; j < N; j++)
        for (int i = 0; i < N; i++) w[i][j] = z[(j + 1) * N + i] - z[i];
    for (int r = 1; r <= N; r++) cr_assert_eq(log_det[r], log_det[0], "row %d has its own log-det", r);
    return log_det[0];
}

static void expect_inverse(stage s, square w, double log_det)
{
    square back, one;
    double b[N];
    set_identity(one);
    cr_assert_float_eq(probe(s, 1, back, b), -log_det, 1e-15);
    times(back, w);
    cr_assert_lt(difference(back, one), 1e-12);
}

Test(linear_layer, every_form_is_its_formula)
{
    for (size_t k = 0; k < FORMS; k++) {
        const stage s = open_form(forms[k], "");
        square w, wanted;
        double b[N], bias[N];
        shake(s.m, 0.8);
        const double log_det = probe(s, 0, w, b);
        get(s, "bias", bias, N);
        for (int i = 0; i < N; i++) cr_assert_float_eq(b[i], bias[i], 1e-15);
        expect_inverse(s, w, log_det);
        if (strcmp(forms[k], "cayley") == 0) { /* W (I + A) = I - A */
            square plus, minus;
            read_skew(s, plus);
            for (int i = 0; i < N; i++)
                for (int j = 0; j < N; j++) minus[i][j] = (i == j) - plus[i][j];
            for (int i = 0; i < N; i++) plus[i][i] += 1;
            memcpy(wanted, w, sizeof w);
            times(wanted, plus);
            cr_assert_lt(difference(wanted, minus), 1e-13);
        } else {
            by_definition(s, forms[k], wanted);
            cr_assert_lt(difference(w, wanted), 1e-13, "%s: off by %g", forms[k], difference(w, wanted));
        }
        cr_assert_float_eq(log_det, log_abs_det(w), 1e-12, "%s: %.17g against %.17g", forms[k], log_det,
                           log_abs_det(w));
        close_stage(s);
    }
}

/* lu_linear is older; its models must keep their meaning. */
Test(linear_layer, lu_is_lu_linear_to_the_bit)
{
    const stage a = open_form("lu", ""),
                b = open_stage(
                    "{\"dtype\":\"f64\",\"features\":5,\"seed\":5,\"flow\":{\"type\":\"lu_linear\"},"
                    "\"base\":{\"type\":\"normal\"}}");
    square one, other;
    double shift[N];
    cr_assert_eq(weir_model_get(a.m, WEIR_MODEL_TENSORS), weir_model_get(b.m, WEIR_MODEL_TENSORS));
    shake(a.m, 0.7);
    shake(b.m, 0.7);
    cr_assert_eq(probe(a, 0, one, shift), probe(b, 0, other, shift));
    cr_assert_eq(difference(one, other), 0);
    cr_assert_eq(probe(a, 1, one, shift), probe(b, 1, other, shift));
    cr_assert_eq(difference(one, other), 0);
    close_stage(a);
    close_stage(b);
}

Test(linear_layer, every_form_starts_at_the_identity)
{
    for (size_t k = 0; k < FORMS; k++) {
        const stage s = open_form(forms[k], "");
        square w, one;
        double b[N];
        set_identity(one);
        cr_assert_float_eq(probe(s, 0, w, b), 0, 1e-15);
        cr_assert_lt(difference(w, one), 1e-14, "%s", forms[k]);
        for (int i = 0; i < N; i++) cr_assert_eq(b[i], 0);
        close_stage(s);
    }
}

static void expect_orthogonal(square w, double tolerance, const char *what)
{
    square product, one;
    set_identity(one);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            product[i][j] = 0;
            for (int k = 0; k < N; k++) product[i][j] += w[k][i] * w[k][j];
        }
    cr_assert_lt(difference(product, one), tolerance, "%s: off by %g", what, difference(product, one));
}

Test(linear_layer, a_random_start_is_orthogonal_and_no_identity)
{
    static const char *const able[] = {"full", "lu", "qr", "svd", "householder", "exponential", "cayley"};
    for (size_t k = 0; k < sizeof able / sizeof *able; k++) {
        const stage s = open_form(able[k], ",\"init\":\"random\"");
        square w, one;
        double b[N];
        set_identity(one);
        cr_assert_float_eq(probe(s, 0, w, b), 0, 1e-13);
        expect_orthogonal(w, 1e-13, able[k]);
        cr_assert_gt(difference(w, one), 0.1, "%s", able[k]);
        close_stage(s);
    }
}

Test(linear_layer, rotations_stay_orthogonal_far_out)
{
    static const char *const able[] = {"exponential", "cayley"};
    double skew[HALF];
    for (int i = 0; i < HALF; i++) skew[i] = (i % 3 - 1.2) * 600;
    for (size_t k = 0; k < 2; k++) {
        const stage s = open_form(able[k], "");
        square w;
        double b[N];
        put(s, "skew", skew, HALF);
        cr_assert_eq(probe(s, 0, w, b), 0);
        expect_orthogonal(w, 1e-11, able[k]);
        close_stage(s);
    }
}

Test(linear_layer, a_zero_reflection_and_huge_or_tiny_ones_are_reflections_still)
{
    const stage s = open_form("householder", "");
    double v[4 * N] = {0};
    square w;
    double b[N];
    for (int i = 0; i < N; i++) {
        v[i] = 1e300 * (i + 1);
        v[N + i] = 1e-310 * (i * i + 1);
        v[2 * N + i] = i == 2;
    }
    put(s, "householder", v, 4 * N);
    cr_assert_eq(probe(s, 0, w, b), 0);
    expect_orthogonal(w, 1e-12, "householder");
    cr_assert_float_eq(fabs(log_abs_det(w)), 0, 1e-12);
    close_stage(s);
}

Test(linear_layer, without_bias_there_is_no_such_tensor)
{
    const stage s = open_form("qr", ",\"bias\":false");
    square w;
    double b[N];
    cr_assert_eq(weir_tensor_find(s.m, "flow.bias"), -1);
    shake(s.m, 0.5);
    expect_inverse(s, w, probe(s, 0, w, b));
    for (int i = 0; i < N; i++) cr_assert_eq(b[i], 0);
    close_stage(s);
}

/* ---- what is refused ---- */

/* What forward says; it must fail. */
static void expect_failure(const weir_model *m, const char *wanted)
{
    double x[N] = {1, 2, 3, 4, 5}, z[N];
    const weir_matrix in = {(uint32_t)sizeof in, WEIR_DTYPE_F64, 1, N, 0, x};
    const weir_matrix out = {(uint32_t)sizeof out, WEIR_DTYPE_F64, 1, N, 0, z};
    weir_call call = {.struct_size = (uint32_t)sizeof call};
    weir_error e = {0};
    cr_assert_eq(weir_forward(m, &in, &call, &out, NULL, &e), WEIR_INVALID, "not refused: %s", wanted);
    cr_assert(strstr(e.message, wanted), "\"%s\" instead of \"%s\"", e.message, wanted);
    cr_assert_null(strchr(e.message, '\n'));
}

static void expect_refused(const char *form, const char *tensor, const double *values, int64_t count,
                           const char *wanted)
{
    const stage s = open_form(form, "");
    put(s, tensor, values, count);
    expect_failure(s.m, wanted);
    close_stage(s);
}

Test(linear_layer, singular_matrices_are_refused_and_say_so)
{
    double weight[N * N], broken[N * N], tall[N * 4] = {0}, nearly[N * N];
    for (int i = 0; i < N * N; i++) weight[i] = i / N + 1; /* rank 1 */
    for (int i = 0; i < N * N - N; i++) nearly[i] = sin(1 + i * i);
    for (int j = 0; j < N; j++) /* no pivot of it is exactly 0 */
        nearly[N * N - N + j] = 0.3 * nearly[j] - 0.7 * nearly[N + j] + 0.1 * nearly[2 * N + j];
    expect_refused("full", "weight", weight, N * N, "weight` is singular to rounding");
    expect_refused("full", "weight", nearly, N * N, "parameterization = lu");
    memset(weight, 0, sizeof weight);
    expect_refused("full", "weight", weight, N * N, "singular");
    for (int i = 0; i < N * N; i++) broken[i] = i % (N + 1) == 0;
    broken[N] = NAN;
    expect_refused("full", "weight", broken, N * N, "entry (2, 1) of the parameter `weight` is");
    const stage s = open_form("low_rank", "");
    tall[0] = -1; /* left and right have one entry each, at the same place: 1 - 1 = 0 */
    put(s, "left", tall, N * 4);
    tall[0] = 1;
    put(s, "right", tall, N * 4);
    expect_failure(s.m, "diag(exp(log_diagonal)) + left right^T is singular");
    close_stage(s);
}

/* A large condition that only rows of unlike units make is none: it is not refused. */
Test(linear_layer, rows_of_unlike_size_are_not_singular)
{
    const stage s = open_form("full", "");
    double weight[N * N] = {0}, b[N];
    square w;
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) weight[i * N + j] = pow(1e-12, i) * ((i == j) + 0.1 * (i * j % 3));
    }
    put(s, "weight", weight, N * N);
    const double log_det = probe(s, 0, w, b); /* some -140: 1e-10 of it, not of 1 */
    cr_assert_float_eq(log_det, log_abs_det(w), 1e-10 * fabs(log_det));
    close_stage(s);
}

Test(linear_layer, a_singular_matrix_from_a_file_is_refused)
{
    const stage s = open_form("full", "");
    const double zero[N * N] = {0};
    char path[300];
    weir_model *loaded = NULL;
    weir_error e = {0};
    make_folder();
    snprintf(path, sizeof path, "%s/singular.safetensors", folder);
    put(s, "weight", zero, N * N);
    MUST(weir_model_save(s.m, path, &error));
    if (weir_model_load(s.rt, path, &loaded, &e) == WEIR_OK)
        expect_failure(loaded, "singular");
    else
        cr_assert(strstr(e.message, "singular"), "%s", e.message);
    if (loaded) weir_model_close(loaded);
    remove_folder();
    close_stage(s);
}

Test(linear_layer, other_broken_tensors_are_refused)
{
    const double far[HALF] = {9e3, 2e3}, nan[HALF] = {0, NAN}, order[N] = {0, 1, 1, 3, 4};
    double vectors[4 * N];
    for (int i = 0; i < 4 * N; i++) vectors[i] = i == 7 ? INFINITY : 1;
    expect_refused("exponential", "skew", far, HALF, "skew` that turn feature");
    expect_refused("cayley", "skew", far, HALF, "beyond 10000");
    expect_refused("exponential", "skew", nan, HALF, "nan");
    expect_refused("qr", "householder", vectors, 4 * N, "entry (2, 3) of the parameter `householder` is inf");
    expect_refused("lu", "permutation", order, N, "entry 2 of the buffer `permutation`, 1");
}

Test(linear_layer, options_that_do_not_fit_are_refused)
{
    expect_no_build(FORM("orthogonal"), "householder");
    expect_no_build(OPTIONS("\"parameterization\":\"diagonal\",\"init\":\"random\""), "init = identity");
    expect_no_build(OPTIONS("\"parameterization\":\"low_rank\",\"init\":\"random\""), "low_rank holds none");
    expect_no_build(OPTIONS("\"rank\":2"), "parameterization = lu has no rank");
    expect_no_build(OPTIONS("\"parameterization\":\"cayley\",\"reflections\":2"),
                    "cayley has no reflections");
    expect_no_build(OPTIONS("\"parameterization\":\"low_rank\",\"rank\":6"), "more than the 5 features");
    expect_no_build(OPTIONS("\"parameterization\":\"low_rank\",\"rank\":0"), "rank");
}

/* ---- training ---- */

/* A normal of mean 1 and unlike, correlated directions. */
static int32_t tilted(void *user, int64_t rows, int64_t columns, const double *x, double *log_p,
                      double *gradient)
{
    (void)user;
    for (int64_t i = 0; i < rows; i++) {
        const double *const at = x + i * columns;
        log_p[i] = 0;
        for (int64_t j = 0; j < columns; j++) {
            const double d = at[j] - 1 - (j ? 0.8 * at[j - 1] : 0), next = j + 1 < columns ? at[j + 1] : 0;
            log_p[i] -= d * d;
            gradient[i * columns + j] = -2 * d + (j + 1 < columns ? 1.6 * (next - 1 - 0.8 * at[j]) : 0);
        }
    }
    return 0;
}

static double train(const char *form, const weir_step *step, double *first)
{
    const stage s = open_form(form, "");
    weir_trainer *const t = must_train(s.m, NULL);
    double last = 0;
    for (int i = 0; i < 60; i++) {
        weir_step_result r = no_result();
        MUST(weir_trainer_step(t, step, &r, &error));
        cr_assert(r.applied, "%s: step %d: %s", form, i, r.message);
        if (i == 0) *first = r.loss;
        last = r.loss;
    }
    weir_trainer_close(t);
    close_stage(s);
    return last;
}

Test(linear_layer, every_form_trains_by_both_divergences)
{
    const weir_matrix x = some_data(128, N, 11);
    weir_step data = data_step(&x);
    weir_step target = {.struct_size = (uint32_t)sizeof target, .samples = 128, .target = tilted};
    data.learning_rate = target.learning_rate = 2e-2;
    for (size_t k = 0; k < FORMS; k++) {
        double first, last = train(forms[k], &data, &first);
        cr_assert(last < first - 0.1, "%s: forward KL from %g to %g", forms[k], first, last);
        last = train(forms[k], &target, &first);
        cr_assert(last < first - 0.1, "%s: reverse KL from %g to %g", forms[k], first, last);
    }
}
