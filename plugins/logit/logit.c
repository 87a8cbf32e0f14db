/* logit - bounded features to the whole line. */
#include "features.h"

#include <stdlib.h>

static const char logit_doc[] =
    "u = alpha + (1 - 2 alpha) (x - lower) / (upper - lower),   z = log(u / (1 - u)), feature by feature;\n"
    "log|det J| = sum of log(1 - 2 alpha) - log(upper - lower) - log u - log(1 - u).\n"
    "alpha keeps the ends of the interval away from infinity; the inverse (a sigmoid) can leave [lower, upper] by\n"
    "alpha (upper - lower) / (1 - 2 alpha) at most. Rows whose u is not inside (0, 1) are discarded, so values\n"
    "outside the interval pass only within that margin.\n"
    "Refused: lower >= upper; a layer before it whose values are known to leave [lower, upper].\n"
    "Cost: O(D) a row, two vectorised functions a feature in either direction.\n"
    "Source: Dinh et al. 2017, \"Density estimation using Real NVP\", arXiv:1605.08803, section 4.1.";

static const weir_option logit_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "lower",
     .default_json = "0",
     .minimum = -1e30,
     .maximum = 1e30,
     .summary = "lower end of the data's interval"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "upper",
     .default_json = "1",
     .minimum = -1e30,
     .maximum = 1e30,
     .summary = "upper end of the data's interval"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "alpha",
     .default_json = "1e-6",
     .minimum = 0,
     .maximum = 0.49,
     .summary = "margin squeezed in at both ends, as a fraction; 0: none, then the ends are discarded"},
};

static weir_status logit_create(weir_builder *build, void **module)
{
    const double lower = build->number(build, "lower"), upper = build->number(build, "upper");
    double *const ends = malloc(2 * (size_t)(build->features + 1) * sizeof *ends);
    if (!ends) return weir_refuse(build, "out of memory");
    for (int32_t f = 0; f < build->features; f++) {
        ends[f] = lower;
        ends[build->features + f] = upper;
    }
    const weir_status status =
        features_make(build, ends, ends + build->features, build->number(build, "alpha"), 0, module);
    free(ends);
    return status;
}

static const weir_module logit_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "logit",
    .version = "1.0.0",
    .summary = "features in an interval to the whole line",
    .doc = logit_doc,
    WEIR_OPTIONS(logit_options),
    .create = logit_create,
    .destroy = free,
    .ops = &features_ops,
};

WEIR_PLUGIN(&logit_module, &WEIR_NAME(bounded_module), &WEIR_NAME(positive_module));
