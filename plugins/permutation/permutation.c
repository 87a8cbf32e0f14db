/* permutation - the features in another order. */
#include <weir/random.h>

#include <stdlib.h>

typedef struct permutation {
    int32_t features;
    weir_handle order; /* integer buffer [features], from 0: z_f = x_order[f] */
} permutation;

static const char permutation_doc[] =
    "z_f = x_order[f]: the features in another order, log|det J| = 0; the inverse puts them back.\n"
    "kind reverse: last feature first; random: a shuffle fixed by `seed` (without one, by the model's seed and the layer's\n"
    "place); given: `order` lists, for each output feature, which input feature it takes, numbered from 1.\n"
    "The order is saved with the model (buffer order [features], numbered from 0) and what is saved holds.\n"
    "Refused: an order that is not a permutation of 1 .. features; `order` or `seed` with another kind.\n"
    "Cost: a copy of each value; none where the layer beside it reads through an index.\n"
    "Source: Dinh et al. 2017, \"Density estimation using Real NVP\", arXiv:1605.08803, section 3.5, where layers\n"
    "alternate what they move.";

static const weir_option permutation_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_STRING,
     .name = "kind",
     .default_json = "\"reverse\"",
     .choices = "reverse|random|given",
     .summary = "how the order is chosen"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGERS,
     .name = "order",
     .default_json = "null",
     .minimum = 1,
     .maximum = INT32_MAX,
     .summary = "for kind given: the input feature, from 1, that each output feature takes"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "seed",
     .default_json = "null",
     .minimum = 0,
     .maximum = 9007199254740991.0,
     .summary = "for kind random: seed of the shuffle; absent: from the model's seed and the place"},
};

/* ---- calls ------------------------------------------------------------------------------------ */

/** The order, checked anew: it may come from a file. NULL (and the reason noted) when it is not a permutation. */
static const int64_t *order_of(const permutation *self, weir_frame *frame)
{
    const int64_t *const order = weir_integers(frame, self->order);
    unsigned char *const seen = weir_take(frame, self->features);
    if (!seen) return NULL;
    memset(seen, 0, (size_t)self->features);
    for (int32_t f = 0; f < self->features; f++) {
        if (order[f] < 0 || order[f] >= self->features || seen[order[f]]) {
            (void)weir_failf(frame, WEIR_INVALID, "order[%d] = %lld is out of range or there twice", (int)f,
                             (long long)order[f]);
            return NULL;
        }
        seen[order[f]] = 1;
    }
    return order;
}

/** to_f = from_order[f], or back. NaN and infinities pass through, marked. */
static weir_status move(const permutation *self, weir_frame *frame, const weir_tile *from,
                        const weir_tile *to, int back)
{
    weir_status status = WEIR_OK;
    const int64_t *const order = order_of(self, frame);
    if (!order) return WEIR_INVALID;
    for (int32_t f = 0; f < self->features; f++) {
        const int32_t g = (int32_t)order[f];
        const weir_real *const lane = weir_lane(from, back ? f : g);
        weir_copy_lane(frame, lane, weir_lane(to, back ? g : f));
        WEIR_TRY(status, weir_discard_unless_finite(frame, lane));
    }
    return status;
}

/** Cotangents are not judged. */
static weir_status move_bar(const permutation *self, weir_frame *frame, const weir_tile *from,
                            const weir_tile *to, int back)
{
    const int64_t *const order = to ? order_of(self, frame) : NULL;
    if (!to) return WEIR_OK;
    if (!order) return WEIR_INVALID;
    for (int32_t f = 0; f < self->features; f++) {
        const int32_t g = (int32_t)order[f];
        weir_copy_lane(frame, weir_lane(from, back ? f : g), weir_lane(to, back ? g : f));
    }
    return WEIR_OK;
}

static weir_status permutation_forward(const void *self, weir_frame *frame, const weir_tile *x,
                                       const weir_tile *z, void *log_det)
{
    (void)log_det;
    return move(self, frame, x, z, 0);
}

static weir_status permutation_inverse(const void *self, weir_frame *frame, const weir_tile *z,
                                       const weir_tile *x, void *log_det)
{
    (void)log_det;
    return move(self, frame, z, x, 1);
}

static weir_status permutation_forward_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                                           const weir_tile *z, const weir_tile *z_bar,
                                           const void *log_det_bar, const weir_tile *x_bar)
{
    (void)x, (void)z, (void)log_det_bar;
    return move_bar(self, frame, z_bar, x_bar, 1);
}

static weir_status permutation_inverse_vjp(const void *self, weir_frame *frame, const weir_tile *z,
                                           const weir_tile *x, const weir_tile *x_bar,
                                           const void *log_det_bar, const weir_tile *z_bar)
{
    (void)z, (void)x, (void)log_det_bar;
    return move_bar(self, frame, x_bar, z_bar, 0);
}

static const weir_layer_ops permutation_ops = {
    .struct_size = (uint32_t)sizeof(weir_layer_ops),
    .forward = permutation_forward,
    .inverse = permutation_inverse,
    .forward_vjp = permutation_forward_vjp,
    .inverse_vjp = permutation_inverse_vjp,
};

/* ---- creation --------------------------------------------------------------------------------- */

static weir_status read_given(weir_builder *build, int64_t *order, int32_t count)
{
    if (!build->given(build, "order"))
        return weir_refuse(build, "kind given needs order, a list of %d feature numbers", (int)count);
    const int32_t length = build->integers(build, "order", order, count);
    if (length != count)
        return weir_refuse(build, "order has %d entries, but there are %d features", (int)length, (int)count);
    for (int32_t f = 0; f < count; f++) {
        if (order[f] > count)
            return weir_refuse(build, "order names feature %lld, but there are %d", (long long)order[f],
                               (int)count);
        order[f]--;
    }
    return WEIR_OK;
}

/** A feature named twice means that another is missing. */
static weir_status check_distinct(weir_builder *build, const int64_t *order, int32_t count)
{
    unsigned char *const seen = calloc((size_t)count + 1, 1);
    if (!seen) return weir_refuse(build, "out of memory");
    weir_status status = WEIR_OK;
    for (int32_t f = 0; f < count && status == WEIR_OK; f++) {
        if (seen[order[f]])
            status = weir_refuse(build, "order names feature %lld twice; it must name every feature once",
                                 (long long)order[f] + 1);
        seen[order[f]] = 1;
    }
    free(seen);
    return status;
}

static weir_status choose_order(weir_builder *build, int64_t *order, int32_t count)
{
    const char *const kind = build->string(build, "kind");
    if (!kind) return WEIR_INVALID;
    const int given = !strcmp(kind, "given"), random = !strcmp(kind, "random");
    if (!given && build->given(build, "order"))
        return weir_refuse(build, "order is used by kind = \"given\" only, and kind is \"%s\"", kind);
    if (!random && build->given(build, "seed"))
        return weir_refuse(build, "seed is used by kind = \"random\" only, and kind is \"%s\"", kind);
    if (given) {
        const weir_status status = read_given(build, order, count);
        return status == WEIR_OK ? check_distinct(build, order, count) : status;
    }
    if (random) {
        weir_random_order(count, weir_random_key(build), order);
    } else {
        for (int32_t f = 0; f < count; f++) order[f] = count - 1 - f;
    }
    return WEIR_OK;
}

/** What was known of lane order[f] holds for lane f. A joint block may be torn apart: nothing is said of its lanes. */
static weir_status permute_domains(weir_builder *build, const int64_t *order, int32_t count)
{
    for (int32_t f = 0; f < count; f++) {
        weir_domain domain = {.struct_size = (uint32_t)sizeof domain};
        build->input_domain(build, (int32_t)order[f], &domain);
        if (domain.kind == WEIR_DOMAIN_UNSTATED || domain.kind >= WEIR_DOMAIN_SIMPLEX) continue;
        domain.first = f;
        domain.count = 1;
        if (build->produce(build, &domain) != WEIR_OK) return WEIR_INVALID;
    }
    return WEIR_OK;
}

static weir_status permutation_create(weir_builder *build, void **self)
{
    const int64_t dims[1] = {build->features};
    permutation *const made = malloc(sizeof *made);
    int64_t *const order = calloc((size_t)build->features + 1, sizeof *order);
    if (!made || !order) {
        (void)weir_refuse(build, "out of memory");
        goto fail;
    }
    if (choose_order(build, order, build->features) != WEIR_OK) goto fail;
    if (permute_domains(build, order, build->features) != WEIR_OK) goto fail;
    made->features = build->features;
    made->order = build->integer_buffer(build, "order", 1, dims, order);
    build->traits(build, WEIR_TRAIT_VOLUME_PRESERVING);
    if (build->failed(build)) goto fail;
    free(order);
    *self = made;
    return WEIR_OK;
fail:
    free(order);
    free(made);
    return WEIR_INVALID;
}

static weir_status permutation_order(const void *module, weir_frame *frame, int64_t *order)
{
    const permutation *const self = module;
    const int64_t *const from = order_of(self, frame);
    for (int32_t f = 0; from && f < self->features; f++) order[f] = from[f] + 1;
    return from ? WEIR_OK : WEIR_INVALID;
}

static const weir_method permutation_methods[] = {
    WEIR_METHOD("order", "() -> integer order[in]",
                "the input feature, from 1, that each output feature takes", permutation_order),
};

static const weir_module permutation_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_LAYER,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "permutation",
    .version = "1.0.0",
    .summary = "the features in another order: reversed, shuffled or as given",
    .doc = permutation_doc,
    WEIR_OPTIONS(permutation_options),
    WEIR_METHODS(permutation_methods),
    .create = permutation_create,
    .destroy = free,
    .ops = &permutation_ops,
};

WEIR_PLUGIN(&permutation_module);
