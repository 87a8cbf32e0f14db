/* coupling - some features pass unchanged and decide how the others are moved, by any univariate. */
#include "layers.h"

#include <stdlib.h>

typedef struct coupling {
    halves halves; /* first */
    const weir_child *univariate;
} coupling;

static const char coupling_doc[] =
    "The features are split in two, a that pass and b that are moved:\n"
    "  z_a = x_a,   z_b = u(x_b; g(x_a, context))\n"
    "with u any univariate, element by element, and g any network. log|det J| is u's, summed over the moved features;\n"
    "both directions cost one call of g and one of u, and the inverse is as exact as u's.\n" COUPLING_MASK_DOC
    "Parameter p (of P) of the k-th moved feature is output k * P + p of g, k counted from 0 in the order of features.\n"
    "Starts at u's identity, or near it when the network starts near its output bias.\n"
    "Refused: fewer than 2 features; a list that is empty, complete, out of range or has a feature twice; a mask that lets\n"
    "nothing pass or moves nothing (a period of D or more, the channels of a grey image); a mask of an image without its\n"
    "shape; a univariate without parameters (elementwise does that).\n"
    "Source: Dinh et al. 2017, \"Density estimation using Real NVP\", arXiv:1605.08803, sections 3 and 3.4, which lets the\n"
    "odd colour of the checkerboard and the first half of the channels pass.";

static const weir_option coupling_options[] = {COUPLING_MASK_OPTIONS};

static const weir_slot coupling_slots[] = {
    {.struct_size = (uint32_t)sizeof(weir_slot),
     .kind = WEIR_UNIVARIATE,
     .name = "univariate",
     .default_id = "affine",
     .summary = "maps each moved feature"},
    {.struct_size = (uint32_t)sizeof(weir_slot),
     .kind = WEIR_NETWORK,
     .name = "network",
     .default_id = "mlp",
     .summary = "gives the univariate's parameters from the features that pass"},
};

/* ---- calls ---------------------------------------------------------------------------------- */

static const weir_child *univariate_of(const halves *layer)
{
    return ((const coupling *)layer)->univariate;
}

static weir_status move(const halves *layer, weir_frame *frame, const weir_tile *from,
                        const weir_tile *params, const weir_tile *to, weir_real *log_det, int inverse)
{
    return (inverse ? weir_univariate_inverse : weir_univariate_forward)(univariate_of(layer), frame, from,
                                                                         params, to, log_det);
}

static weir_status move_vjp(const halves *layer, weir_frame *frame, const weir_tile *from,
                            const weir_tile *params, const weir_tile *to, const weir_tile *to_bar,
                            const weir_real *log_det_bar, const weir_tile *from_bar,
                            const weir_tile *params_bar, int inverse)
{
    return (inverse ? weir_univariate_inverse_vjp : weir_univariate_forward_vjp)(
        univariate_of(layer), frame, from, params, to, to_bar, log_det_bar, from_bar, params_bar);
}

static const mover coupling_mover = {move, move_vjp};

/* ---- creation ------------------------------------------------------------------------------- */

static void coupling_destroy(void *module)
{
    coupling *const self = module;
    WEIR_NAME(halves_clear)(&self->halves);
    free(self);
}

static weir_status make_network(coupling *self, weir_builder *build)
{
    if (self->univariate->params == 0)
        return weir_refuse(
            build, "the univariate has no parameters, so there is nothing to couple: use elementwise");
    return WEIR_NAME(halves_make_network)(build, &self->halves, self->univariate->params,
                                          self->univariate->identity);
}

/* What passes keeps its domain, what is moved has the univariate's. */
static weir_status state_domains(const coupling *self, weir_builder *build)
{
    const lane_set *const moved = &self->halves.mask.moved;
    for (int32_t k = 0; k < moved->count; k++)
        if (weir_univariate_lane(build, self->univariate, moved->lanes[k]) != WEIR_OK) return WEIR_INVALID;
    return WEIR_NAME(halves_pass_domains)(build, &self->halves);
}

static weir_status coupling_create(weir_builder *build, void **module)
{
    const uint32_t inherited = WEIR_TRAIT_INVERSE_NUMERIC | WEIR_TRAIT_NO_INVERSE |
                               WEIR_TRAIT_VOLUME_PRESERVING | WEIR_TRAIT_INVERSE_LOSSY;
    coupling *const self = calloc(1, sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->halves.mover = &coupling_mover;
    if (WEIR_NAME(mask_read)(build, &self->halves.mask) != WEIR_OK) goto fail;
    self->univariate = build->child_univariate(build, "univariate");
    if (!self->univariate || state_domains(self, build) != WEIR_OK) goto fail;
    if (make_network(self, build) != WEIR_OK) goto fail;
    build->traits(build, self->univariate->traits & inherited);
    if (build->failed(build)) goto fail;
    *module = self;
    return WEIR_OK;
fail:
    coupling_destroy(self);
    return WEIR_INVALID;
}

static const weir_module coupling_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "coupling",
    .version = "1.0.0",
    .summary = "features that pass decide how the others are moved (NICE, RealNVP, spline flows)",
    .doc = coupling_doc,
    WEIR_OPTIONS(coupling_options),
    WEIR_SLOTS(coupling_slots),
    .create = coupling_create,
    .destroy = coupling_destroy,
    .ops = &WEIR_NAME(halves_ops),
};

WEIR_PLUGIN(&coupling_module, &WEIR_NAME(gin_module), &WEIR_NAME(all_in_one_module));
