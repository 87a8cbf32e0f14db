/* coupling - some features pass unchanged and decide how the others are moved. */
#include "mask.h"

#include <stdlib.h>

typedef struct coupling {
    lane_mask mask;
    const weir_child *univariate, *network;
    int32_t params; /* lanes of parameters: moved features times parameters per element */
} coupling;

static const char coupling_doc[] =
    "The features are split in two, a that pass and b that are moved:\n"
    "  z_a = x_a,   z_b = u(x_b; g(x_a, context))\n"
    "with u any univariate, element by element, and g any network. log|det J| is u's, summed over the moved features;\n"
    "both directions cost one call of g and one of u, and the inverse is as exact as u's.\n"
    "The mask names what PASSES (features are numbered from 1): half = 1 .. floor(D/2); half_swapped = the others;\n"
    "odd = 1, 3, 5, ...; even = 2, 4, 6, ...; given = those listed in `pass`, in any order.\n"
    "Parameter p (of P) of the k-th moved feature is output k * P + p of g, k counted from 0 in the order of features.\n"
    "Starts at u's identity, or near it when the network starts near its output bias.\n"
    "Refused: fewer than 2 features; a list that is empty, complete, out of range or has a feature twice; a univariate\n"
    "without parameters (elementwise does that).\n"
    "Source: Dinh et al. 2017, \"Density estimation using Real NVP\", arXiv:1605.08803, section 3.";

static const weir_option coupling_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_STRING,
     .name = "mask",
     .default_json = "\"half\"",
     .choices = "half|half_swapped|even|odd|given",
     .summary = "which features pass unchanged, numbered from 1; half is the first floor(D/2)"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGERS,
     .name = "pass",
     .default_json = "null",
     .minimum = 1,
     .maximum = INT32_MAX,
     .summary = "features that pass when mask is given, numbered from 1"},
};

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

typedef struct halves {
    weir_tile pass, moved;
} halves;

static int split(const coupling *self, weir_frame *frame, const weir_tile *tile, halves *parts)
{
    return WEIR_NAME(lane_set_of)(&self->mask.pass, frame, tile, &parts->pass) &&
           WEIR_NAME(lane_set_of)(&self->mask.moved, frame, tile, &parts->moved);
}

/* The parameters are needed by the univariate's VJP, which runs before the network's has popped what lies above them;
 * so their address is the newest record on the tape and they themselves the oldest. */
static weir_status note_params(weir_frame *frame, const weir_tile *params)
{
    if (!frame->tape) return WEIR_OK;
    void **const record = frame->services->tape_push(frame, (int64_t)sizeof *record);
    if (!record) return WEIR_ERROR;
    *record = params->data;
    return WEIR_OK;
}

static weir_status run(const coupling *self, weir_frame *frame, const weir_tile *from, const weir_tile *to,
                       void *log_det, int inverse)
{
    weir_status status = WEIR_OK;
    weir_tile params;
    halves in, out;
    if (!split(self, frame, from, &in) || !split(self, frame, to, &out)) return WEIR_ERROR;
    if (!weir_keep_tile(frame, self->params, &params)) return WEIR_ERROR;
    for (int32_t k = 0; k < in.pass.features; k++)
        weir_copy_lane(frame, weir_lane(&in.pass, k), weir_lane(&out.pass, k));
    WEIR_TRY(status, weir_network_forward(self->network, frame, &in.pass, &params));
    WEIR_TRY(status, (inverse ? weir_univariate_inverse : weir_univariate_forward)(
                         self->univariate, frame, &in.moved, &params, &out.moved, log_det));
    WEIR_TRY(status, note_params(frame, &params));
    return status;
}

/* Both directions have the same shape, so their VJPs do too: in_bar_a is what comes straight through plus what comes
 * through the network. */
static weir_status run_vjp(const coupling *self, weir_frame *frame, const weir_tile *from,
                           const weir_tile *to, const weir_tile *to_bar, const void *log_det_bar,
                           const weir_tile *from_bar, int inverse)
{
    weir_status status = WEIR_OK;
    halves in, out, out_bar, in_bar = {.pass = {.features = 0}};
    if (!split(self, frame, from, &in) || !split(self, frame, to, &out)) return WEIR_ERROR;
    if (!split(self, frame, to_bar, &out_bar)) return WEIR_ERROR;
    if (from_bar && !split(self, frame, from_bar, &in_bar)) return WEIR_ERROR;
    void *const *const record = frame->services->tape_pop(frame, (int64_t)sizeof *record);
    weir_tile params_bar;
    if (!record || !weir_take_tile(frame, self->params, &params_bar)) return WEIR_ERROR;
    weir_tile params = weir_tile_over(frame, *record, self->params);
    WEIR_TRY(status, (inverse ? weir_univariate_inverse_vjp : weir_univariate_forward_vjp)(
                         self->univariate, frame, &in.moved, &params, &out.moved, &out_bar.moved, log_det_bar,
                         from_bar ? &in_bar.moved : NULL, &params_bar));
    WEIR_TRY(status, weir_network_vjp(self->network, frame, &in.pass, &params, &params_bar,
                                      from_bar ? &in_bar.pass : NULL));
    for (int32_t k = 0; k < in_bar.pass.features; k++) {
        weir_real *const to_add = weir_lane(&in_bar.pass, k);
        const weir_real *const straight = weir_lane(&out_bar.pass, k);
        for (int32_t r = 0; r < frame->width; r++) to_add[r] += straight[r];
    }
    return weir_pop_tile(frame, self->params, &params) ? status : WEIR_ERROR;
}

static weir_status coupling_forward(const void *self, weir_frame *frame, const weir_tile *x,
                                    const weir_tile *z, void *log_det)
{
    return run(self, frame, x, z, log_det, 0);
}

static weir_status coupling_inverse(const void *self, weir_frame *frame, const weir_tile *z,
                                    const weir_tile *x, void *log_det)
{
    return run(self, frame, z, x, log_det, 1);
}

static weir_status coupling_forward_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                        const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                        const weir_tile *x_bar)
{
    return run_vjp(self, frame, x, z, z_bar, log_det_bar, x_bar, 0);
}

static weir_status coupling_inverse_vjp(const void *self, weir_frame *frame, const weir_tile *z,
                                        const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                        const weir_tile *z_bar)
{
    return run_vjp(self, frame, z, x, x_bar, log_det_bar, z_bar, 1);
}

/* ---- creation ------------------------------------------------------------------------------- */

static void coupling_destroy(void *module)
{
    coupling *const self = module;
    WEIR_NAME(mask_clear)(&self->mask);
    free(self);
}

static weir_status make_network(coupling *self, weir_builder *build)
{
    const int32_t moved = self->mask.moved.count, count = self->univariate->params;
    if (count == 0)
        return weir_refuse(
            build, "the univariate has no parameters, so there is nothing to couple: use elementwise");
    if ((int64_t)moved * count > INT32_MAX / 2)
        return weir_refuse(build, "%d features with %d parameters each are too many", moved, count);
    self->params = moved * count;
    double *const bias = malloc((size_t)self->params * sizeof *bias);
    if (!bias) return weir_refuse(build, "out of memory");
    for (int32_t i = 0; i < self->params; i++)
        bias[i] = self->univariate->identity ? self->univariate->identity[i % count] : 0;
    const weir_network_spec spec = {.struct_size = (uint32_t)sizeof spec,
                                    .in = self->mask.pass.count,
                                    .out = self->params,
                                    .output_bias = bias};
    self->network = build->child_network(build, "network", &spec);
    free(bias);
    return self->network ? WEIR_OK : WEIR_INVALID;
}

/* What passes keeps its domain, what is moved has the univariate's. */
static weir_status state_domains(const coupling *self, weir_builder *build)
{
    const lane_set *const pass = &self->mask.pass, *const moved = &self->mask.moved;
    for (int32_t k = 0; k < moved->count; k++)
        if (weir_univariate_lane(build, self->univariate, moved->lanes[k]) != WEIR_OK) return WEIR_INVALID;
    for (int32_t k = 0; k < pass->count; k++)
        if (weir_passed_lane(build, pass->lanes[k]) != WEIR_OK) return WEIR_INVALID;
    return WEIR_OK;
}

static weir_status coupling_create(weir_builder *build, void **module)
{
    const uint32_t inherited = WEIR_TRAIT_INVERSE_NUMERIC | WEIR_TRAIT_NO_INVERSE |
                               WEIR_TRAIT_VOLUME_PRESERVING | WEIR_TRAIT_INVERSE_LOSSY;
    coupling *const self = calloc(1, sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    if (WEIR_NAME(mask_read)(build, &self->mask) != WEIR_OK) goto fail;
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

static const weir_layer_ops coupling_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = coupling_forward,
    .inverse = coupling_inverse,
    .forward_vjp = coupling_forward_vjp,
    .inverse_vjp = coupling_inverse_vjp,
};

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
    .ops = &coupling_ops,
};

WEIR_PLUGIN(&coupling_module);
