/* all_in_one - an affine coupling, a scale and shift for every feature, and a permutation or rotation, as one layer. */
#include "affine_halves.h"
#include "layers.h"
#include "mixing.h"
#include "stretch.h"

#include <stdlib.h>

typedef struct all_in_one {
    affine_halves affine; /* first */
    stretch stretch;
    mixing mixing;
} all_in_one;

static const char all_in_one_doc[] =
    "z = Q (v * c(x) + t): forward (data to latent) is an affine coupling c, then a global scale v > 0 and shift t of every\n"
    "feature, then an orthogonal Q.\n"
    "  c: c_a = x_a, c_b = x_b exp(r) + b, r_k = c0 tanh(s_k / c0), c0 = bound; s and b are outputs 2 k and 2 k + 1 of a\n"
    "  network of x_a and the context for the k-th moved feature: coupling with the univariate affine of that bound.\n"
    "  v = softplus(g) or exp(g), parameter scale [D] = g, which starts at v = 1; parameter shift [D] = t, at 0.\n"
    "  Q: soft, a random rotation (buffer rotation [D, D], saved), up to 2048 features; with `reflections` = K also learned,\n"
    "  Q = H_1 ... H_K R, R that rotation and H_k the reflection along row k of the parameter reflections [K, D], which\n"
    "  start random. hard: z_f = u_order[f] (buffer order [D], from 0, saved). Both are drawn from `seed`. Soft is the\n"
    "  default, because an order may let the same features pass in consecutive layers; take hard where D^2 a row is too much.\n"
    "log|det J| = sum r + sum log v. Inverse: u = Q^T z, h = (u - t) / v, then the coupling's; exact, same cost.\n"
    "volume_preserving: the log-scales are r less their mean, as in gin, and v = 1: log|det J| = 0.\n" COUPLING_MASK_DOC
    "Gradients, with u = v * h + t, h = c(x): u_bar = Q^T z_bar, t_bar = sum u_bar, v_bar = sum u_bar h + l_bar / v,\n"
    "Q_bar = sum z_bar u^T, h_bar = v u_bar, then the coupling's; the inverse's t_bar = -sum u_bar, v_bar = -sum u_bar h\n"
    "- l_bar / v, with u_bar = h_bar / v, Q_bar = sum z u_bar^T.\n"
    "Cost: the network's, and D^2 a row for a soft Q; K D^2 per update for reflections.\n"
    "Starts at z = Q x, or near it. Rows that become NaN or infinite are discarded. Refused: as in coupling; reflections\n"
    "with a hard Q; a file whose rotation is not orthogonal or whose order is none; a scale that underflows to 0.\n"
    "Source: Ardizzone et al., FrEIA (Framework for Easily Invertible Architectures), module AllInOneBlock, which goes this\n"
    "way; the coupling of Dinh et al. 2017, arXiv:1605.08803, volume preservation of Sorrenson et al. 2020,\n"
    "arXiv:2001.04872.";

static const weir_option all_in_one_options[] = {
    COUPLING_MASK_OPTIONS,
    COUPLING_BOUND_OPTION("2"),
    COUPLING_MIXING_OPTIONS,
    COUPLING_STRETCH_OPTION,
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_BOOLEAN,
     .name = "volume_preserving",
     .default_json = "false",
     .summary = "log-scales that sum to 0 and no global scale, as in gin"},
};

static const weir_slot all_in_one_slots[] = {
    {.struct_size = (uint32_t)sizeof(weir_slot),
     .kind = WEIR_NETWORK,
     .name = "network",
     .default_id = "mlp",
     .summary = "gives log-scales and shifts from the features that pass"},
};

/* ---- calls ---------------------------------------------------------------------------------- */

static weir_status discard_bad_rows(weir_frame *frame, const weir_tile *tile)
{
    weir_status status = WEIR_OK;
    for (int32_t f = 0; f < tile->features; f++)
        WEIR_TRY(status, weir_discard_unless_finite(frame, weir_lane(tile, f)));
    return status;
}

/* h lies under what the coupling pushes, and its address on top: the VJPs need it first and pop it last. */
static weir_status all_in_one_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                      const weir_tile *z, void *log_det)
{
    const all_in_one *const self = module;
    weir_status status = WEIR_OK;
    weir_tile h, u;
    if (!weir_keep_tile(frame, x->features, &h) || !WEIR_NAME(mixing_place)(&self->mixing, frame, z, &u))
        return WEIR_ERROR;
    WEIR_TRY(status, WEIR_NAME(halves_run)(&self->affine.halves, frame, x, &h, log_det, 0));
    WEIR_TRY(status, weir_note_address(frame, h.data));
    WEIR_NAME(stretch_forward)(&self->stretch, frame, &h, &u, log_det);
    WEIR_NAME(mixing_apply)(&self->mixing, frame, &u, z);
    WEIR_TRY(status, discard_bad_rows(frame, z));
    return status;
}

static weir_status all_in_one_inverse(const void *module, weir_frame *frame, const weir_tile *z,
                                      const weir_tile *x, void *log_det)
{
    const all_in_one *const self = module;
    weir_status status = WEIR_OK;
    weir_tile h, u;
    if (!weir_keep_tile(frame, z->features, &h) || !WEIR_NAME(mixing_undo)(&self->mixing, frame, z, &u))
        return WEIR_ERROR;
    WEIR_NAME(stretch_inverse)(&self->stretch, frame, &u, &h, log_det);
    WEIR_TRY(status, WEIR_NAME(halves_run)(&self->affine.halves, frame, &h, x, log_det, 1));
    WEIR_TRY(status, weir_note_address(frame, h.data));
    WEIR_TRY(status, discard_bad_rows(frame, x));
    return status;
}

static weir_status all_in_one_forward_vjp(const void *module, weir_frame *frame, const weir_tile *x,
                                          const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                          const weir_tile *x_bar)
{
    const all_in_one *const self = module;
    const int32_t features = x->features;
    weir_status status = WEIR_OK;
    weir_tile u, u_bar, h_bar;
    void *const kept = weir_noted_address(frame);
    (void)z;
    if (!kept || !weir_take_tile(frame, features, &h_bar) || !weir_take_tile(frame, features, &u) ||
        !WEIR_NAME(mixing_undo)(&self->mixing, frame, z_bar, &u_bar))
        return WEIR_ERROR;
    weir_tile h = weir_tile_over(frame, kept, features);
    WEIR_NAME(stretch_forward)(&self->stretch, frame, &h, &u, NULL);
    WEIR_NAME(mixing_gradient)(&self->mixing, frame, z_bar, &u);
    WEIR_NAME(stretch_forward_vjp)(&self->stretch, frame, &h, &u_bar, log_det_bar, &h_bar);
    WEIR_TRY(status,
             WEIR_NAME(halves_vjp)(&self->affine.halves, frame, x, &h, &h_bar, log_det_bar, x_bar, 0));
    return weir_pop_tile(frame, features, &h) ? status : WEIR_ERROR;
}

static weir_status all_in_one_inverse_vjp(const void *module, weir_frame *frame, const weir_tile *z,
                                          const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                          const weir_tile *z_bar)
{
    const all_in_one *const self = module;
    const int32_t features = z->features;
    weir_status status = WEIR_OK;
    weir_tile h_bar, u_bar, unwanted;
    void *const kept = weir_noted_address(frame);
    if (!kept || !weir_take_tile(frame, features, &h_bar)) return WEIR_ERROR;
    if (!z_bar && !weir_take_tile(frame, features, &unwanted)) return WEIR_ERROR;
    if (!z_bar) z_bar = &unwanted;
    if (!WEIR_NAME(mixing_place)(&self->mixing, frame, z_bar, &u_bar)) return WEIR_ERROR;
    weir_tile h = weir_tile_over(frame, kept, features);
    WEIR_TRY(status,
             WEIR_NAME(halves_vjp)(&self->affine.halves, frame, &h, x, x_bar, log_det_bar, &h_bar, 1));
    WEIR_NAME(stretch_inverse_vjp)(&self->stretch, frame, &h, &h_bar, log_det_bar, &u_bar);
    WEIR_NAME(mixing_gradient)(&self->mixing, frame, z, &u_bar);
    WEIR_NAME(mixing_apply)(&self->mixing, frame, &u_bar, z_bar);
    return weir_pop_tile(frame, features, &h) ? status : WEIR_ERROR;
}

static const weir_layer_ops all_in_one_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = all_in_one_forward,
    .inverse = all_in_one_inverse,
    .forward_vjp = all_in_one_forward_vjp,
    .inverse_vjp = all_in_one_inverse_vjp,
};

/* ---- preparation ---------------------------------------------------------------------------- */

static weir_status all_in_one_prepare(const void *module, weir_frame *frame)
{
    const all_in_one *const self = module;
    const weir_status status = WEIR_NAME(stretch_prepare)(&self->stretch, frame);
    return status == WEIR_OK ? WEIR_NAME(mixing_prepare)(&self->mixing, frame) : status;
}

static weir_status all_in_one_prepare_vjp(const void *module, weir_frame *frame)
{
    const all_in_one *const self = module;
    WEIR_NAME(stretch_prepare_vjp)(&self->stretch, frame);
    return WEIR_NAME(mixing_prepare_vjp)(&self->mixing, frame);
}

/* ---- creation ------------------------------------------------------------------------------- */

static void all_in_one_destroy(void *module)
{
    all_in_one *const self = module;
    WEIR_NAME(halves_clear)(&self->affine.halves);
    free(self);
}

/* Whatever went in, each output is a sum of all features. */
static weir_status state_domains(weir_builder *build)
{
    const weir_domain line = {
        (uint32_t)sizeof(weir_domain), WEIR_DOMAIN_INTERVAL, 0, build->features, 0, 0, -INFINITY, INFINITY};
    return build->produce(build, &line) == WEIR_OK ? WEIR_OK : WEIR_INVALID;
}

static weir_status all_in_one_create(weir_builder *build, void **module)
{
    all_in_one *const self = calloc(1, sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    const int preserving = build->boolean(build, "volume_preserving");
    if (WEIR_NAME(affine_halves_create)(build, &self->affine, preserving) != WEIR_OK) goto fail;
    if (WEIR_NAME(stretch_declare)(build, &self->stretch, !preserving) != WEIR_OK) goto fail;
    if (WEIR_NAME(mixing_declare)(build, &self->mixing) != WEIR_OK) goto fail;
    if (state_domains(build) != WEIR_OK) goto fail;
    if (preserving) build->traits(build, WEIR_TRAIT_VOLUME_PRESERVING);
    if (build->failed(build)) goto fail;
    *module = self;
    return WEIR_OK;
fail:
    all_in_one_destroy(self);
    return WEIR_INVALID;
}

const weir_module WEIR_NAME(all_in_one_module) = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .id = "all_in_one",
    .version = "1.0.0",
    .summary = "affine coupling, global scale and shift, and a rotation, fused (FrEIA)",
    .doc = all_in_one_doc,
    WEIR_OPTIONS(all_in_one_options),
    WEIR_SLOTS(all_in_one_slots),
    .create = all_in_one_create,
    .destroy = all_in_one_destroy,
    .prepare = all_in_one_prepare,
    .prepare_vjp = all_in_one_prepare_vjp,
    .ops = &all_in_one_ops,
};
