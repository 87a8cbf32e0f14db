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
 * below fits it; if none does, or if it has no row there, the test says so.
 */
#include <jansson.h>

#include "models.h"

TestSuite(both_kl);

typedef struct variant {
    const char *name, *id, *options;
} variant;

static const variant variants[] = {
#define MODULE(name, id, options) {#name, id, options},
#define FIXTURE(name)
#define BROKEN(name, check)
#include "../conformance/rows.h"
#undef MODULE
#undef FIXTURE
#undef BROKEN
};
#define VARIANTS (sizeof variants / sizeof *variants)

/** Variants that do not train by reverse KL, and why. By forward KL all do. */
static const struct {
    const char *name, *why;
} forward_only[] = {
    {"dequantize", "samples are integers: they do not move with the parameters"},
    {"dequantize_binary", "samples are integers: they do not move with the parameters"},
};

static const char *excuse(const char *name)
{
    for (size_t i = 0; i < sizeof forward_only / sizeof *forward_only; i++)
        if (strcmp(forward_only[i].name, name) == 0) return forward_only[i].why;
    return NULL;
}

/* ---- models ------------------------------------------------------------------------------------------------------- */

#define LU       "{\"type\":\"lu_linear\"}"
#define POSITIVE "{\"type\":\"positive\"}"
#define NORMAL   "{\"type\":\"normal\"}"

/** What stands before and behind the module, and in `back` also its inverse directly behind it. */
typedef struct setting {
    const char *what, *before, *behind;
    int back, circle;
} setting;

/** The first that can be built is taken. */
static const setting settings[] = {
    {"the line to the line", LU, LU, 0, 0},
    {"to the line", "", LU, 0, 0},
    {"the line to (0, 1)", LU, "{\"type\":\"logit\"}," LU, 0, 0},
    {"the line to (-1, 1)", LU, "{\"type\":\"bounded\",\"options\":{\"lower\":[-1]}}," LU, 0, 0},
    {"the line to positive numbers", LU, POSITIVE "," LU, 0, 0},
    {"positive numbers to positive numbers",
     LU ",{\"type\":\"inverse\",\"children\":{\"layer\":" POSITIVE "}}", POSITIVE "," LU, 0, 0},
    {"a circle to itself", "", "", 0, 1},
    {"the line to where no density lives, and back", LU, LU, 1, 0},
};
#define SETTINGS (sizeof settings / sizeof *settings)

/** A module with its options and children, and what else its row says: features, context, image. */
typedef struct subject {
    const char *name;
    json_t *node, *row;
} subject;

static json_t *parsed(const char *text)
{
    json_error_t e;
    json_t *const value = json_loads(text, 0, &e);
    cr_assert_not_null(value, "%s in %s", e.text, text);
    return value;
}

static void append_list(json_t *layers, const char *list)
{
    char *const text = malloc(strlen(list) + 3);
    sprintf(text, "[%s]", list);
    json_t *const more = parsed(text);
    json_array_extend(layers, more);
    json_decref(more);
    free(text);
}

static json_t *inverse_of(const subject *s)
{
    json_t *const inverse = json_pack("{s:s,s:{s:O}}", "type", "inverse", "children", "layer", s->node);
    json_t *const features = json_object_get(s->row, "features");
    if (features) json_object_set_new(inverse, "options", json_pack("{s:O}", "features", features));
    return inverse;
}

static double end_of(const subject *s, const char *which, double otherwise)
{
    const json_t *const end = json_object_get(json_object_get(s->row, "options"), which);
    return json_is_number(end) ? json_number_value(end) : otherwise;
}

static json_t *base_of(const setting *where, const subject *s)
{
    if (!where->circle) return parsed(NORMAL);
    return json_pack("{s:s,s:{s:f,s:f}}", "type", "uniform", "options", "lower",
                     end_of(s, "lower", -3.141592653589793), "upper", end_of(s, "upper", 3.141592653589793));
}

static int64_t features_of(const subject *s)
{
    const json_t *const image = json_object_get(s->row, "image"), *const own = json_object_get(s->row, "features");
    int64_t n = 1;
    for (size_t i = 0; i < json_array_size(image); i++) n *= json_integer_value(json_array_get(image, i));
    return image ? n : own ? json_integer_value(own) : 3;
}

/* Caller frees. */
static char *model_of(const setting *where, const subject *s)
{
    json_t *const layers = json_array();
    append_list(layers, where->before);
    json_array_append(layers, s->node);
    if (where->back) json_array_append_new(layers, inverse_of(s));
    append_list(layers, where->behind);
    json_t *const model = json_pack("{s:s,s:I,s:I,s:o,s:{s:s,s:{s:o}}}", "dtype", "f64", "features",
                                    (json_int_t)features_of(s), "seed", (json_int_t)3, "base", base_of(where, s),
                                    "flow", "type", "chain", "children", "layers", layers);
    static const char *const passed_on[] = {"context", "image"};
    for (int i = 0; i < 2; i++)
        if (json_object_get(s->row, passed_on[i]))
            json_object_set(model, passed_on[i], json_object_get(s->row, passed_on[i]));
    char *const text = json_dumps(model, JSON_REAL_PRECISION(17));
    json_decref(model);
    return text;
}

/* The description of the first setting that can be built, or NULL. Caller frees. */
static char *fitting_model(weir_runtime *rt, const subject *s)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        weir_model *m = NULL;
        char *const json = model_of(&settings[i], s);
        if (weir_model_build(rt, json, -1, &m, &error) == WEIR_OK) {
            printf("%-40s %s\n", s->name, settings[i].what);
            weir_model_close(m);
            return json;
        }
        free(json);
    }
    return NULL;
}

/* ---- teacher and student ------------------------------------------------------------------------------------------ */

#define ROWS  192
#define STEPS 40
#define RATE  0.02

typedef struct lesson {
    const char *name;
    weir_model *teacher, *student;
    const weir_matrix *context;
    uint64_t seed;
} lesson;

static void move(weir_model *m, double size, uint64_t state)
{
    const int64_t n = weir_model_get(m, WEIR_MODEL_PARAMETERS);
    double *const p = parameters(m);
    for (int64_t i = 0; i < n; i++) p[i] += size * (2 * dice(&state) - 1);
    set_parameters(m, p);
    free(p);
}

/** log q - log p of samples from the student, on average; NAN when one of them has no answer. */
static double reverse_kl(const lesson *l)
{
    const weir_matrix x = room(ROWS, weir_model_get(l->student, WEIR_MODEL_FEATURES));
    double q[ROWS], p[ROWS], sum = 0;
    weir_call call = seeded(l->seed, l->context);
    MUST(weir_sample(l->student, &call, &x, q, &error));
    MUST(weir_log_prob(l->teacher, &x, &call, p, &error));
    for (int i = 0; i < ROWS; i++) sum += q[i] - p[i];
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
    const weir_matrix points = {(uint32_t)sizeof points, WEIR_DTYPE_F64, rows, columns, 0, (void *)(uintptr_t)x};
    const weir_matrix score = {(uint32_t)sizeof score, WEIR_DTYPE_F64, rows, columns, 0, gradient};
    weir_call call = seeded(l->seed, l->context);
    return weir_score(l->teacher, &points, &call, &score, log_p, NULL);
}

/** So many steps; 0 when one was not taken, lost a row, or has a loss that is not finite. */
static int train(const lesson *l, const weir_step *step)
{
    weir_trainer *const t = must_train(l->student, NULL);
    weir_step_result r = no_result();
    int fine = 1;
    for (int i = 0; i < STEPS && fine; i++) {
        MUST(weir_trainer_step(t, step, &r, &error));
        fine = r.applied && !r.discarded && isfinite(r.loss) && isfinite(r.gradient_norm);
    }
    if (!fine)
        fprintf(stderr, "%s: loss %g, gradient %g, %lld rows discarded: %s\n", l->name, r.loss, r.gradient_norm,
                (long long)r.discarded, r.message);
    weir_trainer_close(t);
    return fine;
}

/** Whether a divergence fell as it should: it began with something to learn, and a good part of that is learned. */
static int fell(const lesson *l, const char *kind, double first, double last)
{
    if (first > 1e-3 && last < 0.6 * first) return 1;
    fprintf(stderr, "%s: %s KL was %g and is %g after %d steps\n", l->name, kind, first, last, STEPS);
    return 0;
}

static int trains_forward(const lesson *l)
{
    const weir_matrix x = room(ROWS, weir_model_get(l->teacher, WEIR_MODEL_FEATURES));
    weir_call call = seeded(17, l->context);
    MUST(weir_sample(l->teacher, &call, &x, NULL, &error));
    MUST(weir_model_initialize(l->student, &x, &call, 0, &error));
    move(l->student, 0.1, 8);
    weir_step step = data_step(&x);
    step.learning_rate = RATE;
    step.context = l->context;
    const double first = forward_kl(l, &x);
    return train(l, &step) && fell(l, "forward", first, forward_kl(l, &x));
}

static int trains_reverse(lesson *l)
{
    weir_step step = {.struct_size = (uint32_t)sizeof step,
                      .learning_rate = RATE,
                      .samples = ROWS,
                      .context = l->context,
                      .target = teachers_density,
                      .target_user = l};
    move(l->student, 0.1, 8);
    const double first = reverse_kl(l);
    return train(l, &step) && fell(l, "reverse", first, reverse_kl(l));
}

static int learns(weir_runtime *rt, weir_runtime *other, const subject *s, const char *json, int reverse)
{
    double given[] = {0.7, -0.4, 0.2, 1.1};
    const weir_matrix context = {(uint32_t)sizeof context, WEIR_DTYPE_F64, 1,
                                 json_integer_value(json_object_get(s->row, "context")), 0, given};
    cr_assert_leq(context.columns, 4);
    lesson l = {s->name, must_build(other, json), must_build(rt, json), context.columns ? &context : NULL, 5};
    move(l.teacher, 0.4, 21);
    const int fine = reverse ? trains_reverse(&l) : trains_forward(&l);
    weir_model_close(l.student);
    weir_model_close(l.teacher);
    return fine;
}

/* ---- all of them -------------------------------------------------------------------------------------------------- */

/** How many of the two divergences failed. */
static int try_subject(weir_runtime *rt, weir_runtime *other, const subject *s)
{
    char *const json = fitting_model(rt, s);
    if (!json) {
        fprintf(stderr, "%s: no setting of this test can be built around it: add one (%s)\n", s->name, error.message);
        return 1;
    }
    const int failed = !learns(rt, other, s, json, 0) + (!excuse(s->name) && !learns(rt, other, s, json, 1));
    free(json);
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
    subject s = {.name = wrap ? name : v->name, .row = parsed(v->options ? v->options : "{}")};
    s.node = node_of(v, s.row);
    if (wrap) {
        s.node = json_pack("{s:s,s:{s:o}}", "type", wrap, "children", "univariate", s.node);
        if (strcmp(wrap, "coupling") == 0)
            json_object_set_new(json_object_get(s.node, "children"), "network",
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
