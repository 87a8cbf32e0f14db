/* model.h - a model that can run: its net, its root modules, its workers. */
#ifndef WEIR__MODEL_H
#define WEIR__MODEL_H

#include "model/net.h"
#include "run/lanes.h"
#include "run/pool.h"

#include <pthread.h>

struct weir_runtime {
    weir__registry *registry;
    weir__pool *pool;
    void (*listener)(void *, int32_t, const char *); /* weir_settings.log; called by weir__runtime_log only */
    int32_t (*interrupted)(void *);
    void *user;
};

/** A line for the listener, one at a time. Safe from any thread. */
void weir__runtime_log(const weir_runtime *runtime, int32_t level, const char *line);

/** A worker: a run, and the tiles at the model's edges. */
typedef struct weir__worker {
    weir__run run;
    unsigned char *memory; /* the tiles below */
    weir_tile x, z, x_bar, z_bar, context, context_bar;
    void *log_det, *log_p, *bar, *bar2; /* lanes */
    int32_t capacity;                   /* rows the tiles hold */
    struct weir__gradient *gradient;    /* where a training tile adds; NULL: nowhere */
    int32_t thread;
    struct weir__worker *next;
} weir__worker;

struct weir_model {
    weir_runtime *runtime;
    weir__net net;
    weir__instance *flow, *base;
    int32_t features, latent, context;
    int32_t channels, height, width;
    int32_t recompute;
    json_t *description; /* as given, normalised: what is saved */
    json_t *metadata;
    int64_t levels;
    pthread_mutex_t lock; /* of the list of idle workers, and of prepare */
    weir__worker *idle;
    int32_t last_tile;
};

/** Rows of a tile, functions of the model and the batch only: for an evaluation of `rows` rows; when they are shared evenly by
 *  tiles of at most `most`; the most that are worth it. */
int32_t weir__tile_rows(const weir_model *model, int64_t rows);
int32_t weir__even_tile(int64_t rows, int32_t most);
int32_t weir__tile_most(const weir_model *model);

/** An idle worker, or a new one, whose tiles hold `rows` rows. */
weir__worker *weir__worker_take(weir_model *model, int32_t rows, weir_error *error);
void weir__worker_give(weir_model *model, weir__worker *worker);
void weir__worker_free(weir__worker *worker);
/** Sets up a worker's frame and tiles for one tile. */
void weir__worker_begin(weir__worker *worker, int32_t rows, int32_t mode, int32_t with_tape, uint64_t seed,
                        uint64_t step, uint64_t first_row);

/** Brings derived tensors up to date. Safe from several threads. */
weir_status weir__model_prepare(weir_model *model, weir_error *error);

/** "flow.3 (coupling): message" from what a run has noted. */
weir_status weir__run_error(const weir__run *run, weir_status status, weir_error *error);

/* ---- the edges: row-major caller's memory <-> tiles ------------------------------------------------------------------ */

/** Checks a caller's matrix: pointer, dtype, columns. `what` names it in errors. */
weir_status weir__matrix_check(const weir_matrix *matrix, int64_t columns, int writable, const char *what,
                               weir_error *error);
/** Fills a tile from rows rows[0..count) of the matrix (NULL: first, first + 1, ...; a matrix of one row is repeated);
 *  padding repeats the last row. */
void weir__gather_rows(const weir_matrix *matrix, const int64_t *rows, int64_t first, int32_t count,
                       const weir_frame *frame, const weir_tile *tile);
/** Writes the first `count` rows of a tile to rows first, ... of the matrix. */
void weir__scatter_rows(const weir_frame *frame, const weir_tile *tile, int32_t count,
                        const weir_matrix *matrix, int64_t first);
/** 1 when row r is marked. */
int weir__is_discarded(const weir_frame *frame, int32_t row);

#endif
