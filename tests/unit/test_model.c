/* test_model.c - building: what a description may say, what is answered when it says something else, and containers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "models.h"

#include "model/net.h"

TestSuite(model);

#define NORMAL           "{\"type\":\"normal\"}"
#define FLOW(node)       "{\"features\":4,\"base\":" NORMAL ",\"flow\":" node "}"
#define F64(n, flow)     "{\"dtype\":\"f64\",\"features\":" #n ",\"base\":" NORMAL ",\"flow\":" flow "}"
#define LAYERS(type, of) "{\"type\":\"" type "\",\"children\":{\"layers\":" of "}}"

static void close_all(weir_model *m, weir_runtime *rt)
{
    weir_model_close(m);
    weir_close(rt);
}

/* Refused with a message that begins so, in one line, and nothing made. */
static void expect_refused(weir_runtime *rt, const char *json, const char *wanted)
{
    weir_model *m = (weir_model *)rt;
    weir_error e = {0};
    cr_assert_eq(weir_model_build(rt, json, -1, &m, &e), WEIR_INVALID, "accepted: %.200s", json);
    cr_assert_eq(e.status, WEIR_INVALID);
    cr_assert_eq(strncmp(e.message, wanted, strlen(wanted)), 0, "\"%s\" instead of \"%s\"", e.message,
                 wanted);
    cr_assert_not(strpbrk(e.message, "\n\r\033"), "not one clean line: %s", e.message);
    cr_assert_eq(m, (weir_model *)rt, "the out pointer was written");
    cr_assert_eq(weir_model_build(rt, json, -1, &m, NULL), WEIR_INVALID);
}

typedef struct refusal {
    const char *json, *message;
} refusal;

static void expect_all_refused(const refusal *list, size_t count)
{
    weir_runtime *const rt = open_weir(1);
    for (size_t i = 0; i < count; i++) expect_refused(rt, list[i].json, list[i].message);
    weir_close(rt);
}

/* ---- what is refused ------------------------------------------------------------------------------------------- */

Test(model, wrong_descriptions_are_refused_with_the_reason)
{
    static const refusal list[] = {
        {"[]", "a model description must be a JSON object"},
        {"{\"features\":4,\"dtypo\":1}", "model description: unknown key \"dtypo\"; did you mean \"dtype\"?"},
        {"{\"features\":4,\"base\":" NORMAL, "model description: line 1, column "},
        {"{\"features\":4,\"features\":4,\"base\":" NORMAL "}",
         "model description: line 1, column 24: duplicate object key near '\"features\"'"},
        {FLOW("{\"type\":\"coupling\",\"type\":\"chain\"}"), "model description: line 1, column "},
        {"{\"base\":" NORMAL "}", "model description: features (columns of the data) is missing"},
        {"{\"features\":0,\"base\":" NORMAL "}",
         "model description: features must be a whole number from 1 to 4194304"},
        {"{\"features\":2.5,\"base\":" NORMAL "}",
         "model description: features must be a whole number from 1 to 4194304"},
        {"{\"features\":4,\"context\":-1,\"base\":" NORMAL "}",
         "model description: context must be a whole number from 0 to 4194304"},
        {"{\"features\":4,\"seed\":\"x\",\"base\":" NORMAL "}",
         "model description: seed must be a whole number from 0 to 9007199254740992"},
        {"{\"features\":4,\"dtype\":\"f16\",\"base\":" NORMAL "}",
         "model description: dtype must be \"f32\" or \"f64\""},
        {"{\"features\":4,\"metadata\":[],\"base\":" NORMAL "}",
         "model description: metadata must be an object"},
        {"{\"features\":4}", "model description: base is missing: {\"type\": ID of a density}"},
        {"{\"features\":4,\"image\":[1,2,3],\"base\":" NORMAL "}",
         "model description: image must be [channels, height, width] with product 4"},
        {"{\"features\":4,\"image\":[4,1],\"base\":" NORMAL "}", "model description: image must be"},
        {"{\"features\":4,\"image\":[65536,65536,65536],\"base\":" NORMAL "}",
         "model description: image must be"},
    };
    expect_all_refused(list, sizeof list / sizeof *list);
}

Test(model, wrong_nodes_are_refused_with_path_and_nearest_word)
{
    static const refusal list[] = {
        {FLOW(CHAIN("{\"type\":\"couplng\"}")),
         "flow.1: unknown module \"couplng\"; did you mean \"coupling\"? (searched "},
        {FLOW("{\"type\":\"a\\nb\\u001b\"}"), "flow: unknown module \"a?b?\""},
        {FLOW("{}"), "flow: \"type\" must name a module"},
        {FLOW("[]"), "flow: expected a module description"},
        {FLOW(CHAIN("7")), "flow.1: expected a module description"},
        {FLOW(LAYERS("chain", "\"x\"")),
         "flow (chain): child \"layers\" must be a module or a list of modules"},
        {FLOW("{\"type\":\"coupling\",\"option\":{}}"),
         "flow: unknown key \"option\"; did you mean \"options\"?"},
        {FLOW("{\"type\":\"coupling\",\"frozen\":1}"), "flow: \"frozen\" must be true or false"},
        {FLOW("{\"type\":\"coupling\",\"share\":1}"), "flow: \"share\" must be a name"},
        {FLOW("{\"type\":\"coupling\",\"options\":{\"maks\":\"half\"}}"),
         "flow (coupling): unknown option \"maks\"; did you mean \"mask\"?"},
        {FLOW("{\"type\":\"coupling\",\"options\":{\"zzzzz\":1}}"),
         "flow (coupling): unknown option \"zzzzz\"; it has mask, pass, period, first"},
        {FLOW("{\"type\":\"coupling\",\"options\":{\"mask\":\"hlaf\"}}"),
         "flow (coupling): option mask: expected one of half|half_swapped|even|odd|given|period|top|bottom|left|right|checkerboard|"
         "checkerboard_swapped|channel|channel_swapped (did you mean \"half\"?), got "
         "\"hlaf\""},
        {FLOW("{\"type\":\"coupling\",\"options\":{\"mask\":7}}"),
         "flow (coupling): option mask: expected one of half|half_swapped|even|odd|given|period|top|bottom|left|right|checkerboard|"
         "checkerboard_swapped|channel|channel_swapped, got 7"},
        {FLOW("{\"type\":\"coupling\",\"options\":7}"), "flow (coupling): options must be an object"},
        {FLOW(
             "{\"type\":\"coupling\",\"children\":{\"network\":{\"type\":\"mlp\",\"options\":{\"hidden\":[0]}}}}"),
         "flow.network (mlp): option hidden: expected a list of integers from 1 to 65536, got [0]"},
        {FLOW("{\"type\":\"coupling\",\"children\":{\"netwrok\":{\"type\":\"mlp\"}}}"),
         "flow (coupling): has no child \"netwrok\"; did you mean \"network\"?"},
        {FLOW("{\"type\":\"coupling\",\"children\":7}"),
         "flow (coupling): children must be an object of slots"},
        {FLOW(
             "{\"type\":\"coupling\",\"children\":{\"univariate\":[{\"type\":\"affine\"},{\"type\":\"affine\"}]}}"),
         "flow (coupling): child \"univariate\" is given 2 modules, 1 is used"},
        {FLOW("{\"type\":\"coupling\",\"children\":{\"network\":{\"type\":\"affine\"}}}"),
         "flow.network: affine is a univariate, a network is needed here"},
        {FLOW(NORMAL), "flow: normal is a density, a layer is needed here"},
        {"{\"features\":4,\"base\":{\"type\":\"chain\"}}",
         "base: chain is a layer, a density is needed here"},
        {FLOW("{\"type\":\"inverse\"}"), "flow (inverse): needs a child \"layer\""},
        {"{\"features\":1,\"base\":" NORMAL ",\"flow\":{\"type\":\"coupling\"}}",
         "flow (coupling): a coupling needs at least 2 features, one to pass and one to move; it has 1"},
        {FLOW("{\"type\":\"repeat\",\"options\":{\"count\":-1}}"),
         "flow (repeat): option count: expected an integer from 0 to 100000, got -1"},
        {FLOW("{\"type\":\"repeat\"}"), "flow (repeat): option count must be given: how many times"},
    };
    expect_all_refused(list, sizeof list / sizeof *list);
}

Test(model, neighbours_with_other_domains_are_refused_by_name_and_lane)
{
    static const refusal list[] = {
        {FLOW(CHAIN("{\"type\":\"standardize\"},{\"type\":\"logit\"}")),
         "flow.2 (logit) needs lane 1 in the interval 0 to 1, but flow.1 (standardize) gives the whole line"},
        {"{\"features\":4,\"base\":{\"type\":\"uniform\"},\"flow\":{\"type\":\"lu_linear\"}}",
         "base (uniform) needs lane 1 in the interval 0 to 1, but flow (lu_linear) gives the whole line"},
        /* A chain passes on what its last layer gives, so that layer is the neighbour. */
        {"{\"features\":4,\"base\":{\"type\":\"uniform\"},\"flow\":" CHAIN(
             LAYERS("chain", "[" REVERSE ",{\"type\":\"lu_linear\"}]")) "}",
         "base (uniform) needs lane 1 in the interval 0 to 1, but flow.1.2 (lu_linear) gives the whole line"},
        {"{\"features\":4,\"base\":{\"type\":\"uniform\"},\"flow\":{\"type\":\"slice\",\"options\":{\"first\":3,"
         "\"count\":2},\"children\":{\"layer\":{\"type\":\"lu_linear\"}}}}",
         "base (uniform) needs lane 3 in the interval 0 to 1, but flow (slice) gives the whole line"},
        {FLOW(CHAIN(
             "{\"type\":\"logit\"},{\"type\":\"inverse\",\"children\":{\"layer\":{\"type\":\"logit\"}}},{\"type\":"
             "\"logit\",\"options\":{\"upper\":0.5}}")),
         "flow.3 (logit) needs lane 1 in the interval 0 to 0.5, but flow.2 (inverse) gives the interval 0 to 1"},
    };
    expect_all_refused(list, sizeof list / sizeof *list);
    weir_runtime *const rt = open_weir(1);
    static const char fits[] = "{\"features\":4,\"base\":{\"type\":\"uniform\"},\"flow\":" CHAIN(
        "{\"type\":\"logit\"},{\"type\":\"inverse\",\"children\":{\"layer\":{\"type\":\"logit\"}}}") "}";
    close_all(must_build(rt, fits), rt);
}

/* "{open}{open}...{core}{close}{close}": `depth` times. */
static char *nested(const char *open, const char *core, const char *close, int depth)
{
    char *const text = calloc(1, (size_t)depth * (strlen(open) + strlen(close)) + 400), *at = text;
    at = stpcpy(at, "{\"features\":4,\"base\":" NORMAL ",\"flow\":");
    for (int i = 0; i < depth; i++) at = stpcpy(at, open);
    at = stpcpy(at, core);
    for (int i = 0; i < depth; i++) at = stpcpy(at, close);
    stpcpy(at, "}");
    return text;
}

Test(model, endless_descriptions_are_refused)
{
    weir_runtime *const rt = open_weir(1);
    char *const deep = nested("{\"type\":\"inverse\",\"children\":{\"layer\":", REVERSE, "}}", 1000);
    char *const deeper = nested("{\"type\":\"chain\",\"children\":{\"layers\":[", REVERSE, "]}}", 1000);
    char *const many =
        nested("{\"type\":\"repeat\",\"options\":{\"count\":100000},\"children\":{\"layers\":[",
               "{\"type\":\"chain\"}", "]}}", 5);
    weir_model *m = NULL;
    cr_assert_eq(weir_model_build(rt, deep, -1, &m, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "flow.layer.layer") && strstr(error.message, "nested too deeply"), "%s",
              error.message);
    cr_assert_eq(weir_model_build(rt, deeper, -1, &m, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "depth"), "%s", error.message);
    cr_assert_eq(weir_model_build(rt, many, -1, &m, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "modules, which is too many"), "%s", error.message);
    free(deep);
    free(deeper);
    free(many);
    weir_close(rt);
}

/* What a few words ask for is refused before there is memory for it. */
Test(model, vast_descriptions_are_refused)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *m = NULL;
    weir__net net = {.lanes = 0};
    const char *const wide = "{\"features\":4194305,\"base\":" NORMAL "}";
    const char *const full = "{\"features\":200000,\"base\":" NORMAL ",\"flow\":{\"type\":\"lu_linear\"}}";
    cr_assert_eq(weir_model_build(rt, wide, -1, &m, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "features must be a whole number from 1 to 4194304"), "%s",
              error.message);
    for (int i = 0; i < 16; i++) MUST(weir__net_count_lanes(&net, 1 << 20, "flow", &error));
    cr_assert_eq(weir__net_count_lanes(&net, 1, "flow.9", &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "flow.9") && strstr(error.message, "more than 16777216 features"), "%s",
              error.message);
    cr_assert_eq(weir_model_build(rt, full, -1, &m, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "a tensor is too large"), "%s", error.message);
    weir_close(rt);
}

/* ---- containers ------------------------------------------------------------------------------------------------ */

/* z and log-det of both, for the same data, to the last bit. */
static void expect_same_map(const weir_model *a, const weir_model *b)
{
    const weir_matrix x = some_data(70, weir_model_get(a, WEIR_MODEL_FEATURES), 3);
    weir_matrix za = some_data(x.rows, x.columns, 1), zb = za;
    double la[70], lb[70];
    zb.data = keep(malloc((size_t)(x.rows * x.columns) * sizeof(double)));
    MUST(weir_forward(a, &x, NULL, &za, la, &error));
    MUST(weir_forward(b, &x, NULL, &zb, lb, &error));
    cr_assert_arr_eq(za.data, zb.data, (size_t)(x.rows * x.columns) * sizeof(double));
    cr_assert_arr_eq(la, lb, sizeof la);
}

Test(model, an_empty_chain_is_the_identity)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(rt, F64(3, "{\"type\":\"chain\"}"));
    const weir_matrix x = some_data(5, 3, 1);
    weir_matrix z = some_data(5, 3, 2);
    double log_det[5], log_p[5];
    MUST(weir_forward(m, &x, NULL, &z, log_det, &error));
    cr_assert_arr_eq(x.data, z.data, 15 * sizeof(double));
    MUST(weir_log_prob(m, &x, NULL, log_p, &error));
    for (int i = 0; i < 5; i++) {
        double sum = -1.5 * log(6.283185307179586);
        for (int j = 0; j < 3; j++) sum -= ((double *)x.data)[3 * i + j] * ((double *)x.data)[3 * i + j] / 2;
        cr_assert_eq(log_det[i], 0);
        cr_assert(fabs(log_p[i] - sum) < 1e-13, "%.17g, not %.17g", log_p[i], sum);
    }
    weir_model *const nothing = must_build(rt, "{\"dtype\":\"f64\",\"features\":3,\"base\":" NORMAL "}");
    expect_same_map(m, nothing);
    weir_model_close(nothing);
    close_all(m, rt);
}

Test(model, nesting_and_double_inversion_change_nothing)
{
    static const char *const same[] = {
        F64(4, CHAIN("{\"type\":\"lu_linear\"}," COUPLING("even", "rq_spline"))),
        F64(4, CHAIN(CHAIN("{\"type\":\"lu_linear\"}") "," CHAIN(CHAIN(COUPLING("even", "rq_spline"))))),
        F64(4,
            "{\"type\":\"inverse\",\"children\":{\"layer\":{\"type\":\"inverse\",\"children\":{\"layer\":" CHAIN(
                "{\"type\":\"lu_linear\"}," COUPLING("even", "rq_spline")) "}}}}"),
    };
    weir_runtime *const rt = open_weir(1);
    weir_model *const plain = must_build(rt, same[0]);
    shake(plain, 0.3);
    double *const values = parameters(plain);
    for (int i = 1; i < 3; i++) {
        weir_model *const m = must_build(rt, same[i]);
        set_parameters(m, values);
        expect_same_map(plain, m);
        weir_model_close(m);
    }
    free(values);
    close_all(plain, rt);
}

Test(model, a_slice_touches_its_lanes_only)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(
        rt,
        F64(7, "{\"type\":\"slice\",\"options\":{\"first\":3,\"count\":3},\"children\":{\"layer\":" COUPLING(
                   "half", "affine") "}}"));
    weir_model *const inner = must_build(rt, F64(3, COUPLING("half", "affine")));
    shake(m, 0.5);
    double *const values = parameters(m);
    set_parameters(inner, values);
    const weir_matrix x = some_data(70, 7, 1);
    weir_matrix z = some_data(70, 7, 2), part = some_data(70, 3, 2);
    const weir_matrix cut = {.struct_size = sizeof cut,
                             .dtype = WEIR_DTYPE_F64,
                             .rows = 70,
                             .columns = 3,
                             .row_stride = 7,
                             .data = (double *)x.data + 2};
    double whole[70], own[70];
    MUST(weir_forward(m, &x, NULL, &z, whole, &error));
    MUST(weir_forward(inner, &cut, NULL, &part, own, &error));
    cr_assert_arr_eq(whole, own, sizeof whole);
    for (int i = 0; i < 70; i++) {
        const double *const from = (double *)x.data + 7 * i, *const to = (double *)z.data + 7 * i;
        cr_assert_arr_eq(from, to, 3 * sizeof(double)); /* the coupling's own half passes as well */
        cr_assert_arr_eq(from + 5, to + 5, 2 * sizeof(double));
        cr_assert_arr_eq((double *)part.data + 3 * i, to + 2, 3 * sizeof(double));
        cr_assert_neq(from[4], to[4]);
    }
    free(values);
    weir_model_close(inner);
    close_all(m, rt);
}

Test(model, slices_beyond_the_features_are_refused)
{
#define SLICE(first, count)                                                                                  \
    FLOW("{\"type\":\"slice\",\"options\":{\"first\":" #first ",\"count\":" #count                           \
         "},\"children\":{\"layer\":" REVERSE "}}")
    static const refusal list[] = {
        {SLICE(4, 2), "flow (slice): the slice ends beyond the last feature"},
        {SLICE(1, 5), "flow (slice): the slice ends beyond the last feature"},
        {SLICE(0, 2), "flow (slice): option first: expected an integer from 1 to 1e+09, got 0"},
        {SLICE(1, 0), "flow (slice): option count: expected an integer from 1 to 1e+09, got 0"},
        {SLICE(1000000000, 1000000000), "flow (slice): the slice ends beyond the last feature"},
        {FLOW("{\"type\":\"slice\",\"children\":{\"layer\":" REVERSE "}}"),
         "flow (slice): option count must be given: number of features"},
    };
    expect_all_refused(list, sizeof list / sizeof *list);
}

Test(model, repeat_builds_copies_with_names_of_their_own)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const one = must_build(rt, F64(4, COUPLING("half", "affine")));
    const int64_t each = weir_model_get(one, WEIR_MODEL_PARAMETERS);
    for (int count = 0; count <= 3; count++) {
        char json[900], name[80];
        snprintf(json, sizeof json,
                 F64(4, "{\"type\":\"repeat\",\"options\":{\"count\":%d},\"children\":{\"layers\":[" COUPLING(
                            "half", "affine") "," REVERSE "]}}"),
                 count);
        weir_model *const m = must_build(rt, json);
        cr_assert_eq(weir_model_get(m, WEIR_MODEL_PARAMETERS), count * each);
        for (int i = 0; i < 4; i++) {
            snprintf(name, sizeof name, "flow.%d.network.output.weight", 2 * i + 1);
            cr_assert_eq(weir_tensor_find(m, name) >= 0, i < count, "%s with count %d", name, count);
        }
        weir_model_close(m);
    }
    close_all(one, rt);
}
