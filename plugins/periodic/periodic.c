/* periodic - a network over angles: each is seen through the cosines and sines of its multiples.
 *
 * Input i becomes the lanes [first[i], first[i + 1]) of a wider tile, which a network of any kind reads. For an
 * autoregressive one these lanes are features in their own right: what it gives for lane first[d] depends on the lanes
 * before it, which are those of the inputs before d, and so is what is wanted for input d. What it gives for the other
 * lanes is not used. No output may see the last input, which is why its place is one lane that stays 0. */
#include "angles.h"

#include <stdlib.h>

typedef struct periodic {
    angles angles;
    int32_t in;
    int32_t each; /* outputs per feature of an autoregressive network, else 0 */
    int32_t wide; /* outputs of the network */
    const weir_child *network;
} periodic;

static const char periodic_doc[] =
    "y = g(e(x), context) with g any network and e(x) = cos(k t), sin(k t) for k = 1 .. harmonics in place of every angle x,\n"
    "t = 2 pi x / (upper - lower). So y is a smooth function on the circle; over raw angles it would jump where x jumps from\n"
    "upper to lower, and with it the density of a coupling or an autoregressive layer. Higher harmonics resolve finer detail.\n"
    "`angles` names the inputs that are angles, counted from 1 among the inputs of this network: in a coupling those that\n"
    "pass, in an autoregressive layer all features in its order. The others reach g as they are. Angles may lie on any branch.\n"
    "An autoregressive g (made) keeps its contract, sweeps included: the price is 2 harmonics outputs for every one used, in\n"
    "its output layer only. y starts where the parent wants it if g does.\n"
    "Cost beside g's: 2 harmonics vectorised functions an angle. Refused: upper <= lower; a list that is out of range or has\n"
    "an input twice; a g that the parent could not use.\n"
    "Source: Rezende et al. 2020, \"Normalizing Flows on Tori and Spheres\", arXiv:2002.02428, section 2.2, where conditioners\n"
    "take cosine and sine.";

static const weir_option periodic_options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGER,
     .name = "harmonics",
     .default_json = "1",
     .minimum = 1,
     .maximum = 64,
     .summary = "multiples of the angle that are seen: 1 .. harmonics"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_INTEGERS,
     .name = "angles",
     .default_json = "null",
     .minimum = 1,
     .maximum = INT32_MAX,
     .summary = "the inputs that are angles, numbered from 1; absent: all of them"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "lower",
     .default_json = "-3.141592653589793",
     .minimum = -1e6,
     .maximum = 1e6,
     .summary = "where the circle begins; -pi"},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "upper",
     .default_json = "3.141592653589793",
     .minimum = -1e6,
     .maximum = 1e6,
     .summary = "where it ends, the same point; the period is upper - lower"},
};

static const weir_slot periodic_slots[] = {
    {.struct_size = (uint32_t)sizeof(weir_slot),
     .kind = WEIR_NETWORK,
     .name = "network",
     .default_id = "mlp",
     .summary = "reads the cosines and sines; made where an autoregressive layer asks"},
};

/* ---- the whole pass --------------------------------------------------------------------------------- */

/** Copies what is wanted of the network's outputs, or puts its cotangents where they belong. */
static void pick(const periodic *self, const weir_frame *frame, int32_t d, const weir_tile *wide,
                 const weir_tile *y, int back)
{
    for (int32_t p = 0; p < self->each; p++) {
        weir_real *const own = weir_lane(wide, self->angles.first[d] * self->each + p);
        weir_real *const outer = weir_lane(y, d * self->each + p);
        weir_copy_lane(frame, back ? outer : own, back ? own : outer);
    }
}

static void clear(const weir_frame *frame, const weir_tile *tile)
{
    for (int32_t f = 0; f < tile->features; f++) weir_zero_lane(frame, weir_lane(tile, f));
}

/** The two tiles of a pass; the second only where the network gives more than is wanted. */
typedef struct record {
    weir_tile seen, wide;
} record;

static int keep(const periodic *self, weir_frame *frame, record *r)
{
    r->wide = weir_tile_over(frame, NULL, 0);
    return weir_keep_tile(frame, self->angles.count, &r->seen) &&
           (!self->each || weir_keep_tile(frame, self->wide, &r->wide));
}

static int pop(const periodic *self, weir_frame *frame)
{
    weir_tile gone;
    return (!self->each || weir_pop_tile(frame, self->wide, &gone)) &&
           weir_pop_tile(frame, self->angles.count, &gone);
}

static weir_status periodic_forward(const void *module, weir_frame *frame, const weir_tile *x,
                                    const weir_tile *y)
{
    const periodic *const self = module;
    weir_status status = WEIR_OK;
    record r;
    if (!keep(self, frame, &r)) return WEIR_ERROR;
    for (int32_t i = 0; i < self->in; i++) WEIR_NAME(angles_see)(&self->angles, frame, i, x, &r.seen);
    WEIR_TRY(status, weir_network_forward(self->network, frame, &r.seen, self->each ? &r.wide : y));
    for (int32_t d = 0; self->each && d < self->in; d++) pick(self, frame, d, &r.wide, y, 0);
    if (!frame->tape) return status;
    record *const note = frame->services->tape_push(frame, (int64_t)sizeof *note);
    if (!note) return WEIR_ERROR;
    *note = r;
    return status;
}

static weir_status periodic_vjp(const void *module, weir_frame *frame, const weir_tile *x, const weir_tile *y,
                                const weir_tile *y_bar, const weir_tile *x_bar)
{
    const periodic *const self = module;
    weir_status status = WEIR_OK;
    weir_tile seen_bar, wide_bar;
    const record *const popped = frame->services->tape_pop(frame, (int64_t)sizeof *popped);
    (void)x;
    if (!popped || !weir_take_tile(frame, self->angles.count, &seen_bar)) return WEIR_ERROR;
    if (self->each && !weir_take_tile(frame, self->wide, &wide_bar)) return WEIR_ERROR;
    const record r = *popped;
    if (self->each) clear(frame, &wide_bar);
    for (int32_t d = 0; self->each && d < self->in; d++) pick(self, frame, d, &wide_bar, y_bar, 1);
    WEIR_TRY(status, weir_network_vjp(self->network, frame, &r.seen, self->each ? &r.wide : y,
                                      self->each ? &wide_bar : y_bar, x_bar ? &seen_bar : NULL));
    for (int32_t i = 0; x_bar && i < self->in; i++)
        WEIR_NAME(angles_pull)(&self->angles, frame, i, &r.seen, &seen_bar, x_bar);
    return pop(self, frame) ? status : WEIR_ERROR;
}

/* ---- sweeps, over an autoregressive network ----------------------------------------------------------- */

typedef struct sweep {
    record tiles;
    void *inner; /* the network's own state */
} sweep;

typedef struct way_back {
    weir_tile seen_bar, wide_bar;
    void *inner;
} way_back;

static const weir_network_ops *ops_of(const periodic *self)
{
    return self->network->network;
}

static weir_status step_one(const periodic *self, weir_frame *frame, const sweep *state, int32_t lane)
{
    WEIR_CALL_CHILD(frame, ops_of(self)->step(self->network->self, frame, state->inner, lane,
                                              &state->tiles.seen, &state->tiles.wide));
}

static weir_status step_one_back(const periodic *self, weir_frame *frame, const sweep *state,
                                 const way_back *work, int32_t lane)
{
    WEIR_CALL_CHILD(frame, ops_of(self)->step_vjp(self->network->self, frame, state->inner, work->inner, lane,
                                                  &state->tiles.seen, &state->tiles.wide, &work->wide_bar,
                                                  &work->seen_bar));
}

/** The lane after the first one of the input before d: from there on the network's steps belong to d. */
static int32_t first_step(const periodic *self, int32_t d)
{
    return d ? self->angles.first[d - 1] + 1 : 0;
}

static weir_status periodic_begin(const void *module, weir_frame *frame, const weir_tile *x,
                                  const weir_tile *y, void **state)
{
    const periodic *const self = module;
    const int64_t bytes = (int64_t)sizeof(sweep);
    record tiles;
    (void)x;
    (void)y;
    if (!keep(self, frame, &tiles)) return WEIR_ERROR;
    sweep *const made = frame->tape ? frame->services->tape_push(frame, bytes) : weir_take(frame, bytes);
    if (!made) return WEIR_ERROR;
    *made = (sweep){.tiles = tiles};
    *state = made;
    clear(frame, &tiles.seen);
    return ops_of(self)->begin(self->network->self, frame, &made->tiles.seen, &made->tiles.wide,
                               &made->inner);
}

static weir_status periodic_step(const void *module, weir_frame *frame, void *opaque, int32_t d,
                                 const weir_tile *x, const weir_tile *y)
{
    const periodic *const self = module;
    const sweep *const state = opaque;
    weir_status status = WEIR_OK;
    if (d) WEIR_NAME(angles_see)(&self->angles, frame, d - 1, x, &state->tiles.seen);
    for (int32_t lane = first_step(self, d); lane <= self->angles.first[d]; lane++)
        WEIR_TRY(status, step_one(self, frame, state, lane));
    pick(self, frame, d, &state->tiles.wide, y, 0);
    return status;
}

static weir_status periodic_begin_vjp(const void *module, weir_frame *frame, const void *opaque,
                                      const weir_tile *x, const weir_tile *y, void **work)
{
    const periodic *const self = module;
    const sweep *const state = opaque;
    way_back *const made = weir_take(frame, (int64_t)sizeof *made);
    (void)x;
    (void)y;
    if (!made || !weir_take_tile(frame, self->angles.count, &made->seen_bar) ||
        !weir_take_tile(frame, self->wide, &made->wide_bar))
        return WEIR_ERROR;
    clear(frame, &made->wide_bar);
    *work = made;
    return ops_of(self)->begin_vjp(self->network->self, frame, state->inner, &state->tiles.seen,
                                   &state->tiles.wide, &made->inner);
}

static weir_status periodic_step_vjp(const void *module, weir_frame *frame, const void *state, void *opaque,
                                     int32_t d, const weir_tile *x, const weir_tile *y,
                                     const weir_tile *y_bar, const weir_tile *x_bar)
{
    const periodic *const self = module;
    const way_back *const work = opaque;
    const sweep *const forth = state;
    weir_status status = WEIR_OK;
    (void)x;
    (void)y;
    pick(self, frame, d, &work->wide_bar, y_bar, 1);
    for (int32_t lane = self->angles.first[d]; lane >= first_step(self, d); lane--)
        WEIR_TRY(status, step_one_back(self, frame, forth, work, lane));
    if (!x_bar) return status;
    if (d == self->in - 1) weir_zero_lane(frame, weir_lane(x_bar, d));
    if (d) WEIR_NAME(angles_pull)(&self->angles, frame, d - 1, &forth->tiles.seen, &work->seen_bar, x_bar);
    return status;
}

static weir_status periodic_end_vjp(const void *module, weir_frame *frame, const void *opaque, void *work,
                                    const weir_tile *x, const weir_tile *y, const weir_tile *y_bar)
{
    const periodic *const self = module;
    const sweep *const state = opaque;
    const way_back *const back = work;
    weir_status status = WEIR_OK;
    (void)x;
    (void)y;
    (void)y_bar;
    WEIR_TRY(status, ops_of(self)->end_vjp(self->network->self, frame, state->inner, back->inner,
                                           &state->tiles.seen, &state->tiles.wide, &back->wide_bar));
    if (!frame->services->tape_pop(frame, (int64_t)sizeof(sweep))) return WEIR_ERROR;
    return pop(self, frame) ? status : WEIR_ERROR;
}

/* ---- creation ------------------------------------------------------------------------------------------- */

static void periodic_destroy(void *module)
{
    periodic *const self = module;
    WEIR_NAME(angles_clear)(&self->angles);
    free(self);
}

/** The network's bias: the parent's, for the outputs that are used, and 0 for the others. */
static const weir_child *make_network(const periodic *self, weir_builder *build)
{
    const weir_network_spec *const asked = build->network;
    weir_network_spec spec = *asked;
    double *const bias = calloc((size_t)self->wide + 1, sizeof *bias);
    if (!bias) return weir_refuse(build, "out of memory"), NULL;
    spec.in = self->angles.count;
    spec.out = self->wide;
    if (asked->output_bias) {
        spec.output_bias = bias;
        for (int32_t o = 0; o < asked->out; o++) {
            const int32_t d = self->each ? o / self->each : 0;
            bias[self->each ? self->angles.first[d] * self->each + o % self->each : o] =
                asked->output_bias[o];
        }
    }
    const weir_child *const network = build->child_network(build, "network", &spec);
    free(bias);
    return network;
}

static weir_status measure(periodic *self, weir_builder *build)
{
    const weir_network_spec *const asked = build->network;
    if (!asked) return weir_refuse(build, "periodic needs a parent that asks for a network");
    self->in = asked->in;
    self->each = asked->autoregressive;
    if (WEIR_NAME(angles_read)(build, self->in, self->each > 0, &self->angles) != WEIR_OK)
        return WEIR_INVALID;
    if (self->each && (self->in < 1 || (int64_t)self->in * self->each != asked->out))
        return weir_refuse(build, "%d outputs were asked for, which is not %d for each of %d features",
                           (int)asked->out, (int)self->each, (int)self->in);
    if ((int64_t)self->angles.count * self->each > INT32_MAX / 2)
        return weir_refuse(build, "%d features of %d harmonics with %d outputs each are too many",
                           (int)self->in, (int)self->angles.harmonics, (int)self->each);
    self->wide = self->each ? self->angles.count * self->each : asked->out;
    return WEIR_OK;
}

static weir_status periodic_create(weir_builder *build, void **module)
{
    periodic *const self = calloc(1, sizeof *self);
    if (!self) return weir_refuse(build, "out of memory");
    if (measure(self, build) != WEIR_OK) goto fail;
    self->network = make_network(self, build);
    if (!self->network) goto fail;
    if (self->each) build->traits(build, WEIR_TRAIT_AUTOREGRESSIVE);
    if (build->failed(build)) goto fail;
    *module = self;
    return WEIR_OK;
fail:
    periodic_destroy(self);
    return WEIR_INVALID;
}

static const weir_network_ops periodic_ops = {
    .struct_size = (uint32_t)sizeof(weir_network_ops),
    .forward = periodic_forward,
    .vjp = periodic_vjp,
    .begin = periodic_begin,
    .step = periodic_step,
    .begin_vjp = periodic_begin_vjp,
    .step_vjp = periodic_step_vjp,
    .end_vjp = periodic_end_vjp,
};

static const weir_module periodic_module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .kind = WEIR_NETWORK,
    .precision = WEIR_PRECISION,
    .flags = WEIR_MODULE_INDEXED_OK,
    .id = "periodic",
    .version = "1.0.0",
    .summary = "a network over angles, which it sees by cosine and sine: no jump where they wrap",
    .doc = periodic_doc,
    WEIR_OPTIONS(periodic_options),
    WEIR_SLOTS(periodic_slots),
    .create = periodic_create,
    .destroy = periodic_destroy,
    .ops = &periodic_ops,
};

WEIR_PLUGIN(&periodic_module);
