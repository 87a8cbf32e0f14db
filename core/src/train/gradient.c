/* gradient.c - the gradient of a batch: tiles into lanes, lanes into one sum. */
#include "train/stages.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- tiles into lanes --------------------------------------------------------------------------------------------------- */

/* More lanes let more threads work; each costs a pass over a gradient of the model's size. */
static int32_t lanes_for(const weir__net *net, int64_t tiles)
{
    int64_t lanes = tiles / 2 > 2 ? tiles / 2 : tiles;
    while (lanes > 2 && lanes * net->parameter_bytes > (INT64_C(1) << 28)) lanes /= 2;
    if (lanes > WEIR__LANES_MOST) lanes = WEIR__LANES_MOST;
    return lanes < 1 ? 1 : (int32_t)lanes;
}

/* Tiles and lanes depend on model and batch, never on the threads. Tiles are as wide as their lanes allow. */
static void lay_out(weir__batch *batch, const weir_model *m)
{
    batch->tile_rows = weir__even_tile(batch->rows, WEIR__TILE_USUAL);
    batch->tiles = (batch->rows + batch->tile_rows - 1) / batch->tile_rows;
    batch->lanes = lanes_for(&m->net, batch->tiles);
    if (batch->tiles <= batch->lanes) return;
    const int64_t share = (batch->tiles + batch->lanes - 1) / batch->lanes * batch->tile_rows;
    batch->tile_rows = weir__width(weir__even_tile(share, weir__tile_most(m)));
    batch->tiles = (batch->rows + batch->tile_rows - 1) / batch->tile_rows;
    if (batch->lanes > batch->tiles) batch->lanes = (int32_t)batch->tiles;
}

static weir_status ensure_lanes(weir_trainer *t, int32_t lanes, weir_error *error)
{
    while (t->lane_count < lanes) {
        const weir_status status = weir__gradient_init(&t->lanes[t->lane_count], &t->model->net, error);
        if (status) return status;
        t->lane_count++;
    }
    return WEIR_OK;
}

static weir_status ensure_tiles(weir_trainer *t, int64_t tiles, weir_error *error)
{
    if (t->tile_capacity >= tiles) return WEIR_OK;
    weir__tile_result *const list = realloc(t->tiles, (size_t)tiles * sizeof *list);
    if (!list) return weir__no_memory(error, "the batch");
    t->tiles = list;
    t->tile_capacity = tiles;
    return WEIR_OK;
}

static void one_lane(void *user, int64_t lane, int32_t thread)
{
    weir__batch *const batch = user;
    weir_trainer *const t = batch->trainer;
    weir__worker *const worker = batch->workers[thread];
    int64_t first, end;
    weir__batch_lane(batch, lane, &first, &end);
    worker->gradient = batch->sampling ? NULL : &t->lanes[lane];
    if (worker->gradient) weir__gradient_begin(worker->gradient, &t->model->net);
    worker->thread = thread;
    for (int64_t tile = first; tile < end; tile++) weir__batch_tile(batch, tile, worker);
}

static weir_status run_tiles(weir__batch *batch, weir_error *error)
{
    if (batch->step->x && batch->trainer->stages) return weir__coupled_kl(batch, error);
    return weir__batch_run_lanes(batch, one_lane, batch, error);
}

static void give_workers(weir__batch *batch)
{
    while (batch->worker_count > 0)
        weir__worker_give(batch->trainer->model, batch->workers[--batch->worker_count]);
}

static weir_status take_workers(weir__batch *batch, weir_error *error)
{
    const int32_t threads = weir__pool_threads(batch->trainer->model->runtime->pool);
    for (int32_t i = 0; i < threads; i++) {
        weir__worker *const worker = weir__worker_take(batch->trainer->model, batch->tile_rows, error);
        if (!worker) return WEIR_ERROR;
        batch->workers[batch->worker_count++] = worker;
    }
    return WEIR_OK;
}

static void add_up(const weir__batch *batch, weir_step_result *result)
{
    double loss = 0, weight = 0;
    for (int64_t i = 0; i < batch->tiles; i++) {
        const weir__tile_result *const tile = &batch->trainer->tiles[i];
        loss += tile->loss;
        weight += tile->weight;
        result->rows += tile->rows;
        result->discarded += tile->discarded;
    }
    result->loss = weight > 0 ? loss / weight : (double)NAN;
}

/* Rows that were left out leave their weight to the others: the gradient was divided by the whole batch's. */
static double weight_counted(const weir__batch *batch)
{
    double weight = 0;
    for (int64_t i = 0; i < batch->tiles; i++) weight += batch->trainer->tiles[i].weight;
    return weight;
}

weir_status weir__batch_gradient(weir__batch *batch, weir_step_result *result, weir_error *error)
{
    weir_trainer *const t = batch->trainer;
    weir_model *const m = t->model;
    lay_out(batch, m);
    batch->only_row = -1;
    m->last_tile = batch->tile_rows;
    weir_status status = weir__model_prepare(m, error);
    if (!status) status = ensure_lanes(t, batch->lanes, error);
    if (!status) status = ensure_tiles(t, batch->tiles, error);
    if (!status) status = take_workers(batch, error);
    if (!status && !batch->step->x) {
        status = weir__reverse_kl_begin(batch, error);
        if (!status && batch->step->target) {
            batch->sampling = 1;
            status = run_tiles(batch, error);
            batch->sampling = 0;
            if (!status && batch->step->target(batch->step->target_user, batch->rows, m->features, t->x,
                                               t->log_p, t->slope))
                status = weir__fail(error, WEIR_INVALID, "the target of reverse KL failed");
        }
    }
    if (!status) status = run_tiles(batch, error);
    if (!status) {
        add_up(batch, result);
        const double counted = weight_counted(batch);
        status = weir__reduce(batch, counted > 0 ? batch->total_weight / counted : 1, error);
    }
    if (!status) {
        double squares = 0;
        int32_t finite = 1;
        for (int64_t i = 0; i < t->segment_count; i++) {
            squares += t->segments[i].squares;
            finite &= t->segments[i].finite;
        }
        result->gradient_norm = finite ? sqrt(squares) : (double)NAN;
        if (result->discarded || !finite || !isfinite(result->loss)) weir__diagnose(batch, result);
    }
    give_workers(batch);
    return status;
}
