/* reversible - two halves that add to each other in turn, each through a network of its own. */
#include <weir/plugin.h>

#include <stdlib.h>

typedef struct reversible {
    int32_t first[2], count[2];   /* lanes of the two halves */
    const weir_child *network[2]; /* network[k] reads the other half and adds to half k */
} reversible;

static const char reversible_doc[] =
    "The features are halved, x1 = features 1 .. floor(D/2) and x2 = the others; forward (data to latent) is\n"
    "  y1 = x1 + F(x2, context),   y2 = x2 + G(y1, context),   z = (y1, y2)\n"
    "with any two networks F and G (children f and g). log|det J| = 0: volume is kept. Inverse: x2 = y2 - G(y1),\n"
    "x1 = y1 - F(x2), exact, same cost: one call of each. With D odd x2 has one feature more than x1.\n"
    "It is the chain of two additive couplings, the first with the mask half_swapped, the second with half; what a layer\n"
    "of its own saves is copies. Put a permutation between two of them to mix the halves anew.\n"
    "Gradients: y1_bar' = y1_bar + G^T y2_bar, x1_bar = y1_bar', x2_bar = y2_bar + F^T y1_bar'; of the inverse:\n"
    "x2_bar' = x2_bar - F^T x1_bar, y2_bar = x2_bar', y1_bar = x1_bar - G^T x2_bar'; F^T and G^T are the networks' VJPs.\n"
    "Starts at the identity, or near it when the networks start near their output bias 0. Rows that become NaN or infinite\n"
    "are discarded. Refused: fewer than 2 features.\n"
    "Source: Gomez et al. 2017, \"The reversible residual network: backpropagation without storing activations\",\n"
    "arXiv:1707.04585, section 3; the couplings of Dinh et al. 2015, \"NICE\", arXiv:1410.8516.";

static const weir_slot reversible_slots[] = {
    {.struct_size = (uint32_t)sizeof(weir_slot),
     .kind = WEIR_NETWORK,
     .name = "f",
     .default_id = "mlp",
     .summary = "what is added to the first half, from the second"},
    {.struct_size = (uint32_t)sizeof(weir_slot),
     .kind = WEIR_NETWORK,
     .name = "g",
     .default_id = "mlp",
     .summary = "what is added to the second half, from the new first"},
};

/* ---- calls ------------------------------------------------------------------------------------ */

/* Either direction is two steps. A step adds sign times what network[k] gives to half k. Forward moves half 0, then half
 * 1, with sign +; the inverse moves half 1, then half 0, with sign -. The second step reads what the first has moved. */

static weir_tile half_of(const reversible *self, const weir_tile *tile, int k)
{
    return weir_slice(tile, self->first[k], self->count[k]);
}

/* to = from + sign by; NaN and infinities are marked. */
static weir_status add(weir_frame *frame, const weir_tile *from, weir_real sign, const weir_tile *by,
                       const weir_tile *to)
{
    weir_status status = WEIR_OK;
    for (int32_t f = 0; f < from->features; f++) {
        const weir_real *restrict const lane = weir_lane(from, f), *restrict const more = weir_lane(by, f);
        weir_real *restrict const sum = weir_lane(to, f);
        for (int32_t r = 0; r < frame->width; r++) sum[r] = lane[r] + sign * more[r];
        WEIR_TRY(status, weir_discard_unless_finite(frame, sum));
    }
    return status;
}

static weir_status run(const reversible *self, weir_frame *frame, const weir_tile *from, const weir_tile *to,
                       int inverse)
{
    const int one = inverse, two = !inverse; /* which half each step moves */
    const weir_real sign = inverse ? -1 : 1;
    weir_status status = WEIR_OK;
    weir_tile outputs;
    if (!weir_keep_tile(frame, from->features, &outputs)) return WEIR_ERROR;
    const weir_tile from_one = half_of(self, from, one), from_two = half_of(self, from, two);
    const weir_tile to_one = half_of(self, to, one), to_two = half_of(self, to, two);
    const weir_tile by_one = half_of(self, &outputs, one), by_two = half_of(self, &outputs, two);
    WEIR_TRY(status, weir_network_forward(self->network[one], frame, &from_two, &by_one));
    WEIR_TRY(status, add(frame, &from_one, sign, &by_one, &to_one));
    WEIR_TRY(status, weir_network_forward(self->network[two], frame, &to_one, &by_two));
    WEIR_TRY(status, add(frame, &from_two, sign, &by_two, &to_two));
    WEIR_TRY(status, weir_note_address(frame, outputs.data));
    return status;
}

/* Back through network[k], which read `x`: `bar` is the cotangent of the half that it moved, `straight` that of x as far
 * as known; total = straight + sign N^T bar. */
static weir_status pull(const reversible *self, weir_frame *frame, int k, weir_real sign, const weir_tile *x,
                        const weir_tile *outputs, const weir_tile *bar, const weir_tile *straight,
                        const weir_tile *total)
{
    weir_status status = WEIR_OK;
    const weir_tile y = half_of(self, outputs, k);
    weir_tile y_bar;
    if (!weir_take_tile(frame, bar->features, &y_bar)) return WEIR_ERROR;
    for (int32_t f = 0; f < bar->features; f++)
        for (int32_t r = 0; r < frame->width; r++) weir_lane(&y_bar, f)[r] = sign * weir_lane(bar, f)[r];
    WEIR_TRY(status, weir_network_vjp(self->network[k], frame, x, &y, &y_bar, total));
    for (int32_t f = 0; f < total->features; f++) {
        weir_real *restrict const sum = weir_lane(total, f);
        const weir_real *restrict const more = weir_lane(straight, f);
        for (int32_t r = 0; r < frame->width; r++) sum[r] += more[r];
    }
    return status;
}

static weir_status run_vjp(const reversible *self, weir_frame *frame, const weir_tile *from,
                           const weir_tile *to, const weir_tile *to_bar, const weir_tile *from_bar,
                           int inverse)
{
    const int one = inverse, two = !inverse;
    const weir_real sign = inverse ? -1 : 1;
    weir_status status = WEIR_OK;
    void *const kept = weir_noted_address(frame);
    weir_tile unwanted;
    if (!kept || (!from_bar && !weir_take_tile(frame, from->features, &unwanted))) return WEIR_ERROR;
    if (!from_bar) from_bar = &unwanted;
    weir_tile outputs = weir_tile_over(frame, kept, from->features);
    const weir_tile from_two = half_of(self, from, two), to_one = half_of(self, to, one);
    const weir_tile to_bar_one = half_of(self, to_bar, one), to_bar_two = half_of(self, to_bar, two);
    const weir_tile from_bar_one = half_of(self, from_bar, one), from_bar_two = half_of(self, from_bar, two);
    WEIR_TRY(status,
             pull(self, frame, two, sign, &to_one, &outputs, &to_bar_two, &to_bar_one, &from_bar_one));
    WEIR_TRY(status,
             pull(self, frame, one, sign, &from_two, &outputs, &from_bar_one, &to_bar_two, &from_bar_two));
    return weir_pop_tile(frame, from->features, &outputs) ? status : WEIR_ERROR;
}

static weir_status reversible_forward(const void *self, weir_frame *frame, const weir_tile *x,
                                      const weir_tile *z, void *log_det)
{
    (void)log_det;
    return run(self, frame, x, z, 0);
}

static weir_status reversible_inverse(const void *self, weir_frame *frame, const weir_tile *z,
                                      const weir_tile *x, void *log_det)
{
    (void)log_det;
    return run(self, frame, z, x, 1);
}

static weir_status reversible_forward_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                          const weir_tile *z, const weir_tile *z_bar, const void *log_det_bar,
                                          const weir_tile *x_bar)
{
    (void)log_det_bar;
    return run_vjp(self, frame, x, z, z_bar, x_bar, 0);
}

static weir_status reversible_inverse_vjp(const void *self, weir_frame *frame, const weir_tile *z,
                                          const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                          const weir_tile *z_bar)
{
    (void)log_det_bar;
    return run_vjp(self, frame, z, x, x_bar, z_bar, 1);
}

static const weir_layer_ops reversible_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = reversible_forward,
    .inverse = reversible_inverse,
    .forward_vjp = reversible_forward_vjp,
    .inverse_vjp = reversible_inverse_vjp,
};

/* ---- creation --------------------------------------------------------------------------------- */

static weir_status make_networks(reversible *self, weir_builder *build)
{
    static const char *const slots[2] = {"f", "g"};
    double *const zero = calloc((size_t)build->features, sizeof *zero);
    if (!zero) return weir_refuse(build, "out of memory");
    for (int k = 0; k < 2; k++) {
        const weir_network_spec spec = {.struct_size = (uint32_t)sizeof spec,
                                        .in = self->count[1 - k],
                                        .out = self->count[k],
                                        .output_bias = zero};
        self->network[k] = build->child_network(build, slots[k], &spec);
    }
    free(zero);
    return self->network[0] && self->network[1] ? WEIR_OK : WEIR_INVALID;
}

static weir_status state_domains(weir_builder *build)
{
    const weir_domain line = {
        (uint32_t)sizeof(weir_domain), WEIR_DOMAIN_INTERVAL, 0, build->features, 0, 0, -INFINITY, INFINITY};
    return build->produce(build, &line) == WEIR_OK ? WEIR_OK : WEIR_INVALID;
}

static weir_status reversible_create(weir_builder *build, void **module)
{
    if (build->features < 2)
        return weir_refuse(build, "reversible needs at least 2 features, one for each half; it has %d",
                           (int)build->features);
    reversible *const self = calloc(1, sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    self->count[0] = self->first[1] = build->features / 2;
    self->count[1] = build->features - self->count[0];
    build->traits(build, WEIR_TRAIT_VOLUME_PRESERVING);
    if (make_networks(self, build) != WEIR_OK || state_domains(build) != WEIR_OK || build->failed(build)) {
        free(self);
        return WEIR_INVALID;
    }
    *module = self;
    return WEIR_OK;
}

static const weir_module reversible_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "reversible",
    .version = "1.0.0",
    .summary = "two halves that add to each other in turn, each through a network of its own",
    .doc = reversible_doc,
    WEIR_SLOTS(reversible_slots),
    .create = reversible_create,
    .destroy = free,
    .ops = &reversible_ops,
};

WEIR_PLUGIN(&reversible_module);
