/* parameterization.c - the forms, each a product of factors, leftmost first. */
#include "parameterization.h"

#define REFLECTS PARAMETERIZATION_REFLECTS
#define RANKED   PARAMETERIZATION_RANKED
#define ROTATES  PARAMETERIZATION_ROTATES

/* clang-format off */
#define FACTOR(kind, its_name, its_flags)                                                                    \
    {.ops = &WEIR_NAME(kind##_factor), .name = (its_name), .flags = (its_flags)}

static const parameterization forms[] = {
    {"full", ROTATES, 1, {FACTOR(full, "weight", 0)}},
    {"diagonal", 0, 1, {FACTOR(diagonal, "log_diagonal", 0)}},
    {"triangular", 0, 1, {FACTOR(triangular, "lower", FACTOR_LOWER)}},
    {"lu", ROTATES, 3, {FACTOR(permutation, "permutation", 0),
                        FACTOR(triangular, "lower", FACTOR_LOWER | FACTOR_UNIT),
                        FACTOR(triangular, "upper", FACTOR_SIGNED)}},
    {"qr", REFLECTS | ROTATES, 2, {FACTOR(reflections, "householder", 0),
                                   FACTOR(triangular, "upper", 0)}},
    {"svd", REFLECTS | ROTATES, 3, {FACTOR(reflections, "left", 0),
                                    FACTOR(diagonal, "log_diagonal", 0),
                                    FACTOR(reflections, "right", 0)}},
    {"householder", REFLECTS | ROTATES, 1, {FACTOR(reflections, "householder", 0)}},
    {"exponential", ROTATES, 1, {FACTOR(exponential, "skew", 0)}},
    {"cayley", ROTATES, 1, {FACTOR(cayley, "skew", 0)}},
    {"low_rank", RANKED, 1, {FACTOR(low_rank, "left", 0)}},
};
/* clang-format on */

const parameterization *WEIR_NAME(parameterization_named)(const char *name)
{
    for (size_t i = 0; name && i < sizeof forms / sizeof *forms; i++)
        if (strcmp(forms[i].name, name) == 0) return &forms[i];
    return NULL;
}

/* A random matrix as P L U, where the form keeps one; the others draw what they need when they declare. */
static int start_for(const parameterization *form, int32_t features, int random, start *made)
{
    made->random = random;
    if (!random || form->factors[0].ops != &WEIR_NAME(permutation_factor)) return 1;
    return WEIR_NAME(random_lu_factors)(features, made->key, &made->lu);
}

weir_status WEIR_NAME(parameterization_declare)(const parameterization *form, weir_builder *build,
                                                int32_t size, int random, const char *bias, product *made)
{
    start from = {.key = build->stream};
    weir_status status = WEIR_INVALID;
    memset(made, 0, sizeof *made);
    made->features = build->features;
    made->count = form->count;
    for (int32_t k = 0; k < form->count; k++) {
        made->factors[k] = form->factors[k];
        made->factors[k].size = size;
    }
    if (start_for(form, made->features, random, &from))
        status = WEIR_NAME(product_declare)(made, build, bias, &from);
    else
        weir_refuse(build, "out of memory");
    WEIR_NAME(lu_factors_clear)(&from.lu);
    return status;
}
