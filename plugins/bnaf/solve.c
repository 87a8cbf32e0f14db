/* solve.c - from latent to data, feature by feature; the formulas are in bnaf's doc. */
#include "blocks.h"

#include <weir/roots.h>

/* Below this share of x the bracket that the residual gives might leave the number range: one is grown instead. */
#define LEAST_BETA WEIR_C(1e-30)
#define HALF_ULP   (WEIR_C(WEIR_REAL == 32 ? (double)FLT_EPSILON : DBL_EPSILON) / 2)

/* ---- one feature's equation ------------------------------------------------------------------------------------- */

/* What is known while feature d is sought. Both tiles have the units of every layer and then y: `known` what bias, context
 * and features before d give, `units` the values, of feature d those at the point tried last. */
typedef struct equation {
    const bnaf *self;
    int32_t d;
    blend by;
    weir_tile known, units;
    weir_tile slope[2];      /* of the units of one layer, and of the next */
    const weir_real *target; /* z_d */
} equation;

static void first_units(const equation *e, const weir_frame *frame, const weir_real *restrict at)
{
    const weir_tile known = feature_of(e->self, &e->known, 0, e->d);
    const weir_tile units = feature_of(e->self, &e->units, 0, e->d);
    const weir_real *const w = WEIR_NAME(diagonal_of)(e->self, &e->self->maps[0], frame, e->d);
    for (int32_t j = 0; j < known.features; j++) {
        const weir_real *restrict const from = weir_lane(&known, j);
        weir_real *restrict const v = weir_lane(&units, j), *restrict const s = weir_lane(&e->slope[0], j);
        const weir_real own = w[(int64_t)j * e->self->features];
        for (int32_t r = 0; r < frame->width; r++) v[r] = from[r] + own * at[r];
        for (int32_t r = 0; r < frame->width; r++) s[r] = own;
    }
}

static void later_units(const equation *e, const weir_frame *frame, int32_t i)
{
    const bnaf *const self = e->self;
    const block_map *const map = &self->maps[i];
    const weir_tile known = feature_of(self, &e->known, i, e->d), out = feature_of(self, &e->units, i, e->d);
    const weir_tile in = feature_of(self, &e->units, i - 1, e->d);
    const weir_tile in_slope = weir_slice(&e->slope[~i & 1], 0, map->in);
    const weir_tile out_slope = weir_slice(&e->slope[i & 1], 0, map->out);
    for (int32_t j = 0; j < map->out; j++) weir_copy_lane(frame, weir_lane(&known, j), weir_lane(&out, j));
    WEIR_NAME(diagonal_add)(self, map, frame, e->d, &in, 1, &out);
    WEIR_NAME(diagonal_add)(self, map, frame, e->d, &in_slope, 0, &out_slope);
}

static void bend(const equation *e, const weir_frame *frame, int32_t i)
{
    const weir_tile units = feature_of(e->self, &e->units, i, e->d);
    for (int32_t j = 0; j < units.features; j++) {
        weir_real *const v = weir_lane(&units, j), *const s = weir_lane(&e->slope[i & 1], j);
        frame->math->tanh(frame->width, v, v);
        for (int32_t r = 0; r < frame->width; r++) s[r] *= (1 - v[r]) * (1 + v[r]);
    }
}

static weir_real size_of(weir_real a)
{
    return a < 0 ? -a : a;
}

/* z_d at `at` less its target; 0 where that is less than the terms were rounded by. */
static void distance(const void *context, weir_frame *frame, int32_t n, const weir_real *at, weir_real *value,
                     weir_real *slope)
{
    const equation *const e = context;
    const int32_t last = e->self->layers;
    first_units(e, frame, at);
    for (int32_t i = 1; i <= last; i++) {
        bend(e, frame, i - 1);
        later_units(e, frame, i);
    }
    const weir_tile y = feature_of(e->self, &e->units, last, e->d);
    const weir_real *restrict const own = weir_lane(&y, 0), *restrict const rise =
                                                                weir_lane(&e->slope[last & 1], 0);
    for (int32_t r = 0; r < n; r++) {
        const weir_real a = e->by.alpha * own[r], b = e->by.beta * at[r], z = e->target[r],
                        apart = a + (b - z);
        const weir_real rounding = HALF_ULP * size_of(a) + HALF_ULP * size_of(b) + HALF_ULP * size_of(z);
        value[r] = size_of(apart) <= rounding ? 0 : apart;
        slope[r] = e->by.alpha * rise[r] + e->by.beta;
    }
}

static int take_equation(equation *e, weir_frame *frame)
{
    const int32_t lanes = units_of(e->self) + e->self->features;
    return weir_take_tile(frame, lanes, &e->known) && weir_take_tile(frame, lanes, &e->units) &&
           weir_take_tile(frame, e->self->hidden, &e->slope[0]) &&
           weir_take_tile(frame, e->self->hidden, &e->slope[1]);
}

/* ---- its root ---------------------------------------------------------------------------------------------------- */

/* How far y_d gets to either side of what is known of it: the units before it lie in (-1, 1), and its weights are
 * positive. */
static weir_real reach_of(const equation *e, const weir_frame *frame)
{
    const block_map *const map = &e->self->maps[e->self->layers];
    const weir_real *const w = WEIR_NAME(diagonal_of)(e->self, map, frame, e->d);
    weir_real sum = 0;
    for (int32_t k = 0; k < map->in; k++) sum += w[k];
    return sum;
}

static void solve_line(const equation *e, const weir_frame *frame, const weir_real *restrict known,
                       weir_real *restrict x)
{
    const weir_real slope = e->by.alpha * reach_of(e, frame) + e->by.beta;
    for (int32_t r = 0; r < frame->width; r++) x[r] = (e->target[r] - e->by.alpha * known[r]) / slope;
}

/* With a residual, x_d = (z_d - alpha y_d) / beta for one of the values that y_d can take. */
static weir_status solve_within(const equation *e, weir_frame *frame, const weir_real *restrict known,
                                weir_real *x)
{
    const weir_real alpha = e->by.alpha, beta = e->by.beta, reach = reach_of(e, frame);
    weir_real *const low = weir_take_lane(frame), *const high = weir_take_lane(frame);
    if (!low || !high) return WEIR_ERROR;
    for (int32_t r = 0; r < frame->width; r++) {
        low[r] = (e->target[r] - alpha * (known[r] + reach)) / beta;
        high[r] = (e->target[r] - alpha * (known[r] - reach)) / beta;
        x[r] = low[r] + (high[r] - low[r]) / 2;
    }
    return weir_find_roots(frame, frame->width, distance, e, low, high, x);
}

/* Without one, what y_d cannot reach has no inverse. */
static weir_status solve_anywhere(const equation *e, weir_frame *frame, const weir_real *restrict known,
                                  weir_real *x)
{
    const weir_real reach = reach_of(e, frame);
    const int open = e->self->residual != RESIDUAL_NONE;
    weir_real *const low = weir_take_lane(frame), *const high = weir_take_lane(frame);
    if (!low || !high) return WEIR_ERROR;
    for (int32_t r = 0; r < frame->width; r++) {
        const weir_real apart = e->target[r] - known[r];
        x[r] = open || (apart < reach && -apart < reach) ? 0 : WEIR_C(NAN);
    }
    if (weir_grow_brackets(frame, frame->width, distance, e, low, high, x) != WEIR_OK) return WEIR_ERROR;
    return weir_find_roots(frame, frame->width, distance, e, low, high, x);
}

static weir_status solve_feature(const equation *e, weir_frame *frame, weir_real *x)
{
    const int32_t last = e->self->layers;
    const weir_tile known = feature_of(e->self, &e->known, last, e->d);
    const weir_real *const middle = weir_lane(&known, 0);
    weir_real *const value = weir_take_lane(frame), *const slope = weir_take_lane(frame);
    weir_status status = WEIR_OK;
    if (!value || !slope) return WEIR_ERROR;
    if (last == 0) {
        solve_line(e, frame, middle, x);
        return weir_discard_unless_finite(frame, x);
    }
    if (e->by.beta >= LEAST_BETA)
        WEIR_TRY(status, solve_within(e, frame, middle, x));
    else
        WEIR_TRY(status, solve_anywhere(e, frame, middle, x));
    distance(e, frame, frame->width, x, value, slope);
    return status;
}

static weir_status solve_all(equation *e, weir_frame *frame, const weir_tile *z, const weir_tile *x)
{
    const bnaf *const self = e->self;
    weir_status status = WEIR_OK;
    for (int32_t i = 0; i <= self->layers; i++) {
        const weir_tile known = layer_of(self, &e->known, i);
        WEIR_TRY(status, WEIR_NAME(blocks_start)(&self->maps[i], frame, &known));
    }
    const int64_t mark = frame->services->scratch_mark(frame);
    for (e->d = 0; e->d < self->features; e->d++) {
        for (int32_t i = 0; i <= self->layers; i++) {
            const weir_tile in = i ? layer_of(self, &e->units, i - 1) : *x;
            const weir_tile known = feature_of(self, &e->known, i, e->d);
            WEIR_NAME(blocks_add_before)(self, &self->maps[i], frame, e->d, &in, &known);
        }
        e->target = weir_lane(z, e->d);
        WEIR_TRY(status, solve_feature(e, frame, weir_lane(x, e->d)));
        frame->services->scratch_release(frame, mark);
    }
    return status;
}

/* The log-det is that of the pass at the solution, which also leaves on the tape what forward would have. */
weir_status WEIR_NAME(bnaf_inverse)(const void *module, weir_frame *frame, const weir_tile *z,
                                    const weir_tile *x, void *log_det)
{
    const bnaf *const self = module;
    equation e = {.self = self, .by = WEIR_NAME(blend_of)(self, frame)};
    weir_real *restrict const own = weir_take_lane(frame), *restrict const to = log_det;
    weir_status status = WEIR_OK;
    weir_tile again;
    if (!own || !take_equation(&e, frame) || !weir_take_tile(frame, self->features, &again))
        return WEIR_ERROR;
    WEIR_TRY(status, solve_all(&e, frame, z, x));
    if (!log_det && !frame->tape) return status;
    weir_zero_lane(frame, own);
    WEIR_TRY(status, WEIR_NAME(bnaf_forward)(self, frame, x, &again, own));
    for (int32_t r = 0; to && r < frame->width; r++) to[r] -= own[r];
    return status;
}
