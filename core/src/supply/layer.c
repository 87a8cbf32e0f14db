/* layer.c - a layer's missing inverse and inverse VJP.
 *
 * Both need J at x, row by row. Row i of J comes from one forward VJP with z_bar = e_i: D of them over one tape, which is
 * rewound in between.
 *   inverse: Newton, x += J^-1 (z - f(x)), halving a row's step while its residual grows.
 *   inverse VJP: with cotangents (x_bar, l_bar) of (x, -log|det J|), solve J^T a = x_bar - l_bar dl/dx; then z_bar = a,
 *   and one forward VJP with (-a, -l_bar) adds the parameters' gradients. */
#include "supply/adapter.h"
#include "supply/dense.h"

#include "run/model.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define NEWTON_MOST 60

static void fill(const weir_frame *frame, const weir_tile *tile, int32_t lane, double value)
{
    for (int32_t r = 0; r < frame->width; r++) weir__lane_set(frame, weir__lane(frame, tile, lane), r, value);
}

static double at(const weir_frame *frame, const weir_tile *tile, int32_t lane, int32_t row)
{
    return weir__lane_value(frame, weir__lane(frame, tile, lane), row);
}

static void set(const weir_frame *frame, const weir_tile *tile, int32_t lane, int32_t row, double value)
{
    weir__lane_set(frame, weir__lane(frame, tile, lane), row, value);
}

/* J of every row, jacobian[(row * n + i) * n + j] = dz_i / dx_j, from a forward pass that has just been taped. */
static weir_status jacobians(const weir_child *inner, weir_frame *frame, const weir_tile *x,
                             const weir_tile *z, double *jacobian)
{
    const int32_t n = x->features;
    const int64_t taped = weir__tape_mark(frame->tape);
    const weir_tile unit = weir__run_tile(frame, n), row = weir__run_tile(frame, n);
    if (!unit.data || !row.data) return WEIR_ERROR;
    weir_status status = WEIR_OK;
    for (int32_t i = 0; i < n; i++) fill(frame, &unit, i, 0);
    for (int32_t i = 0; i < n && status <= WEIR_DISCARD; i++) {
        const int64_t mark = frame->services->scratch_mark(frame);
        fill(frame, &unit, i, 1);
        status = inner->layer->forward_vjp(inner->self, frame, x, z, &unit, NULL, &row);
        fill(frame, &unit, i, 0);
        frame->services->scratch_release(frame, mark);
        weir__tape_rewind(frame->tape, taped);
        for (int32_t r = 0; r < frame->width; r++)
            for (int32_t j = 0; j < n; j++) jacobian[((int64_t)r * n + i) * n + j] = at(frame, &row, j, r);
    }
    return status;
}

static double *take_doubles(weir_frame *frame, int64_t count)
{
    return frame->services->scratch_take(frame, count * (int64_t)sizeof(double));
}

static weir_status too_large(weir_frame *frame)
{
    frame->services->fail(frame, "its inverse would need a dense Jacobian of more than 64 features");
    return WEIR_UNSUPPORTED;
}

/* ---- inverse ---------------------------------------------------------------------------------------------------------- */

typedef struct newton {
    const weir_child *inner;
    int32_t n;
    weir_tile guess, image, trial;
    double *jacobian, *system, *step, *residual;
    double *scale; /* per row, of its step: 0 when it needs none, -1 when none helps any more */
} newton;

static int newton_memory(newton *s, weir_frame *frame)
{
    const int64_t rows = frame->width, n = s->n;
    s->guess = weir__run_tile(frame, s->n);
    s->image = weir__run_tile(frame, s->n);
    s->trial = weir__run_tile(frame, s->n);
    s->jacobian = take_doubles(frame, rows * n * n);
    s->system = take_doubles(frame, n * n);
    s->step = take_doubles(frame, rows * n);
    s->residual = take_doubles(frame, rows);
    s->scale = take_doubles(frame, rows);
    return s->guess.data && s->image.data && s->trial.data && s->jacobian && s->system && s->step &&
           s->residual && s->scale;
}

static double distance(const newton *s, const weir_frame *frame, const weir_tile *z, int32_t r)
{
    double worst = 0;
    for (int32_t f = 0; f < s->n; f++) {
        const double d = fabs(at(frame, z, f, r) - at(frame, &s->image, f, r));
        if (!(d <= worst)) worst = d;
    }
    return worst;
}

static double tolerance(const newton *s, const weir_frame *frame, const weir_tile *z, int32_t r)
{
    double size = 1;
    for (int32_t f = 0; f < s->n; f++) size = fmax(size, fabs(at(frame, z, f, r)));
    return size * (frame->precision == WEIR_F32 ? 4 * (double)FLT_EPSILON : 4 * DBL_EPSILON);
}

/* A row that has arrived, or never will, stands still: its neighbours in the tile do not move it. */
static void directions(newton *s, const weir_frame *frame, const weir_tile *z)
{
    for (int32_t r = 0; r < frame->width; r++) {
        double *const step = s->step + (int64_t)r * s->n;
        memcpy(s->system, s->jacobian + (int64_t)r * s->n * s->n,
               (size_t)s->n * (size_t)s->n * sizeof(double));
        for (int32_t f = 0; f < s->n; f++) step[f] = at(frame, z, f, r) - at(frame, &s->image, f, r);
        if (s->scale[r] == 0 && s->residual[r] > tolerance(s, frame, z, r))
            s->scale[r] = weir__solve_dense(s->system, step, s->n) ? 1 : -1;
        if (s->scale[r] <= 0) memset(step, 0, (size_t)s->n * sizeof(double));
    }
}

/* One step of every row that is not there yet; a row whose residual grew tries half the step, up to 12 times. */
static weir_status advance(newton *s, weir_frame *frame, const weir_tile *z)
{
    weir_status status = WEIR_OK;
    for (int32_t half = 0; half < 12; half++) {
        int worse = 0;
        for (int32_t r = 0; r < frame->width; r++)
            for (int32_t f = 0; f < s->n; f++)
                set(frame, &s->trial, f, r,
                    at(frame, &s->guess, f, r) + s->scale[r] * s->step[(int64_t)r * s->n + f]);
        const int64_t mark = frame->services->scratch_mark(frame), taped = weir__tape_mark(frame->tape);
        status = s->inner->layer->forward(s->inner->self, frame, &s->trial, &s->image, NULL);
        frame->services->scratch_release(frame, mark);
        weir__tape_rewind(frame->tape, taped);
        if (status > WEIR_DISCARD) return status;
        for (int32_t r = 0; r < frame->width; r++) {
            if (s->scale[r] <= 0) continue;
            const double now = distance(s, frame, z, r);
            if (now <= s->residual[r] || now <= tolerance(s, frame, z, r)) {
                for (int32_t f = 0; f < s->n; f++) set(frame, &s->guess, f, r, at(frame, &s->trial, f, r));
                s->residual[r] = now;
                s->scale[r] = 0;
            } else {
                s->scale[r] /= 2;
                worse = 1;
            }
        }
        if (!worse) return status;
    }
    for (int32_t r = 0; r < frame->width; r++)
        if (s->scale[r] > 0) s->scale[r] = -1;
    return status;
}

static weir_status iterate(newton *s, weir_frame *frame, const weir_tile *z)
{
    for (int32_t r = 0; r < frame->width; r++) s->scale[r] = 0;
    for (int32_t k = 0; k < NEWTON_MOST; k++) {
        const int64_t mark = frame->services->scratch_mark(frame), taped = weir__tape_mark(frame->tape);
        weir_status status = s->inner->layer->forward(s->inner->self, frame, &s->guess, &s->image, NULL);
        int open = 0;
        for (int32_t r = 0; r < frame->width && status <= WEIR_DISCARD; r++) {
            s->residual[r] = distance(s, frame, z, r);
            if (s->scale[r] < 0 || !(s->residual[r] > tolerance(s, frame, z, r))) continue;
            open = 1;
            if (frame->report && frame->report->iterations) frame->report->iterations[r]++;
        }
        if (status <= WEIR_DISCARD && open)
            status = jacobians(s->inner, frame, &s->guess, &s->image, s->jacobian);
        frame->services->scratch_release(frame, mark);
        weir__tape_rewind(frame->tape, taped);
        if (status > WEIR_DISCARD || !open) return status;
        directions(s, frame, z);
        status = advance(s, frame, z);
        if (status > WEIR_DISCARD) return status;
    }
    return WEIR_OK;
}

static weir_status mark_open_rows(const newton *s, weir_frame *frame, const weir_tile *z)
{
    weir_status status = WEIR_OK;
    for (int32_t r = 0; r < frame->rows; r++) {
        const double limit = 1e4 * tolerance(s, frame, z, r);
        if (frame->report && frame->report->residual)
            frame->report->residual[r] = fmax(frame->report->residual[r], s->residual[r]);
        if (isfinite(s->residual[r]) && s->residual[r] <= limit) continue;
        frame->discard[r >> 6] |= UINT64_C(1) << (r & 63);
        status = WEIR_DISCARD;
    }
    return status;
}

static weir_status negative_log_det(const weir_child *inner, weir_frame *frame, const weir_tile *x,
                                    const weir_tile *image, void *log_det)
{
    void *const lane = frame->services->scratch_take(frame, frame->stride * weir__real_size(frame));
    if (!lane) return WEIR_ERROR;
    memset(lane, 0, (size_t)(frame->width * weir__real_size(frame)));
    const weir_status status = inner->layer->forward(inner->self, frame, x, image, lane);
    for (int32_t r = 0; r < frame->width; r++)
        weir__lane_set(frame, log_det, r,
                       weir__lane_value(frame, log_det, r) - weir__lane_value(frame, lane, r));
    return status;
}

static weir_status newton_inverse(const void *self, weir_frame *frame, const weir_tile *z, const weir_tile *x,
                                  void *log_det)
{
    const weir__supplied *const supplied = self;
    newton s = {.inner = &supplied->inner, .n = z->features};
    weir_tape *before = NULL;
    weir__quiet quiet;
    if (s.n > WEIR__DENSE_MOST) return too_large(frame);
    if (!newton_memory(&s, frame)) return WEIR_ERROR;
    /* Rows that were given up while looking for the root are not lost: only where it ends counts. */
    uint64_t discard[WEIR__TILE_MOST / 64];
    const size_t words = (size_t)((frame->width + 63) / 64) * sizeof *discard;
    memcpy(discard, frame->discard, words);
    weir__copy_tile(frame, z, &s.guess);
    const int64_t mark = weir__lend_tape(frame, &before);
    weir__quiet_begin(frame, &quiet);
    weir_status status = iterate(&s, frame, z);
    weir__quiet_end(frame, &quiet);
    weir__tape_rewind(frame->tape, mark);
    memcpy(frame->discard, discard, words);
    weir__copy_tile(frame, &s.guess, x);
    if (status <= WEIR_DISCARD) status = mark_open_rows(&s, frame, z);
    if (status <= WEIR_DISCARD && log_det) {
        const weir_status one = negative_log_det(s.inner, frame, x, &s.image, log_det);
        status = one > status ? one : status;
    }
    weir__return_tape(frame, before, mark);
    return status;
}

/* ---- inverse VJP -------------------------------------------------------------------------------------------------------- */

/* a in place of `right`, row by row; rows whose J is singular get a = 0 and are discarded. */
static weir_status solve_rows(weir_frame *frame, const double *jacobian, const weir_tile *right, int32_t n)
{
    double *const system = take_doubles(frame, (int64_t)n * n), *const a = take_doubles(frame, n);
    if (!system || !a) return WEIR_ERROR;
    weir_status status = WEIR_OK;
    for (int32_t r = 0; r < frame->width; r++) {
        const double *const j = jacobian + (int64_t)r * n * n;
        for (int32_t i = 0; i < n; i++) {
            for (int32_t k = 0; k < n; k++) system[i * n + k] = j[k * n + i];
            a[i] = at(frame, right, i, r);
        }
        if (!weir__solve_dense(system, a, n)) {
            memset(a, 0, (size_t)n * sizeof *a);
            if (r < frame->rows) frame->discard[r >> 6] |= UINT64_C(1) << (r & 63);
            if (r < frame->rows) status = WEIR_DISCARD;
        }
        for (int32_t i = 0; i < n; i++) set(frame, right, i, r, a[i]);
    }
    return status;
}

static void subtract(const weir_frame *frame, const weir_tile *from, const weir_tile *what)
{
    for (int32_t f = 0; f < from->features; f++)
        for (int32_t r = 0; r < frame->width; r++)
            set(frame, from, f, r, at(frame, from, f, r) - at(frame, what, f, r));
}

static weir_status implicit_right_side(const weir_child *inner, weir_frame *frame, const weir_tile *x,
                                       const weir_tile *image, const weir_tile *x_bar,
                                       const void *log_det_bar, const weir_tile *right)
{
    weir__copy_tile(frame, x_bar, right);
    if (!log_det_bar) return WEIR_OK;
    const weir_tile zero = weir__run_tile(frame, x->features), slope = weir__run_tile(frame, x->features);
    if (!zero.data || !slope.data) return WEIR_ERROR;
    for (int32_t f = 0; f < zero.features; f++) fill(frame, &zero, f, 0);
    const weir_status status =
        inner->layer->forward_vjp(inner->self, frame, x, image, &zero, log_det_bar, &slope);
    if (status <= WEIR_DISCARD) subtract(frame, right, &slope);
    return status;
}

static weir_status implicit_inverse_vjp(const void *self, weir_frame *frame, const weir_tile *z,
                                        const weir_tile *x, const weir_tile *x_bar, const void *log_det_bar,
                                        const weir_tile *z_bar)
{
    const weir_child *const inner = &((const weir__supplied *)self)->inner;
    const int32_t n = x->features;
    weir__quiet quiet;
    if (n > WEIR__DENSE_MOST) return too_large(frame);
    const weir_tile image = weir__run_tile(frame, n), a = weir__run_tile(frame, n);
    double *const jacobian = take_doubles(frame, (int64_t)frame->width * n * n);
    void *const minus = frame->services->scratch_take(frame, frame->stride * weir__real_size(frame));
    if (!image.data || !a.data || !jacobian || !minus) return WEIR_ERROR;
    weir_status status = inner->layer->forward(inner->self, frame, x, &image, NULL);
    if (status > WEIR_DISCARD) return status;
    const int64_t taped = weir__tape_mark(frame->tape);
    weir__quiet_begin(frame, &quiet);
    status = implicit_right_side(inner, frame, x, &image, x_bar, log_det_bar, &a);
    weir__tape_rewind(frame->tape, taped);
    if (status <= WEIR_DISCARD) status = jacobians(inner, frame, x, &image, jacobian);
    weir__quiet_end(frame, &quiet);
    if (status <= WEIR_DISCARD) status = solve_rows(frame, jacobian, &a, n);
    if (status > WEIR_DISCARD) return status;
    if (z_bar) weir__copy_tile(frame, &a, z_bar);
    for (int32_t r = 0; r < frame->width; r++) {
        for (int32_t f = 0; f < n; f++) set(frame, &a, f, r, -at(frame, &a, f, r));
        weir__lane_set(frame, minus, r, log_det_bar ? -weir__lane_value(frame, log_det_bar, r) : 0);
    }
    (void)z;
    const weir_status last = inner->layer->forward_vjp(inner->self, frame, x, &image, &a, minus, NULL);
    return last > status ? last : status;
}

/* ---- filling in ---------------------------------------------------------------------------------------------------- */

/* A layer that changes the dimension has no square Jacobian: it must bring its own inverse. The inverse VJP goes through
 * its own forward VJP only when the inverse is supplied or leaves nothing on the tape, which the host cannot know: an own
 * inverse without a VJP of its own is run without the tape. */
static weir_status own_inverse_untaped(const void *self, weir_frame *frame, const weir_tile *z,
                                       const weir_tile *x, void *log_det)
{
    const weir_child *const inner = &((const weir__supplied *)self)->inner;
    weir_tape *const tape = frame->tape;
    frame->tape = NULL;
    const weir_status status = inner->layer->inverse(inner->self, frame, z, x, log_det);
    frame->tape = tape;
    return status;
}

uint32_t weir__fill_layer(weir__supplied *s, weir_child *child)
{
    const weir_layer_ops *const own = s->inner.layer;
    uint32_t supplied = 0;
    weir__adapt_layer(own, &s->layer); /* what the module has goes straight through */
    if (own->inverse) {
        s->layer.inverse = own_inverse_untaped;
    } else if (own->forward_vjp && child->in == child->out) {
        s->layer.inverse = newton_inverse;
        supplied |= WEIR__SUPPLIED_INVERSE;
        child->traits |= WEIR_TRAIT_INVERSE_NUMERIC;
    } else {
        child->traits |= WEIR_TRAIT_NO_INVERSE;
    }
    if (own->forward_vjp && s->layer.inverse && child->in == child->out) {
        s->layer.inverse_vjp = implicit_inverse_vjp;
        supplied |= WEIR__SUPPLIED_INVERSE_VJP;
    }
    child->layer = &s->layer;
    child->self = s;
    return supplied;
}
