/* test_bnaf.c - the block neural autoregressive flow against its network written out, in its tails, and in training.
 *
 * SPDX-License-Identifier: MIT
 */
#include "models.h"

#include "model/solo.h"

TestSuite(bnaf);

#define D 3
#define C 2
#define H 4
#define L 2

#define BNAF(features, context, options)                                                                     \
    "{\"dtype\":\"f64\",\"features\":" #features ",\"context\":" #context                                    \
    ",\"seed\":11,\"flow\":{\"type\":\"bnaf\",\"options\":{" options "}},\"base\":{\"type\":\"normal\"}}"

typedef struct stage {
    weir_runtime *rt;
    weir_model *m;
} stage;

static stage open_stage(const char *json)
{
    stage s = {.rt = open_weir(1)};
    s.m = must_build(s.rt, json);
    return s;
}

static void close_stage(stage s)
{
    weir_model_close(s.m);
    weir_close(s.rt);
}

/* The values of flow.NAME; they stay, by keep. */
static double *tensor(stage s, const char *name, int64_t *count)
{
    char full[100];
    weir_tensor_info info = {.struct_size = (uint32_t)sizeof info};
    snprintf(full, sizeof full, "flow.%s", name);
    const int64_t t = weir_tensor_find(s.m, full);
    cr_assert_geq(t, 0, "no tensor %s", full);
    MUST(weir_tensor_at(s.m, t, &info, &error));
    double *const values = keep(malloc((size_t)(info.count + 1) * sizeof *values));
    MUST(weir_tensor_read(s.m, t, values, info.count, &error));
    if (count) *count = info.count;
    return values;
}

static double *layer_tensor(stage s, int layer, const char *what)
{
    char name[60];
    snprintf(name, sizeof name, "layer.%d.%s", layer, what);
    return tensor(s, name, NULL);
}

static void put(stage s, const char *name, double value)
{
    char full[100];
    snprintf(full, sizeof full, "flow.%s", name);
    MUST(weir_tensor_write(s.m, weir_tensor_find(s.m, full), &value, 1, &error));
}

static weir_matrix view(int64_t rows, int64_t columns, double *data)
{
    return (weir_matrix){(uint32_t)sizeof(weir_matrix), WEIR_DTYPE_F64, rows, columns, 0, data};
}

/* ---- the network, written out: dense weights, every unit's derivative along one feature, no logarithms ---- */

static void dense_row(const double *below, const double *logs, double norm, int before, int in, double *row)
{
    double square = 0;
    for (int k = 0; k < before; k++) row[k] = below[k];
    for (int k = 0; k < in; k++) row[before + k] = exp(logs[k]);
    for (int k = 0; k < before + in; k++) square += row[k] * row[k];
    for (int k = 0; k < before + in; k++) row[k] *= exp(norm) / sqrt(square);
}

/* value and slope hold the units below on entry, those of this layer on return. */
static void run_layer(stage s, int layer, const double *context, double *value, double *slope)
{
    const int in = layer > 1 ? H : 1, out = layer <= L ? H : 1;
    const double *below = layer_tensor(s, layer, "below"), *logs = layer_tensor(s, layer, "log_diagonal");
    const double *const norm = layer_tensor(s, layer, "log_norm"), *const bias =
                                                                       layer_tensor(s, layer, "bias");
    const double *const v = layer_tensor(s, layer, "context.weight");
    double next[D * H], next_slope[D * H], row[D * H];
    for (int o = 0; o < D * out; o++) {
        const int before = o / out * in;
        dense_row(below, logs, norm[o], before, in, row);
        below += before;
        logs += in;
        next[o] = bias[o];
        next_slope[o] = 0;
        for (int k = 0; k < C; k++) next[o] += v[o * C + k] * context[k];
        for (int k = 0; k < before + in; k++) {
            next[o] += row[k] * value[k];
            next_slope[o] += row[k] * slope[k];
        }
        if (layer > L) continue;
        next[o] = tanh(next[o]);
        next_slope[o] *= 1 - next[o] * next[o];
    }
    memcpy(value, next, sizeof next);
    memcpy(slope, next_slope, sizeof next_slope);
}

/* log|det dz/dx|: the Jacobian is triangular, so that the derivative of every output along its own feature is enough. */
static double written_out(stage s, double alpha, double beta, const double *x, const double *context,
                          double *z)
{
    double log_det = 0;
    for (int d = 0; d < D; d++) {
        double value[D * H] = {x[0], x[1], x[2]}, slope[D * H] = {0};
        slope[d] = 1;
        for (int layer = 1; layer <= L + 1; layer++) run_layer(s, layer, context, value, slope);
        z[d] = alpha * value[d] + beta * x[d];
        log_det += log(alpha * slope[d] + beta);
    }
    return log_det;
}

static void compare_with_written_out(stage s, double alpha, double beta)
{
    enum { ROWS = 7 };
    const weir_matrix x = some_data(ROWS, D, 1), c = some_data(ROWS, C, 2), z = room(ROWS, D);
    weir_call call = {.struct_size = (uint32_t)sizeof call, .context = &c};
    double log_det[ROWS];
    MUST(weir_forward(s.m, &x, &call, &z, log_det, &error));
    for (int r = 0; r < ROWS; r++) {
        double expected[D];
        const double *const own = (const double *)z.data + r * D;
        const double l = written_out(s, alpha, beta, (const double *)x.data + r * D,
                                     (const double *)c.data + r * C, expected);
        cr_assert(fabs(log_det[r] - l) < 1e-12 * (1 + fabs(l)), "row %d: %.17g, not %.17g", r, log_det[r], l);
        for (int d = 0; d < D; d++)
            cr_assert(fabs(own[d] - expected[d]) < 1e-12, "row %d: z = %.17g, not %.17g", r, own[d],
                      expected[d]);
    }
}

Test(bnaf, log_det_is_that_of_the_network_written_out)
{
    stage s = open_stage(BNAF(3, 2, "\"hidden\":4,\"layers\":2,\"residual\":\"none\""));
    shake(s.m, 0.7);
    compare_with_written_out(s, 1, 0);
    close_stage(s);
    s = open_stage(BNAF(3, 2, "\"hidden\":4,\"layers\":2,\"residual\":\"normal\""));
    shake(s.m, 0.7);
    compare_with_written_out(s, 1, 1);
    close_stage(s);
    s = open_stage(BNAF(3, 2, "\"hidden\":4,\"layers\":2"));
    shake(s.m, 0.7);
    const double alpha = 1 / (1 + exp(-*tensor(s, "gate", NULL)));
    compare_with_written_out(s, alpha, 1 - alpha);
    close_stage(s);
}

/* ---- tails ---- */

static double pass(stage s, int inverse, double from, double *to, int64_t *discarded)
{
    double log_det = NAN;
    const weir_matrix in = view(1, 1, &from), out = view(1, 1, to);
    weir_call call = {.struct_size = (uint32_t)sizeof call};
    MUST((inverse ? weir_inverse : weir_forward)(s.m, &in, &call, &out, &log_det, &error));
    *discarded = call.discarded;
    return log_det;
}

/* One unit: y = w2 tanh(w1 x + b1) + b2 with wi = e^si whatever else is trained. 1 - tanh^2(1000) is zero, not its
 * logarithm. */
Test(bnaf, log_det_where_the_slope_underflows)
{
    const stage s = open_stage(BNAF(1, 0, "\"hidden\":1,\"residual\":\"none\""));
    static const double at[] = {0, -3, 20, 1000, -1e6};
    int64_t discarded;
    double z;
    put(s, "layer.1.log_norm", 0.3);
    put(s, "layer.2.log_norm", -0.4);
    put(s, "layer.1.bias", 0.1);
    put(s, "layer.2.bias", 2);
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        const double a = exp(0.3) * at[i] + 0.1;
        const double bend = 2 * (log(2) - fabs(a) - log1p(exp(-2 * fabs(a)))), l = 0.3 - 0.4 + bend;
        const double got = pass(s, 0, at[i], &z, &discarded);
        cr_assert_eq(discarded, 0);
        cr_assert(fabs(got - l) < 1e-13 * (1 + fabs(l)), "at %g: %.17g, not %.17g", at[i], got, l);
        cr_assert(fabs(z - (exp(-0.4) * tanh(a) + 2)) < 1e-14);
    }
    close_stage(s);
}

Test(bnaf, without_residual_what_it_cannot_reach_is_discarded)
{
    const stage s = open_stage(BNAF(1, 0, "\"hidden\":1,\"residual\":\"none\""));
    static const double reachable[] = {-0.999999, -0.5, 0, 0.3, 0.999},
                        not [] = {1, -1.5, 1e30, -INFINITY, NAN};
    int64_t discarded;
    double x, z;
    put(s, "layer.1.log_norm", -2);
    put(s, "layer.2.log_norm", 0);
    for (int i = 0; i < 5; i++) {
        pass(s, 1, reachable[i], &x, &discarded);
        cr_assert_eq(discarded, 0, "%g", reachable[i]);
        pass(s, 0, x, &z, &discarded);
        cr_assert(fabs(z - reachable[i]) < 1e-14, "%.17g comes back as %.17g", reachable[i], z);
        pass(s, 1, not [i], &x, &discarded);
        cr_assert_eq(discarded, 1, "%g has x = %g", not [i], x);
    }
    close_stage(s);
}

static void expect_onto(const char *json, double gate, size_t count)
{
    static const double at[] = {0, 1e-30, -4, 37, -1e6, 1e30, -1e200};
    const stage s = open_stage(json);
    int64_t discarded;
    double x, z;
    shake(s.m, 0.5);
    if (isfinite(gate)) put(s, "gate", gate);
    for (size_t i = 0; i < count; i++) {
        const double back = pass(s, 1, at[i], &x, &discarded);
        cr_assert_eq(discarded, 0, "%g is discarded", at[i]);
        const double there = pass(s, 0, x, &z, &discarded);
        cr_assert(fabs(z - at[i]) <= 1e-13 * (1 + fabs(at[i])), "%.17g comes back as %.17g", at[i], z);
        cr_assert(fabs(there + back) < 1e-13 * (1 + fabs(there)), "%g and %g", there, back);
    }
    close_stage(s);
}

/* A gate of 80 leaves x a share of 2e-35: brackets are grown, as far as 4^100. */
Test(bnaf, with_residual_every_z_has_an_x)
{
    expect_onto(BNAF(1, 0, "\"residual\":\"normal\",\"layers\":2"), NAN, 7);
    expect_onto(BNAF(1, 0, "\"residual\":\"gated\""), NAN, 7);
    expect_onto(BNAF(1, 0, "\"residual\":\"gated\""), 15, 7);
    expect_onto(BNAF(1, 0, "\"residual\":\"gated\""), 80, 5);
    expect_onto(BNAF(1, 0, "\"layers\":0"), NAN, 7);
}

/* ---- what the inverse says of itself ---- */

static weir__solo *open_alone(weir_runtime *rt, int layers)
{
    weir__solo *solo;
    json_t *const node = json_pack("{s:s, s:{s:i}}", "type", "bnaf", "options", "layers", layers);
    const weir__solo_spec spec = {.node = node, .precision = WEIR_F64, .features = 3, .supply = 1};
    MUST(weir__solo_open(rt, &spec, &solo, &error));
    MUST(weir__solo_prepare(solo, &error));
    json_decref(node);
    return solo;
}

/* How many steps a row of 3 features takes, and how well it is solved. */
static void expect_steps(weir_runtime *rt, int layers, int32_t least, int32_t most)
{
    int32_t iterations[64] = {0};
    double residual[64] = {0};
    weir_report report = {
        .struct_size = (uint32_t)sizeof report, .iterations = iterations, .residual = residual};
    uint64_t state = 4;
    weir__solo *const solo = open_alone(rt, layers);
    const weir_child *const c = weir__solo_child(solo);
    const weir_tile z = weir__solo_tile(solo, 3, 64), x = weir__solo_tile(solo, 3, 64);
    weir_frame *const frame = weir__solo_frame(solo, 64, WEIR_MODE_EVALUATE, 0, 0, NULL, NULL);
    for (int f = 0; f < 3; f++)
        for (int r = 0; r < 64; r++) ((double *)z.data)[f * z.stride + r] = 6 * dice(&state) - 3;
    frame->report = &report;
    cr_assert_eq(c->layer->inverse(c->self, frame, &z, &x, NULL), WEIR_OK);
    for (int r = 0; r < 64; r++) {
        cr_assert(iterations[r] >= least && iterations[r] <= most, "%d layers: %d steps", layers,
                  (int)iterations[r]);
        cr_assert(residual[r] < 1e-14, "residual %g", residual[r]);
    }
    cr_assert(c->traits & WEIR_TRAIT_INVERSE_SEQUENTIAL);
    cr_assert_eq((c->traits & WEIR_TRAIT_INVERSE_NUMERIC) != 0, layers > 0);
    weir__solo_close(solo);
}

Test(bnaf, steps_and_residual_are_reported)
{
    weir_runtime *const rt = open_weir(1);
    expect_steps(rt, 0, 0, 0);
    expect_steps(rt, 1, 3, 40);
    expect_steps(rt, 2, 3, 40);
    weir_close(rt);
}

/* ---- training ---- */

static weir_matrix two_moons(int64_t rows)
{
    const weir_matrix x = room(rows, 2);
    double *const p = x.data;
    uint64_t state = 3;
    for (int64_t i = 0; i < rows; i++) {
        const double t = 3.141592653589793 * dice(&state), side = i % 2 ? -1 : 1;
        const double noise = 0.1 * sqrt(-2 * log(1 - dice(&state))), turn = 6.283185307179586 * dice(&state);
        p[2 * i] = side * (cos(t) - 0.5) + noise * cos(turn);
        p[2 * i + 1] = side * (sin(t) - 0.25) + noise * sin(turn);
    }
    return x;
}

/* The best Gaussian has about 1.9 nats; what the flow learns beyond is the shape of the moons. */
Test(bnaf, learns_two_moons)
{
    const stage s = open_stage(BNAF(2, 0, "\"hidden\":12,\"layers\":2"));
    const weir_matrix x = two_moons(400);
    weir_trainer *const t = must_train(s.m, NULL);
    weir_step step = data_step(&x);
    weir_step_result r = no_result();
    double first = 0;
    for (int i = 0; i < 1000; i++) {
        step.learning_rate = i < 800 ? 2e-2 : 2e-3;
        MUST(weir_trainer_step(t, &step, &r, &error));
        cr_assert_eq(r.discarded, 0);
        if (i == 0) first = r.loss;
    }
    cr_log_info("loss %g, at first %g", r.loss, first);
    cr_assert(r.loss < first - 0.5 && r.loss < 1.3, "loss %g, at first %g", r.loss, first);
    const weir_matrix samples = room(64, 2);
    weir_call call = seeded(5, NULL);
    double log_p[64], mean = 0;
    MUST(weir_sample(s.m, &call, &samples, log_p, &error));
    cr_assert_eq(call.discarded, 0);
    for (int i = 0; i < 64; i++) mean -= log_p[i] / 64;
    cr_assert(fabs(mean - r.loss) < 0.5, "entropy of samples %g, loss %g", mean, r.loss);
    weir_trainer_close(t);
    close_stage(s);
}
