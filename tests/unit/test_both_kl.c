/* test_both_kl.c - every layer and every univariate that is installed trains by forward KL and by reverse KL.
 *
 * SPDX-License-Identifier: MIT
 *
 * A model is built around the module, twice: a teacher, whose parameters are moved, and a student, which has to come
 * closer to it. So data and target lie where the module wants them, be it a simplex or a torus, and there is no need to
 * know where that is: samples of the teacher are the data of forward KL, its log-density and score are the target of
 * reverse KL. Both losses are known at the optimum, and both are measured on rows that do not change.
 *
 * The variants are those of the conformance suite. A module that is new is found here by itself, if one of the settings
 * of surroundings.h fits it; if none does, or if it has no row there, the test says so.
 */
#include "surroundings.h"
#include "valgrind.h"

TestSuite(both_kl);

typedef struct variant {
    const char *name, *id, *options;
} variant;

static const variant variants[] = {
#define MODULE(name, id, options) {#name, id, options},
#define FIXTURE(name)
#define BROKEN(name, check)
#define BROKEN_AS(name, fixture, check, options)
#define BROKEN_MODULE(name, id, check, options)
#include "../conformance/rows.h"
#undef MODULE
#undef FIXTURE
#undef BROKEN
#undef BROKEN_AS
#undef BROKEN_MODULE
};
#define VARIANTS (sizeof variants / sizeof *variants)

#define ROWS    192
#define STEPS   60
#define RATE    0.02
#define TEACHER 0.4 /* how far parameters are moved off their start */
#define STUDENT 0.3

/** Variants that are trained by forward KL alone, and why. What their losses are at best is not known: they have to fall. */
static const struct {
    const char *name, *why;
} forward_only[] = {
    {"dequantize",
     "samples are integers, which do not move with the parameters; log p is a bound that depends on noise"},
    {"dequantize_binary", "as dequantize"},
    {"bnaf_no_residual", "its image is bounded: a part of the base has no x"},
    {"bnaf_no_residual_deep", "as bnaf_no_residual"},
};

static int is_forward_only(const char *name)
{
    for (size_t i = 0; i < sizeof forward_only / sizeof *forward_only; i++)
        if (strcmp(forward_only[i].name, name) == 0) return 1;
    return 0;
}

/* ---- models ------------------------------------------------------------------------------------------------------- */

/** The context of one row, for models that have one. */
static const weir_matrix *context_of(const weir_model *m)
{
    static double given[] = {0.7, -0.4, 0.2, 1.1};
    static weir_matrix context = {(uint32_t)sizeof context, WEIR_DTYPE_F64, 1, 0, 0, given};
    context.columns = weir_model_get(m, WEIR_MODEL_CONTEXT);
    cr_assert_leq(context.columns, 4);
    return context.columns ? &context : NULL;
}

/** Moves every parameter; the weights of networks less, the more of them meet in a unit. */
static void move(weir_model *m, double size, uint64_t state)
{
    for (int64_t i = 0; i < weir_model_get(m, WEIR_MODEL_TENSORS); i++) {
        weir_tensor_info info = {.struct_size = (uint32_t)sizeof info};
        MUST(weir_tensor_at(m, i, &info, &error));
        if (info.kind != WEIR_TENSOR_PARAMETER) continue;
        const int weights = strlen(info.name) > 6 && strcmp(info.name + strlen(info.name) - 6, "weight") == 0;
        const double step = weights ? size / sqrt((double)info.dims[info.rank - 1]) : size;
        double *const p = malloc((size_t)(info.count + 1) * sizeof *p);
        MUST(weir_tensor_read(m, i, p, info.count, &error));
        for (int64_t k = 0; k < info.count; k++) p[k] += step * (2 * dice(&state) - 1);
        MUST(weir_tensor_write(m, i, p, info.count, &error));
        free(p);
    }
}

static weir_matrix new_rows(int64_t rows, int64_t columns)
{
    double *const data = calloc((size_t)(rows * columns) + 1, sizeof *data);
    return (weir_matrix){(uint32_t)sizeof(weir_matrix), WEIR_DTYPE_F64, rows, columns, 0, data};
}

/** The first samples that exist among so many, ROWS of them if they can be had. Caller frees data. */
static weir_matrix samples_of(const weir_model *m, int64_t draws)
{
    weir_matrix x = new_rows(draws, weir_model_get(m, WEIR_MODEL_FEATURES));
    double *const log_p = malloc((size_t)draws * sizeof *log_p), *const rows = x.data;
    weir_call call = seeded(17, context_of(m));
    MUST(weir_sample(m, &call, &x, log_p, &error));
    x.rows = 0;
    for (int64_t i = 0; i < draws && x.rows < ROWS; i++)
        if (!isnan(log_p[i]))
            memmove(rows + x.rows++ * x.columns, rows + i * x.columns, (size_t)x.columns * sizeof *rows);
    free(log_p);
    return x;
}

static int64_t draws_of(const char *name)
{
    return is_forward_only(name) ? 16 * ROWS : ROWS;
}

static int samples_well(weir_model *m, const subject *s)
{
    move(m, TEACHER, 21);
    const weir_matrix x = samples_of(m, draws_of(s->name));
    free(x.data);
    return x.rows == ROWS;
}

/** The description of the first setting that fits, or NULL: it can be built, and every sample of the base has an x.
 *  *needless is set where there is nothing to try. Caller frees. */
static char *fitting_model(weir_runtime *rt, const subject *s, int *needless)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        weir_model *m = NULL;
        char *const json = model_of(&settings[i], s);
        const int built = weir_model_build(rt, json, -1, &m, &error) == WEIR_OK,
                  fits = built && samples_well(m, s);
        weir_model_close(m);
        if (fits) {
            printf("%s: %s\n", s->name, settings[i].what);
            fflush(stdout);
            return json;
        }
        free(json);
        /* elementwise has shown it already */
        if (!built && strcmp(s->id, "coupling") == 0 && strstr(error.message, "has no parameters"))
            *needless = 1;
    }
    return NULL;
}

/* ---- teacher and student ------------------------------------------------------------------------------------------ */

typedef struct lesson {
    const char *name;
    weir_model *teacher, *student;
    const weir_matrix *context;
    uint64_t seed;
    int unknown; /* where the optimum is */
} lesson;

/** log q - log p of samples from the student, on average; NAN when one of them has no answer. */
static double reverse_kl(const lesson *l)
{
    const weir_matrix x = new_rows(ROWS, weir_model_get(l->student, WEIR_MODEL_FEATURES));
    double q[ROWS], p[ROWS], sum = 0;
    weir_call call = seeded(l->seed, l->context);
    MUST(weir_sample(l->student, &call, &x, q, &error));
    MUST(weir_log_prob(l->teacher, &x, &call, p, &error));
    for (int i = 0; i < ROWS; i++) sum += q[i] - p[i];
    free(x.data);
    return sum / ROWS;
}

/** log p - log q of rows that the teacher drew, on average. */
static double forward_kl(const lesson *l, const weir_matrix *x)
{
    weir_call call = seeded(l->seed, l->context);
    return mean_log_prob(l->teacher, x, &call) - mean_log_prob(l->student, x, &call);
}

static int32_t teachers_density(void *user, int64_t rows, int64_t columns, const double *x, double *log_p,
                                double *gradient)
{
    const lesson *const l = user;
    const weir_matrix points = {(uint32_t)sizeof points, WEIR_DTYPE_F64, rows, columns, 0,
                                (void *)(uintptr_t)x};
    const weir_matrix score = {(uint32_t)sizeof score, WEIR_DTYPE_F64, rows, columns, 0, gradient};
    weir_call call = seeded(l->seed, l->context);
    return weir_score(l->teacher, &points, &call, &score, log_p, NULL);
}

/* valgrind looks at the memory of one step: sixty, for all modules, take it hours. */
static int steps(void)
{
    return under_valgrind() ? 1 : STEPS;
}

/** So many steps; 0 when one was not taken, lost a row, or has a loss that is not finite. */
static int train(const lesson *l, const weir_step *step)
{
    weir_trainer *const t = must_train(l->student, NULL);
    weir_step_result r = no_result();
    int fine = 1;
    for (int i = 0; i < steps() && fine; i++) {
        MUST(weir_trainer_step(t, step, &r, &error));
        fine = r.applied && !r.discarded && isfinite(r.loss) && isfinite(r.gradient_norm);
    }
    if (!fine)
        fprintf(stderr, "%s: loss %g, gradient %g, %lld rows discarded: %s\n", l->name, r.loss,
                r.gradient_norm, (long long)r.discarded, r.message);
    weir_trainer_close(t);
    return fine;
}

/** Whether a divergence fell as it should: it began with something to learn, and a good part of that is learned. */
static int fell(const lesson *l, const char *kind, double first, double last)
{
    if (l->unknown ? last < first - 0.1 : first > 1e-2 && last < 0.5 * first) return 1;
    if (under_valgrind()) return isfinite(last);
    fprintf(stderr, "%s: %s KL was %g and is %g after %d steps\n", l->name, kind, first, last, STEPS);
    return 0;
}

static int trains_forward(const lesson *l)
{
    const weir_matrix x = samples_of(l->teacher, draws_of(l->name));
    weir_call call = seeded(17, l->context);
    MUST(weir_model_initialize(l->student, &x, &call, 0, &error));
    move(l->student, STUDENT, 8);
    weir_step step = data_step(&x);
    step.learning_rate = RATE;
    step.context = l->context;
    const double first = forward_kl(l, &x);
    const int fine = train(l, &step) && fell(l, "forward", first, forward_kl(l, &x));
    free(x.data);
    return fine;
}

static int trains_reverse(lesson *l)
{
    weir_step step = {.struct_size = (uint32_t)sizeof step,
                      .learning_rate = RATE,
                      .samples = ROWS,
                      .context = l->context,
                      .target = teachers_density,
                      .target_user = l};
    move(l->student, STUDENT, 8);
    const double first = reverse_kl(l);
    return train(l, &step) && fell(l, "reverse", first, reverse_kl(l));
}

static int learns(weir_runtime *rt, weir_runtime *other, const subject *s, const char *json, int reverse)
{
    lesson l = {s->name, must_build(other, json), must_build(rt, json), NULL, 5, is_forward_only(s->name)};
    l.context = context_of(l.student);
    move(l.teacher, TEACHER, 21);
    const int fine = reverse ? trains_reverse(&l) : trains_forward(&l);
    weir_model_close(l.student);
    weir_model_close(l.teacher);
    return fine;
}

/* ---- all of them -------------------------------------------------------------------------------------------------- */

/** How many of the two divergences failed. */
static int try_subject(weir_runtime *rt, weir_runtime *other, const subject *s)
{
    int needless = 0;
    char *const json = fitting_model(rt, s, &needless);
    if (needless) return 0;
    if (!json) {
        fprintf(stderr, "%s: none of the settings fits: add one (%s)\n", s->name, error.message);
        return 1;
    }
    const int failed =
        !learns(rt, other, s, json, 0) + (!is_forward_only(s->name) && !learns(rt, other, s, json, 1));
    free(json);
    for (size_t i = 0; i < sizeof forward_only / sizeof *forward_only; i++)
        if (strcmp(forward_only[i].name, s->name) == 0)
            printf("%s: not by reverse KL: %s\n", s->name, forward_only[i].why);
    return failed;
}

static json_t *node_of(const variant *v, const json_t *row)
{
    json_t *const node = json_pack("{s:s}", "type", v->id);
    static const char *const parts[] = {"options", "children"};
    for (int i = 0; i < 2; i++)
        if (json_object_get(row, parts[i])) json_object_set(node, parts[i], json_object_get(row, parts[i]));
    return node;
}

/** The module, with its row's options, as a layer: itself, or a univariate in `wrap`. */
static int try_variant(weir_runtime *rt, weir_runtime *other, const variant *v, const char *wrap)
{
    char name[100];
    snprintf(name, sizeof name, "%s%s%s", v->name, wrap ? " in " : "", wrap ? wrap : "");
    subject s = {.name = name, .id = wrap ? wrap : v->id, .row = parsed(v->options ? v->options : "{}")};
    s.node = node_of(v, s.row);
    if (wrap) {
        s.node = json_pack("{s:s,s:{s:o}}", "type", wrap, "children", "univariate", s.node);
        if (strcmp(wrap, "coupling") == 0)
            json_object_set_new(
                json_object_get(s.node, "children"), "network",
                parsed("{\"type\":\"mlp\",\"options\":{\"hidden\":[8],\"activation\":\"tanh\"}}"));
    }
    const int failed = try_subject(rt, other, &s);
    json_decref(s.node);
    json_decref(s.row);
    return failed;
}

/** All variants of a module that a share of the work is made of. */
static int try_module(weir_runtime *rt, weir_runtime *other, const char *id, const char *wrap)
{
    int tried = 0, failed = 0;
    for (size_t i = 0; i < VARIANTS; i++)
        if (strcmp(variants[i].id, id) == 0) {
            failed += try_variant(rt, other, &variants[i], wrap);
            tried++;
        }
    if (!tried) fprintf(stderr, "%s: is installed and has no row in tests/conformance/rows.h\n", id);
    return failed + !tried;
}

static void try_all(const char *kind, const char *wrap)
{
    weir_runtime *const rt = open_weir(1), *const other = open_weir(1);
    char *text = NULL;
    size_t i;
    int failed = 0, count = 0;
    json_t *module;
    MUST(weir_modules(rt, NULL, &text, &error));
    json_t *const modules = parsed(text);
    weir_free(text);
    json_array_foreach(modules, i, module)
    {
        if (strcmp(json_string_value(json_object_get(module, "kind")), kind) != 0) continue;
        failed += try_module(rt, other, json_string_value(json_object_get(module, "id")), wrap);
        count++;
    }
    json_decref(modules);
    weir_close(other);
    weir_close(rt);
    cr_assert_geq(count, 10, "only %d modules found", count);
    cr_assert_eq(failed, 0, "%d of the divergences did not fall", failed);
}

Test(both_kl, univariates_in_elementwise)
{
    try_all("univariate", "elementwise");
}

Test(both_kl, univariates_in_coupling)
{
    try_all("univariate", "coupling");
}

Test(both_kl, layers)
{
    try_all("layer", NULL);
}
