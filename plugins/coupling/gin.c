/* gin - an affine coupling that keeps volume. */
#include "affine_halves.h"
#include "layers.h"

#include <stdlib.h>

static const char gin_doc[] =
    "The features are split in two, a that pass and b that are moved:\n"
    "  z_a = x_a,   z_b = x_b exp(a) + t,   a_k = r_k - mean(r),   r_k = c tanh(s_k / c)\n"
    "with s and t the outputs of a network of x_a and the context, and c = bound (bound = 0: r = s). The log-scales a of\n"
    "a row sum to 0, so volume is kept: log|det J| = 0. Inverse: x_b = (z_b - t) exp(-a), exact, same cost.\n"
    "The mean is taken off; making the last log-scale minus the sum of the others would keep volume too, but treat one\n"
    "feature apart and let its log-scale grow with their number, where here none exceeds 2 c.\n"
    "One moved feature has a = 0, so its layer is additive: the network then gives t alone.\n" COUPLING_MASK_DOC
    "Outputs 2 k and 2 k + 1 of the network are s and t of the k-th moved feature, k counted from 0.\n"
    "Gradients, with a_bar_k = z_bar_k x_k exp(a_k) (inverse: -x_bar_k x_k): r_bar_k = a_bar_k - mean(a_bar), and\n"
    "s_bar_k = (1 - (r_k / c)^2) r_bar_k; the log-det has none.\n"
    "Starts at the identity, or near it when the network starts near its output bias. Rows that become NaN or infinite\n"
    "are discarded. Refused: as in coupling.\n"
    "Source: Sorrenson et al. 2020, \"Disentanglement by nonlinear ICA with general incompressible-flow networks (GIN)\",\n"
    "arXiv:2001.04872.";

static const weir_option gin_options[] = {COUPLING_MASK_OPTIONS, COUPLING_BOUND_OPTION("3")};

static const weir_slot gin_slots[] = {
    {.struct_size = (uint32_t)sizeof(weir_slot),
     .kind = WEIR_NETWORK,
     .name = "network",
     .default_id = "mlp",
     .summary = "gives log-scales and shifts from the features that pass"},
};

static void gin_destroy(void *module)
{
    affine_halves *const self = module;
    WEIR_NAME(halves_clear)(&self->halves);
    free(self);
}

static weir_status gin_create(weir_builder *build, void **module)
{
    affine_halves *const self = calloc(1, sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    build->traits(build, WEIR_TRAIT_VOLUME_PRESERVING);
    if (WEIR_NAME(affine_halves_create)(build, self, 1) != WEIR_OK || build->failed(build)) {
        gin_destroy(self);
        return WEIR_INVALID;
    }
    *module = self;
    return WEIR_OK;
}

const weir_module WEIR_NAME(gin_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "gin",
    .version = "1.0.0",
    .summary = "an affine coupling whose log-scales sum to 0, which keeps volume (GIN)",
    .doc = gin_doc,
    WEIR_OPTIONS(gin_options),
    WEIR_SLOTS(gin_slots),
    .create = gin_create,
    .destroy = gin_destroy,
    .ops = &WEIR_NAME(halves_ops),
};
