/* univariate.c - a univariate's missing inverse and inverse VJP.
 *
 *   inverse: one search for a root per element; all rows of a lane share each evaluation.
 *   inverse VJP: with cotangents (x_bar, l_bar) of (x, -log|u'|), a = (x_bar - l_bar dl/dx) / u'; then y_bar = a, and one
 *   forward VJP with (-a, -l_bar) gives the parameters' cotangents. u' and l_bar dl/dx are forward VJPs themselves. */
#include "supply/adapter.h"
#include "supply/root.h"

#include "run/model.h"

#include <math.h>
#include <string.h>

static double at(const weir_frame *frame, const weir_tile *tile, int32_t lane, int32_t row)
{
    return weir__lane_value(frame, weir__lane(frame, tile, lane), row);
}

static void set(const weir_frame *frame, const weir_tile *tile, int32_t lane, int32_t row, double value)
{
    weir__lane_set(frame, weir__lane(frame, tile, lane), row, value);
}

static void fill(const weir_frame *frame, const weir_tile *tile, double value)
{
    for (int32_t f = 0; f < tile->features; f++)
        for (int32_t r = 0; r < frame->width; r++) set(frame, tile, f, r, value);
}

static weir_status discard(weir_frame *frame, int32_t row)
{
    if (row >= frame->rows) return WEIR_OK;
    frame->discard[row >> 6] |= UINT64_C(1) << (row & 63);
    return WEIR_DISCARD;
}

/* No VJP follows these calls: nothing goes on the tape. */
static weir_status untaped_forward(const weir_child *inner, weir_frame *frame, const weir_tile *x,
                                   const weir_tile *params, const weir_tile *y, void *log_det)
{
    weir_tape *const tape = frame->tape;
    frame->tape = NULL;
    const weir_status status = inner->univariate->forward(inner->self, frame, x, params, y, log_det);
    frame->tape = tape;
    return status;
}

/* ---- inverse ---------------------------------------------------------------------------------------------------------- */

typedef struct hunt {
    const weir_child *inner;
    weir__root *roots; /* [width] */
    weir_tile point, image;
} hunt;

static int hunt_memory(hunt *h, weir_frame *frame)
{
    h->roots = frame->services->scratch_take(frame, frame->width * (int64_t)sizeof *h->roots);
    h->point = weir__run_tile(frame, 1);
    h->image = weir__run_tile(frame, 1);
    return h->roots && h->point.data && h->image.data;
}

/* One evaluation of the lane tells every search. A row whose search is over stands still at its root. */
static weir_status hunt_lane(hunt *h, weir_frame *frame, const weir_tile *params)
{
    for (int open = 1; open;) {
        const int64_t mark = frame->services->scratch_mark(frame);
        for (int32_t r = 0; r < frame->width; r++) set(frame, &h->point, 0, r, h->roots[r].x);
        const weir_status status = untaped_forward(h->inner, frame, &h->point, params, &h->image, NULL);
        frame->services->scratch_release(frame, mark);
        if (status > WEIR_DISCARD) return status;
        open = 0;
        for (int32_t r = 0; r < frame->width; r++) {
            weir__root_tell(&h->roots[r], at(frame, &h->image, 0, r));
            open |= !weir__root_is_over(&h->roots[r]);
        }
    }
    return WEIR_OK;
}

static weir_status collect(const hunt *h, weir_frame *frame, const weir_tile *x, int32_t lane)
{
    const weir_report *const report = frame->report;
    weir_status status = WEIR_OK;
    for (int32_t r = 0; r < frame->width; r++) {
        const weir__root *const root = &h->roots[r];
        const double residual = weir__root_residual(root);
        set(frame, x, lane, r, root->x);
        if (report && report->iterations) report->iterations[r] += root->evaluations;
        if (report && report->residual) report->residual[r] = fmax(report->residual[r], residual);
        if (root->phase == WEIR__ROOT_NOWHERE && discard(frame, r)) status = WEIR_DISCARD;
    }
    return status;
}

static weir_status negative_log_det(const weir_child *inner, weir_frame *frame, const weir_tile *x,
                                    const weir_tile *params, void *log_det)
{
    const weir_tile image = weir__run_tile(frame, x->features), sum = weir__run_tile(frame, 1);
    if (!image.data || !sum.data) return WEIR_ERROR;
    fill(frame, &sum, 0);
    const weir_status status = untaped_forward(inner, frame, x, params, &image, sum.data);
    for (int32_t r = 0; r < frame->width && status <= WEIR_DISCARD; r++)
        weir__lane_set(frame, log_det, r, weir__lane_value(frame, log_det, r) - at(frame, &sum, 0, r));
    return status;
}

static weir_status rooted_inverse(const void *self, weir_frame *frame, const weir_tile *y,
                                  const weir_tile *params, const weir_tile *x, void *log_det)
{
    const weir_child *const inner = &((const weir__supplied *)self)->inner;
    const int32_t each = inner->params;
    weir_status status = WEIR_OK;
    uint64_t before[WEIR__TILE_MOST / 64];
    const size_t bytes = (size_t)((frame->width + 63) / 64) * sizeof *before;
    const weir_domain *const domain = inner->domain;
    const int bounded = domain && domain->kind == WEIR_DOMAIN_INTERVAL;
    const double lower = bounded ? domain->lower : -INFINITY, upper = bounded ? domain->upper : INFINITY;
    hunt h = {.inner = inner};
    if (!hunt_memory(&h, frame)) return WEIR_ERROR;
    for (int32_t f = 0; f < y->features; f++) {
        const weir_tile own = params ? weir__part(frame, params, f * each, each) : (weir_tile){.features = 0};
        for (int32_t r = 0; r < frame->width; r++)
            weir__root_start(&h.roots[r], at(frame, y, f, r), lower, upper, frame->precision == WEIR_F32);
        /* A row given up on the way is not lost: only where the search ends counts. */
        memcpy(before, frame->discard, bytes);
        const weir_status one = hunt_lane(&h, frame, params ? &own : NULL);
        memcpy(frame->discard, before, bytes);
        if (one > WEIR_DISCARD) return one;
        if (collect(&h, frame, x, f)) status = WEIR_DISCARD;
    }
    if (!log_det) return status;
    const weir_status last = negative_log_det(inner, frame, x, params, log_det);
    return last > status ? last : status;
}

/* ---- inverse VJP -------------------------------------------------------------------------------------------------------- */

typedef struct implicit {
    const weir_child *inner;
    const weir_tile *x, *params;
    const void *log_det_bar;
    weir_tile image, bar, slope, a;
    void *minus; /* lane of -l_bar */
} implicit;

static int implicit_memory(implicit *s, weir_frame *frame)
{
    s->image = weir__run_tile(frame, s->x->features);
    s->bar = weir__run_tile(frame, s->x->features);
    s->slope = weir__run_tile(frame, s->x->features);
    s->a = weir__run_tile(frame, s->x->features);
    s->minus = weir__run_tile(frame, 1).data;
    return s->image.data && s->bar.data && s->slope.data && s->a.data && s->minus;
}

/* A forward VJP that gives x's cotangent only, over a tape that stays as it is. */
static weir_status slope_of(const implicit *s, weir_frame *frame, double y_bar, const void *log_det_bar)
{
    const int64_t taped = weir__tape_mark(frame->tape), mark = frame->services->scratch_mark(frame);
    fill(frame, &s->bar, y_bar);
    const weir_status status = s->inner->univariate->forward_vjp(
        s->inner->self, frame, s->x, s->params, &s->image, &s->bar, log_det_bar, &s->slope, NULL);
    frame->services->scratch_release(frame, mark);
    weir__tape_rewind(frame->tape, taped);
    return status;
}

static void subtract_slope(const implicit *s, const weir_frame *frame)
{
    for (int32_t f = 0; f < s->a.features; f++)
        for (int32_t r = 0; r < frame->width; r++)
            set(frame, &s->a, f, r, at(frame, &s->a, f, r) - at(frame, &s->slope, f, r));
}

/* Rows where u' is 0 or not a number have no derivative: they get a = 0 and are discarded. */
static weir_status divide_by_slope(const implicit *s, weir_frame *frame)
{
    weir_status status = WEIR_OK;
    for (int32_t f = 0; f < s->a.features; f++)
        for (int32_t r = 0; r < frame->width; r++) {
            const double a = at(frame, &s->a, f, r) / at(frame, &s->slope, f, r);
            set(frame, &s->a, f, r, isfinite(a) ? a : 0);
            if (!isfinite(a) && discard(frame, r)) status = WEIR_DISCARD;
        }
    return status;
}

static weir_status solve(const implicit *s, weir_frame *frame)
{
    weir_status status = WEIR_OK;
    if (s->log_det_bar) status = slope_of(s, frame, 0, s->log_det_bar);
    if (status > WEIR_DISCARD) return status;
    if (s->log_det_bar) subtract_slope(s, frame);
    status = slope_of(s, frame, 1, NULL);
    return status > WEIR_DISCARD ? status : divide_by_slope(s, frame);
}

static void negate(const implicit *s, const weir_frame *frame)
{
    for (int32_t r = 0; r < frame->width; r++) {
        for (int32_t f = 0; f < s->a.features; f++) set(frame, &s->a, f, r, -at(frame, &s->a, f, r));
        weir__lane_set(frame, s->minus, r, s->log_det_bar ? -weir__lane_value(frame, s->log_det_bar, r) : 0);
    }
}

static weir_status implicit_vjp(implicit *s, weir_frame *frame, const weir_tile *x_bar,
                                const weir_tile *y_bar, const weir_tile *params_bar)
{
    const weir_univariate_ops *const ops = s->inner->univariate;
    weir__quiet quiet;
    weir_status status = ops->forward(s->inner->self, frame, s->x, s->params, &s->image, NULL);
    if (status > WEIR_DISCARD) return status;
    weir__copy_tile(frame, x_bar, &s->a);
    weir__quiet_begin(frame, &quiet);
    status = solve(s, frame);
    weir__quiet_end(frame, &quiet);
    if (status > WEIR_DISCARD) return status;
    if (y_bar) weir__copy_tile(frame, &s->a, y_bar);
    negate(s, frame);
    const weir_status last = ops->forward_vjp(s->inner->self, frame, s->x, s->params, &s->image, &s->a,
                                              s->minus, NULL, params_bar);
    return last > status ? last : status;
}

static weir_status implicit_inverse_vjp(const void *self, weir_frame *frame, const weir_tile *y,
                                        const weir_tile *params, const weir_tile *x, const weir_tile *x_bar,
                                        const void *log_det_bar, const weir_tile *y_bar,
                                        const weir_tile *params_bar)
{
    weir_tape *before = NULL;
    implicit s = {.inner = &((const weir__supplied *)self)->inner,
                  .x = x,
                  .params = params,
                  .log_det_bar = log_det_bar};
    (void)y;
    if (!implicit_memory(&s, frame)) return WEIR_ERROR;
    const int64_t mark = weir__lend_tape(frame, &before);
    const weir_status status = implicit_vjp(&s, frame, x_bar, y_bar, params_bar);
    weir__return_tape(frame, before, mark);
    return status;
}

/* ---- filling in ------------------------------------------------------------------------------------------------------------ */

/* The supplied VJP pops nothing, so an own inverse without a VJP must not push. */
static weir_status own_inverse_untaped(const void *self, weir_frame *frame, const weir_tile *y,
                                       const weir_tile *params, const weir_tile *x, void *log_det)
{
    const weir_child *const inner = &((const weir__supplied *)self)->inner;
    weir_tape *const tape = frame->tape;
    frame->tape = NULL;
    const weir_status status = inner->univariate->inverse(inner->self, frame, y, params, x, log_det);
    frame->tape = tape;
    return status;
}

uint32_t weir__fill_univariate(weir__supplied *s, weir_child *child)
{
    const weir_univariate_ops *const own = s->inner.univariate;
    uint32_t supplied = 0;
    weir__adapt_univariate(own, &s->univariate);
    s->univariate.inverse = own->inverse ? own_inverse_untaped : rooted_inverse;
    if (!own->inverse) {
        supplied |= WEIR__SUPPLIED_INVERSE;
        child->traits |= WEIR_TRAIT_INVERSE_NUMERIC;
    }
    s->univariate.inverse_vjp = own->forward_vjp ? implicit_inverse_vjp : NULL;
    if (own->forward_vjp) supplied |= WEIR__SUPPLIED_INVERSE_VJP;
    child->univariate = &s->univariate;
    child->self = s;
    return supplied;
}
