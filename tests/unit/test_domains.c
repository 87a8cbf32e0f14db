/* test_domains.c - what values pass between layers: chains that fit are built, chains that cannot are refused by name.
 *
 * SPDX-License-Identifier: MIT
 */
#include "models.h"

TestSuite(domains);

#define ELEMENTWISE(univariate) "{\"type\":\"elementwise\",\"children\":{\"univariate\":" univariate "}}"
#define U(type)                 ELEMENTWISE("{\"type\":\"" type "\"}")
#define INVERSE(layer)          "{\"type\":\"inverse\",\"children\":{\"layer\":" layer "}}"
#define STANDARDIZE             "{\"type\":\"standardize\"}"
#define LOGIT                   "{\"type\":\"logit\"}"
#define UNIFORM(lower, upper)   "{\"type\":\"uniform\",\"options\":{\"lower\":" lower ",\"upper\":" upper "}}"
#define NORMAL                  "{\"type\":\"normal\"}"
#define FLOW(layers, base)      "{\"features\":4,\"seed\":3,\"flow\":" CHAIN(layers) ",\"base\":" base "}"

static void expect_built(const char *json)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *m = NULL;
    MUST(weir_model_build(rt, json, -1, &m, &error));
    weir_model_close(m);
    weir_close(rt);
}

static void expect_refused(const char *json, const char *wanted)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *m = NULL;
    weir_error e = {0};
    cr_assert_eq(weir_model_build(rt, json, -1, &m, &e), WEIR_INVALID, "accepted: %s", json);
    cr_assert(strstr(e.message, wanted), "\"%s\" instead of \"%s\"", e.message, wanted);
    cr_assert_not(strpbrk(e.message, "\n\r\033"), "not one clean line: %s", e.message);
    weir_close(rt);
}

Test(domains, a_univariate_hands_its_codomain_to_the_base)
{
    expect_built(FLOW(STANDARDIZE "," U("sigmoid"), UNIFORM("0", "1")));
    expect_built(FLOW(STANDARDIZE "," U("tanh"), UNIFORM("-1", "1")));
    expect_built(FLOW(STANDARDIZE "," U("softsign"), UNIFORM("-1.5", "1")));
    expect_refused(
        FLOW(STANDARDIZE "," U("tanh"), UNIFORM("0", "1")),
        "needs lane 1 in the interval 0 to 1, but flow.2 (elementwise) gives the interval -1 to 1");
    expect_refused(FLOW(STANDARDIZE "," U("softplus"), UNIFORM("0", "1")),
                   "but flow.2 (elementwise) gives the interval 0 to inf");
}

Test(domains, a_univariate_of_the_line_gives_the_line)
{
    expect_built(FLOW(U("sigmoid") "," LOGIT, NORMAL));
    expect_refused(FLOW(U("sigmoid") "," U("affine"), UNIFORM("0", "1")),
                   "but flow.2 (elementwise) gives the whole line");
    expect_refused(FLOW(STANDARDIZE "," LOGIT, NORMAL),
                   "flow.2 (logit) needs lane 1 in the interval 0 to 1, but");
}

Test(domains, a_univariate_is_refused_where_its_domain_is_not)
{
    expect_built(FLOW(U("exp") "," U("power"), NORMAL));
    expect_built(FLOW(U("sigmoid") "," U("power") "," U("power"), NORMAL));
    expect_refused(
        FLOW(STANDARDIZE "," U("power"), NORMAL),
        "flow.2 (elementwise) needs lane 1 in the interval 0 to inf, but flow.1 (standardize) gives");
    expect_refused(FLOW(U("tanh") "," U("power"), NORMAL),
                   "but flow.1 (elementwise) gives the interval -1 to 1");
}

Test(domains, an_inverse_swaps_domain_and_codomain)
{
    expect_built(FLOW(U("sigmoid") "," INVERSE(U("sigmoid")) "," STANDARDIZE, NORMAL));
    expect_built(FLOW(INVERSE(U("exp")), NORMAL));
    expect_refused(FLOW(STANDARDIZE "," INVERSE(U("exp")), NORMAL),
                   "flow.2 (inverse) needs lane 1 in the interval 0 to inf, but flow.1 (standardize) gives");
    expect_refused(FLOW(INVERSE(U("sigmoid")), UNIFORM("0", "1")), "gives the whole line");
}

/* Lanes 1 and 2 pass. */
Test(domains, a_coupling_keeps_the_domain_of_what_passes)
{
    const char *const first_two = "{\"type\":\"slice\",\"options\":{\"first\":1,\"count\":2},\"children\":{"
                                  "\"layer\":{\"type\":\"logit\"}}}";
    char json[2000];
    snprintf(json, sizeof json, FLOW(U("sigmoid") "," COUPLING("half", "affine") ",%s", NORMAL), first_two);
    expect_built(json);
    snprintf(json, sizeof json, FLOW(U("tanh") "," COUPLING("half", "affine") ",%s", NORMAL), first_two);
    expect_refused(json,
                   "needs lane 1 in the interval 0 to 1, but flow.2 (coupling) gives the interval -1 to 1");
    expect_refused(
        FLOW(U("sigmoid") "," COUPLING("half", "affine") "," LOGIT, NORMAL),
        "flow.3 (logit) needs lane 3 in the interval 0 to 1, but flow.2 (coupling) gives the whole line");
    expect_refused(FLOW(U("sigmoid") "," MAF("affine") "," LOGIT, NORMAL), "gives the whole line");
}

#define PRODUCT(factors)                                                                                     \
    "{\"type\":\"product\",\"options\":{\"sizes\":[1,2,1]},\"children\":{\"factors\":[" factors "]}}"
#define UNDER(layer, base) "{\"type\":\"flow_density\",\"children\":{\"layer\":" layer ",\"base\":" base "}}"
#define BETA               "{\"type\":\"beta\"}"

Test(domains, a_density_hands_its_childrens_domains_on)
{
    expect_built(FLOW(U("sigmoid"), PRODUCT(BETA "," BETA "," UNIFORM("0", "2"))));
    expect_refused(
        FLOW(U("tanh"), PRODUCT(NORMAL "," BETA "," NORMAL)),
        "base (product) needs lane 2 in the interval 0 to 1, but flow.1 (elementwise) gives the interval -1 to 1");
    expect_refused(
        FLOW(U("sigmoid") "," LOGIT, PRODUCT(NORMAL "," NORMAL "," BETA)),
        "base (product) needs lane 4 in the interval 0 to 1, but flow.2 (logit) gives the whole line");
    expect_refused(FLOW(U("tanh"), UNDER(LOGIT, NORMAL)),
                   "needs lane 1 in the interval 0 to 1, but base gives the interval -1 to 1");
}

Test(domains, a_child_is_told_what_it_will_meet)
{
    expect_built(FLOW("", UNDER(U("sigmoid"), BETA)));
    expect_built(FLOW("", UNDER(U("exp"), "{\"type\":\"truncated_normal\",\"options\":{\"lower\":[0]}}")));
    expect_refused(
        FLOW("", UNDER(U("tanh"), BETA)),
        "base.base (beta) needs lane 1 in the interval 0 to 1, but base gives the interval -1 to 1");
    expect_refused(
        FLOW("", UNDER(U("exp"), PRODUCT(NORMAL "," NORMAL "," BETA))),
        "base.base (product) needs lane 4 in the interval 0 to 1, but base gives the interval 0 to inf");
    expect_refused(FLOW("", UNDER(CHAIN(LOGIT "," LOGIT), NORMAL)), "(logit) gives the whole line");
}

/* Samples of a chain that fits lie where the data must. */
Test(domains, what_is_accepted_works)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(rt, FLOW(INVERSE(U("exp")) "," U("tanh"), UNIFORM("-1", "1")));
    double x[400], p[100];
    weir_matrix data = {
        .struct_size = (uint32_t)sizeof data, .dtype = WEIR_DTYPE_F64, .rows = 100, .columns = 4, .data = x};
    uint64_t state = 7;
    for (int i = 0; i < 400; i++) x[i] = 0.1 + 3 * dice(&state);
    weir_call call = {.struct_size = (uint32_t)sizeof call};
    MUST(weir_log_prob(m, &data, &call, p, &error));
    for (int r = 0; r < 100; r++) {
        double expected = 0;
        for (int j = 0; j < 4; j++) {
            const double z = log(x[r * 4 + j]), sech = 1 / cosh(z);
            expected += log(sech * sech) - z - log(2.0);
        }
        cr_assert_float_eq(p[r], expected, 1e-4 * (1 + fabs(expected)), "%g, not %g", p[r], expected);
    }
    weir_model_close(m);
    weir_close(rt);
}
