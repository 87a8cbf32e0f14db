/* bounded and positive - features with ends of their own to the whole line. */
#include "features.h"

#include <stdlib.h>

static const char bounded_doc[] =
    "Each feature lies in its own interval (a, b), half-line or the line, and z is in R, increasing in x:\n"
    "  a and b   z = log(x - a) - log(b - x),   log dz/dx = log(b - a) - log(x - a) - log(b - x)\n"
    "  only a    z = log(x - a),                log dz/dx = -log(x - a)\n"
    "  only b    z = -log(b - x),               log dz/dx = -log(b - x)\n"
    "  neither   z = x.\n"
    "With tail = softplus the half-lines use v + log(1 - e^-v) in place of log v (v the distance from the end): the inverse\n"
    "of softplus, near log v close to the end and a straight line far away, so that far values are not squeezed.\n"
    "log|det J| is the sum. `lower` and `upper`: one number for all features or one for each; a number beyond 1e30 in size\n"
    "is no end. All is computed from the distances to the ends. Inverse: sigmoid, exp or softplus, in closed form.\n"
    "Discarded: rows with a value at an end or outside. Unlike logit there is no margin: clip or dequantize data that lie\n"
    "on an end. Refused: lower >= upper; a layer before it whose values are known to leave the interval.\n"
    "Cost: O(D) a row, two vectorised functions a feature. Source: Stan Reference Manual, \"Constraint transforms\".";

static const char positive_doc[] =
    "x > 0, feature by feature. map = log: z = log x, log dz/dx = -log x. map = softplus: z = log(e^x - 1) = x + log(1 - e^-x),\n"
    "log dz/dx = -log(1 - e^-x): like log near 0, like x far away. log|det J| is the sum.\n"
    "The same as bounded with lower = 0 and no upper end. Discarded: rows with a value <= 0. Cost: O(D) a row.\n"
    "Refused: a layer before it whose values are known to be negative.\n"
    "Source: Stan Reference Manual, \"Lower bounded scalar\".";

static const weir_option bounded_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBERS,
     .name = "lower",
     .default_json = "[0]",
     .minimum = -1e308,
     .maximum = 1e30,
     .summary = "lower ends: one for all features or one for each; below -1e30: none"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBERS,
     .name = "upper",
     .default_json = "[1]",
     .minimum = -1e30,
     .maximum = 1e308,
     .summary = "upper ends: one for all features or one for each; above 1e30: none"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_STRING,
     .name = "tail",
     .default_json = "\"log\"",
     .choices = "log|softplus",
     .summary = "map of features with one end: log, or the inverse of softplus, straight far away"},
};

static const weir_option positive_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_STRING,
     .name = "map",
     .default_json = "\"log\"",
     .choices = "log|softplus",
     .summary = "log, or the inverse of softplus, straight far away"},
};

/* ---- creation --------------------------------------------------------------------------------- */

/** [2 D]: room for the lower and the upper ends of all features. */
static double *take_ends(weir_builder *build)
{
    double *const ends = calloc(2 * (size_t)build->features + 1, sizeof *ends);
    if (!ends) weir_refuse(build, "out of memory");
    return ends;
}

static int32_t is_soft(weir_builder *build, const char *option)
{
    return strcmp(build->string(build, option), "softplus") == 0;
}

static weir_status bounded_create(weir_builder *build, void **module)
{
    double *const lower = take_ends(build), *const upper = lower ? lower + build->features : NULL;
    weir_status status = lower ? WEIR_OK : WEIR_INVALID;
    if (status == WEIR_OK) status = weir_numbers_per_feature(build, "lower", build->features, lower);
    if (status == WEIR_OK) status = weir_numbers_per_feature(build, "upper", build->features, upper);
    if (status == WEIR_OK) status = features_make(build, lower, upper, 0, is_soft(build, "tail"), module);
    free(lower);
    return status;
}

static weir_status positive_create(weir_builder *build, void **module)
{
    double *const lower = take_ends(build), *const upper = lower ? lower + build->features : NULL;
    if (!lower) return WEIR_INVALID;
    for (int32_t f = 0; f < build->features; f++) upper[f] = INFINITY;
    const weir_status status = features_make(build, lower, upper, 0, is_soft(build, "map"), module);
    free(lower);
    return status;
}

const weir_module WEIR_NAME(bounded_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "bounded",
    .version = "1.0.0",
    .summary = "features with lower and upper ends of their own to the whole line",
    .doc = bounded_doc,
    WEIR_OPTIONS(bounded_options),
    .create = bounded_create,
    .destroy = free,
    .ops = &features_ops,
};

const weir_module WEIR_NAME(positive_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "positive",
    .version = "1.0.0",
    .summary = "positive features to the whole line",
    .doc = positive_doc,
    WEIR_OPTIONS(positive_options),
    .create = positive_create,
    .destroy = free,
    .ops = &features_ops,
};
