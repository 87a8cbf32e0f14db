/* weights.c - the matrices W from their parameters, once per update, in double; the formulas are in bnaf's doc. */
#include "bnaf.h"

/* Row o of a layer: v has `before` entries that are the parameters themselves, then `in` that are e^parameter. */
typedef struct row {
    int32_t before, in;
    int64_t below, diagonal, dense; /* where it starts in the three tensors */
    int32_t index;                  /* d * out + j */
} row;

static row row_at(const bnaf *self, const block_map *map, int32_t d, int32_t j)
{
    const int64_t index = (int64_t)d * map->out + j;
    return (row){
        .before = d * map->in,
        .in = map->in,
        .below = (int64_t)map->out * map->in * ((int64_t)d * (d - 1) / 2) + (int64_t)j * d * map->in,
        .diagonal = index * map->in,
        .dense = index * self->features * map->in,
        .index = (int32_t)index,
    };
}

/* log |v|, without overflow. */
static double log_length(const row *at, const weir_real *below, const weir_real *logs)
{
    double top = -INFINITY, sum = 0;
    for (int32_t k = 0; k < at->in; k++) top = fmax(top, (double)logs[k]);
    for (int32_t k = 0; k < at->before; k++) top = fmax(top, log(fabs((double)below[k])));
    for (int32_t k = 0; k < at->in; k++) sum += exp(2 * ((double)logs[k] - top));
    for (int32_t k = 0; k < at->before; k++) {
        const double part = (double)below[k] * exp(-top);
        sum += part * part;
    }
    return top + log(sum) / 2;
}

static void prepare_row(const block_map *map, const weir_frame *frame, row at, weir_real *log_first)
{
    const weir_real *const below = weir_tensor(frame, map->below) + at.below;
    const weir_real *const logs = weir_tensor(frame, map->log_diagonal) + at.diagonal;
    weir_real *const w = weir_tensor(frame, map->matrix) + at.dense;
    const double scale = (double)weir_tensor(frame, map->log_norm)[at.index] - log_length(&at, below, logs);
    for (int32_t k = 0; k < at.before; k++) w[k] = WEIR_C((double)below[k] * exp(scale));
    for (int32_t k = 0; k < at.in; k++) w[at.before + k] = WEIR_C(exp((double)logs[k] + scale));
    if (log_first) log_first[at.index] = WEIR_C((double)logs[0] + scale);
}

weir_status WEIR_NAME(bnaf_prepare)(const void *module, weir_frame *frame)
{
    const bnaf *const self = module;
    for (int32_t i = 0; i <= self->layers; i++) {
        const block_map *const map = &self->maps[i];
        const size_t rows = (size_t)self->features * (size_t)map->out,
                     columns = (size_t)self->features * (size_t)map->in;
        weir_real *const log_first = i == 0 ? weir_tensor(frame, self->log_first) : NULL;
        memset(weir_tensor(frame, map->matrix), 0, rows * columns * sizeof(weir_real));
        for (int32_t d = 0; d < self->features; d++)
            for (int32_t j = 0; j < map->out; j++)
                prepare_row(map, frame, row_at(self, map, d, j), log_first);
    }
    return WEIR_OK;
}

static void add(weir_real *gradient, int64_t i, double term)
{
    if (gradient) gradient[i] += WEIR_C(term);
}

/* With u = v / |v| and dot = u . w_bar; first_bar is the cotangent of log_first, 0 in later layers. */
static void pull_row(const block_map *map, const weir_frame *frame, row at, const weir_real *w_bar,
                     double first_bar)
{
    const weir_real *const below = weir_tensor(frame, map->below) + at.below;
    const weir_real *const logs = weir_tensor(frame, map->log_diagonal) + at.diagonal;
    weir_real *const below_bar = weir_gradient(frame, map->below);
    weir_real *const logs_bar = weir_gradient(frame, map->log_diagonal);
    const double length = log_length(&at, below, logs), shrink = exp(-length);
    const double norm = exp((double)weir_tensor(frame, map->log_norm)[at.index]);
    double dot = 0;
    for (int32_t k = 0; k < at.before; k++) dot += (double)below[k] * shrink * (double)w_bar[k];
    for (int32_t k = 0; k < at.in; k++) dot += exp((double)logs[k] - length) * (double)w_bar[at.before + k];
    add(weir_gradient(frame, map->log_norm), at.index, norm * dot + first_bar);
    for (int32_t k = 0; k < at.before; k++) {
        const double u = (double)below[k] * shrink;
        add(below_bar, at.below + k, shrink * (norm * ((double)w_bar[k] - u * dot) - first_bar * u));
    }
    for (int32_t k = 0; k < at.in; k++) {
        const double u = exp((double)logs[k] - length);
        add(logs_bar, at.diagonal + k,
            norm * u * ((double)w_bar[at.before + k] - u * dot) + first_bar * (1 - u * u));
    }
}

weir_status WEIR_NAME(bnaf_prepare_vjp)(const void *module, weir_frame *frame)
{
    const bnaf *const self = module;
    const weir_real *const first = weir_gradient(frame, self->log_first);
    for (int32_t i = 0; i <= self->layers; i++) {
        const block_map *const map = &self->maps[i];
        const weir_real *const w_bar = weir_gradient(frame, map->matrix);
        for (int32_t d = 0; w_bar && d < self->features; d++)
            for (int32_t j = 0; j < map->out; j++) {
                const row at = row_at(self, map, d, j);
                pull_row(map, frame, at, w_bar + at.dense, i == 0 && first ? (double)first[at.index] : 0);
            }
    }
    return WEIR_OK;
}
