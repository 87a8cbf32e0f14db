/* taylor.c - VJPs against the remainder of a first-order expansion.
 *
 * For a nonlinear scalar s of (y, log-det) and a random direction d, R(h) = |s(p + h d) - s(p) - h g.d| falls as h^2 when
 * g is the gradient, and as h when it is not. The slope is fitted over the smallest steps whose remainder still stands
 * clear of rounding: there even an error of 1e-6 in g shows. A kink between p and p + h d spoils one point, not three in
 * a row, so a few points may be tried.
 */
#include "check/batch.h"
#include "check/chart.h"
#include "check/checks.h"
#include "check/open.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS     8
#define STEPS    30
#define WINDOW   6
#define ATTEMPTS 5
#define LINEAR   1e3 /* in units of rounding: a remainder below is none */
#define CLEAR    3e4 /* above: rounding does not bend the fit */

typedef enum which { INPUTS = 1, ELEMENT_PARAMS = 2, PARAMETERS = 4, CONTEXT = 8 } which;

typedef struct expansion {
    weir__subject *subject;
    const weir__map *map;
    weir__call *at, *moved, *direction; /* direction lies in the input arguments of a call */
    weir__path path;                    /* where inputs move, on a constrained space */
    double *theta, *theta_moved, *theta_direction, *gradient;
    int32_t attempt, rows;
    uint32_t moving;                /* which */
    int64_t theta_first, theta_end; /* the parameters that move, of the whole vector */
    double value, slope, scale;
} expansion;

static const struct {
    which bit;
    weir__argument input, cotangent;
} inputs[] = {{INPUTS, WEIR__X, WEIR__X_BAR},
              {ELEMENT_PARAMS, WEIR__PARAMS, WEIR__PARAMS_BAR},
              {CONTEXT, WEIR__CONTEXT, WEIR__CONTEXT_BAR}};

/* ---- the scalar: sum of w sin(y + phase) and of v sin(log-det / 2) ---- */

static double weight(int32_t feature, int32_t row)
{
    return 0.5 + fmod(0.618033988749895 * (feature * 7 + row * 3 + 1), 1.0);
}

/* Another scalar for another attempt: the curvature of one along a single parameter may vanish by accident. */
static double phase(int32_t feature, int32_t attempt)
{
    return 0.4 + 0.3 * feature + 0.9 * attempt;
}

static double lane_weight(int32_t row)
{
    return 0.8 + 0.1 * (row % 5);
}

static double scalar_of(const weir__call *call, int32_t attempt, double *scale)
{
    long double sum = 0;
    const weir__field *const y = &call->field[WEIR__Y], *const lane = &call->field[WEIR__LANE];
    *scale = 0;
    for (int32_t r = 0; r < call->rows; r++) {
        for (int32_t f = 0; weir__field_there(y) && f < y->tile.features; f++) {
            sum += weight(f, r) * sin(weir__field_get(y, f, r) + phase(f, attempt));
            *scale += weight(f, r) * (1 + fabs(weir__field_get(y, f, r)));
        }
        if (!weir__field_there(lane)) continue;
        sum += lane_weight(r) * sin(weir__field_get(lane, 0, r) / 2 + 0.7 * attempt);
        *scale += lane_weight(r) * (1 + fabs(weir__field_get(lane, 0, r)));
    }
    return (double)sum;
}

static void set_cotangents(weir__call *call, int32_t attempt)
{
    weir__field *const y_bar = &call->field[WEIR__Y_BAR], *const lane_bar = &call->field[WEIR__LANE_BAR];
    for (int32_t r = 0; r < call->rows; r++) {
        for (int32_t f = 0; weir__field_there(y_bar) && f < y_bar->tile.features; f++)
            weir__field_set(y_bar, f, r,
                            weight(f, r) *
                                cos(weir__field_get(&call->field[WEIR__Y], f, r) + phase(f, attempt)));
        if (weir__field_there(lane_bar))
            weir__field_set(lane_bar, 0, r,
                            lane_weight(r) / 2 *
                                cos(weir__field_get(&call->field[WEIR__LANE], 0, r) / 2 + 0.7 * attempt));
    }
}

/* ---- one expansion ---- */

static weir_status gradient_at(expansion *e)
{
    weir_status status = weir__evaluate(e->subject, e->map, e->at);
    if (status != WEIR_OK) return status;
    e->value = scalar_of(e->at, e->attempt, &e->scale);
    set_cotangents(e->at, e->attempt);
    status = weir__differentiate(e->subject, e->map, e->at);
    weir__gradient_read(e->subject, e->gradient);
    return status;
}

static double dot(const weir__field *a, const weir__field *b)
{
    long double sum = 0;
    for (int32_t f = 0; weir__field_there(a) && f < a->tile.features; f++)
        for (int32_t r = 0; r < a->tile.rows; r++)
            sum += (long double)weir__field_get(a, f, r) * weir__field_get(b, f, r);
    return (double)sum;
}

static double directional(const expansion *e)
{
    long double sum = 0;
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++)
        if (e->moving & inputs[i].bit)
            sum += dot(&e->at->field[inputs[i].cotangent], &e->direction->field[inputs[i].input]);
    for (int64_t k = 0; e->moving & PARAMETERS && k < e->subject->parameters; k++)
        sum += (long double)e->gradient[k] * e->theta_direction[k];
    return (double)sum;
}

static weir_status draw_direction(expansion *e)
{
    weir__dice *const dice = &e->subject->dice;
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        weir__field *const field = &e->direction->field[inputs[i].input];
        for (int32_t f = 0; weir__field_there(field) && f < field->tile.features; f++)
            for (int32_t r = 0; r < field->tile.rows; r++)
                weir__field_set(field, f, r, e->moving & inputs[i].bit ? weir__dice_normal(dice) : 0);
        weir__field_pad(field, 0);
    }
    const double norm = sqrt(1 + (double)(e->theta_end - e->theta_first) / 16);
    for (int64_t k = 0; k < e->subject->parameters; k++) {
        const int moves = e->moving & PARAMETERS && k >= e->theta_first && k < e->theta_end;
        e->theta_direction[k] = moves ? weir__dice_normal(dice) / norm : 0;
    }
    if (!e->path.chart) return WEIR_OK;
    return weir__path_direction(e->subject, &e->path, &e->direction->field[WEIR__X]);
}

static void move_field(weir__field *to, const weir__field *from, const weir__field *direction, double h)
{
    for (int32_t f = 0; weir__field_there(to) && f < to->tile.features; f++)
        for (int32_t r = 0; r < to->tile.width; r++)
            weir__field_set(to, f, r, weir__field_get(from, f, r) + h * weir__field_get(direction, f, r));
}

/* The path is that of the parameters as they were. */
static weir_status move_on_path(expansion *e, double h)
{
    weir_status status = WEIR_OK;
    if (e->moving & PARAMETERS) status = weir__parameters_write(e->subject, e->theta);
    if (status == WEIR_OK) status = weir__path_point(e->subject, &e->path, h, &e->moved->field[WEIR__X]);
    return status;
}

/* Signed; NAN when the point moved out of the domain. */
static double remainder_at(expansion *e, double h)
{
    double scale;
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        const weir__argument a = inputs[i].input;
        move_field(&e->moved->field[a], &e->at->field[a], &e->direction->field[a], h);
    }
    if (e->path.chart && move_on_path(e, h) != WEIR_OK) return NAN;
    if (e->moving & PARAMETERS) {
        for (int64_t k = 0; k < e->subject->parameters; k++)
            e->theta_moved[k] = e->theta[k] + h * e->theta_direction[k];
        if (weir__parameters_write(e->subject, e->theta_moved) != WEIR_OK) return NAN;
    }
    if (weir__evaluate(e->subject, e->map, e->moved) != WEIR_OK) return NAN;
    return scalar_of(e->moved, e->attempt, &scale) - e->value - h * e->slope;
}

/* ---- the fit ---- */

static double fitted_slope(const double *remainders, int32_t first, int32_t count)
{
    double mean_x = 0, mean_y = 0, covariance = 0, variance = 0;
    for (int32_t i = 0; i < count; i++) {
        mean_x -= (first + i) / (double)count;
        mean_y += log2(remainders[first + i]) / count;
    }
    for (int32_t i = 0; i < count; i++) {
        const double x = -(first + i) - mean_x;
        covariance += x * (log2(remainders[first + i]) - mean_y);
        variance += x * x;
    }
    return covariance / variance;
}

/* remainders[k] belongs to h = 2^-k. |slope - 2| over the smallest steps that stand clear of rounding. A remainder that
 * is nowhere above rounding is that of a linear map: 0. */
static double slope_error(const double *remainders, double rounding)
{
    int32_t end = STEPS, count = 0, large = 0, known = 0;
    for (int32_t k = 0; k < STEPS; k++) {
        large += remainders[k] > LINEAR * rounding;
        known += isfinite(remainders[k]) != 0;
    }
    if (known < STEPS / 2) return INFINITY;
    if (large == 0) return 0;
    while (end > 0 && !(remainders[end - 1] > CLEAR * rounding)) end--;
    while (count < WINDOW && count < end && remainders[end - 1 - count] > CLEAR * rounding) count++;
    if (count < 3) return large < 8 ? 0 : INFINITY;
    return fabs(fitted_slope(remainders, end - count, count) - 2);
}

static double slope_of_remainders(expansion *e)
{
    double remainders[STEPS];
    for (int32_t k = 0; k < STEPS; k++) remainders[k] = fabs(remainder_at(e, ldexp(1, -k)));
    return slope_error(remainders, e->subject->rounding * (e->scale + fabs(e->slope)));
}

/* f32 leaves too few digits for a slope: the gradient is compared with a central difference instead. */
static double error_of_difference(expansion *e)
{
    const double h = 0x1p-6;
    const double up = remainder_at(e, h), down = remainder_at(e, -h);
    return fabs(up - down) / (2 * h) / (fabs(e->slope) + 0.01 * e->scale);
}

static double gradient_error(expansion *e, weir_status *status)
{
    *status = gradient_at(e);
    if (*status == WEIR_OK) *status = draw_direction(e);
    if (*status != WEIR_OK) return INFINITY;
    e->slope = directional(e);
    if (!isfinite(e->slope) || !isfinite(e->value)) return INFINITY;
    const int narrow = e->subject->module->precision == WEIR_F32;
    const double error = narrow ? error_of_difference(e) : slope_of_remainders(e);
    if (e->moving & PARAMETERS && weir__parameters_write(e->subject, e->theta) != WEIR_OK) return INFINITY;
    return isnan(error) ? INFINITY : error;
}

static int prepare_call(expansion *e)
{
    e->at = weir__call_new(e->subject, e->map, e->rows);
    e->moved = e->at ? weir__call_like(e->subject, e->map, e->at, WEIR__PLAIN) : NULL;
    e->direction = e->at ? weir__call_like(e->subject, e->map, e->at, WEIR__PLAIN) : NULL;
    return e->at && e->moved && e->direction;
}

static void best_of_attempts(expansion *e, weir__verdict *verdict)
{
    double best = INFINITY;
    weir__parameters_read(e->subject, e->theta);
    for (int32_t i = 0; i < ATTEMPTS && !(best <= verdict->limit); i++) {
        weir_status status = WEIR_OK;
        if (!prepare_call(e)) {
            weir__object(verdict, "out of memory");
            return;
        }
        e->path.chart = NULL;
        if (e->moving & INPUTS) status = weir__path_open(e->subject, e->map, e->at, &e->path);
        if (!weir__served(verdict, e->subject, status, "the way back")) return;
        e->attempt = i;
        const double error = gradient_error(e, &status);
        if (!weir__served(verdict, e->subject, status, e->map->name)) return;
        best = fmin(best, error);
    }
    weir__measure(verdict, best);
}

/* Buffers of an expansion are one block: theta, moved theta, its direction and its gradient. */
static int reserve(expansion *e)
{
    const size_t count = (size_t)e->subject->parameters + 1;
    e->theta = calloc(4 * count, sizeof *e->theta);
    if (!e->theta) return 0;
    e->theta_moved = e->theta + count;
    e->theta_direction = e->theta + 2 * count;
    e->gradient = e->theta + 3 * count;
    return 1;
}

static void expand(weir__subject *subject, const weir__map *map, uint32_t moving, weir__verdict *verdict)
{
    expansion e = {
        .subject = subject, .map = map, .rows = ROWS, .moving = moving, .theta_end = subject->parameters};
    if (!reserve(&e)) {
        weir__object(verdict, "out of memory");
        return;
    }
    best_of_attempts(&e, verdict);
    free(e.theta);
}

/* One tensor at a time, so that a small one is not drowned by a large one and the note can name it. */
static void expand_tensors(expansion *e, weir__verdict *verdict)
{
    for (int64_t t = 0; t < weir__solo_tensors(e->subject->solo); t++) {
        const weir__solo_tensor tensor = weir__solo_tensor_at(e->subject->solo, t);
        if (tensor.kind != WEIR_TENSOR_PARAMETER || tensor.integer || tensor.count == 0) continue;
        e->theta_end = e->theta_first + tensor.count;
        best_of_attempts(e, verdict);
        e->theta_first = e->theta_end;
        if (!(verdict->figure <= verdict->limit)) weir__remark(verdict, "parameter %s", tensor.name);
    }
}

/* ---- the checks ---- */

static int all_integers(weir__subject *subject, const weir__map *map)
{
    const weir__call *const call = weir__call_new(subject, map, ROWS);
    for (int32_t f = 0; call && f < map->size[WEIR__X]; f++)
        for (int32_t r = 0; r < ROWS; r++) {
            const double x = weir__field_get(&call->field[WEIR__X], f, r);
            if (x != floor(x)) return 0;
        }
    return call != NULL;
}

/* Integers have no neighbours to differentiate towards, and an inverse that rounds to them has steps. */
static uint32_t differentiable(weir__subject *subject, const weir__map *map)
{
    const int integers = !map->source && map->size[WEIR__X] > 0 && all_integers(subject, map);
    const int steps = map->source && subject->child->traits & WEIR_TRAIT_INVERSE_LOSSY;
    uint32_t moving = 0;
    if (map->size[WEIR__X] > 0 && !integers && !steps) moving |= INPUTS;
    if (map->size[WEIR__PARAMS] > 0) moving |= ELEMENT_PARAMS;
    if (map->size[WEIR__CONTEXT] > 0) moving |= CONTEXT;
    if (subject->parameters > 0) moving |= PARAMETERS;
    return moving;
}

static void expand_if(weir__subject *subject, const weir__map *map, uint32_t wanted, weir__verdict *verdict)
{
    const uint32_t moving = wanted & differentiable(subject, map);
    if (moving)
        expand(subject, map, moving, verdict);
    else
        weir__skip(verdict);
}

void weir__check_vjp_inputs(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    expand_if(subject, map, INPUTS, verdict);
}

void weir__check_vjp_element_params(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    expand_if(subject, map, ELEMENT_PARAMS, verdict);
}

void weir__check_vjp_parameters(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    expansion e = {.subject = subject, .map = map, .rows = ROWS, .moving = PARAMETERS};
    if (!subject->parameters) {
        weir__skip(verdict);
    } else if (!reserve(&e)) {
        weir__object(verdict, "out of memory");
    } else {
        expand_tensors(&e, verdict);
        free(e.theta);
    }
}

void weir__check_vjp_context(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    expand_if(subject, map, CONTEXT, verdict);
}

void weir__check_vjp_joint(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    expand_if(subject, map, INPUTS | ELEMENT_PARAMS | CONTEXT | PARAMETERS, verdict);
}

/* A step of a batch-coupled layer as one map: the statistics move with what they are taken of. It writes averages into the
 * module, so a fresh one is asked. */
void weir__check_batch_vjp(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    weir__subject fresh;
    (void)map;
    if (!weir__is_batch_coupled(subject)) {
        weir__skip(verdict);
        return;
    }
    if (!weir__open_again(&fresh, subject, verdict)) return;
    const weir__map step = weir__batch_map(&fresh);
    expansion e = {.subject = &fresh, .map = &step, .rows = WEIR__BATCH_ROWS, .moving = INPUTS};
    if (reserve(&e)) {
        best_of_attempts(&e, verdict);
        if (!(verdict->figure <= verdict->limit)) weir__remark(verdict, "inputs");
        e.moving = PARAMETERS;
        expand_tensors(&e, verdict);
    } else {
        weir__object(verdict, "out of memory");
    }
    free(e.theta);
    weir__subject_close(&fresh);
}
