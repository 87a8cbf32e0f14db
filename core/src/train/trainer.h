/* trainer.h - gradients over batches, optimizers, guards.
 *
 * Accumulation lanes: the tiles of a batch are dealt out, in order, to a number of lanes that depends on model and batch
 * only. A lane is worked through by one thread, tile after tile, into a gradient of its own; then the lanes are added up
 * in their order. So the sums are the same, bit for bit, for any number of threads. */
#ifndef WEIR__TRAINER_H
#define WEIR__TRAINER_H

#include "run/model.h"

#define WEIR__LANES_MOST 16

#define WEIR__ADAM  0
#define WEIR__ADAMW 1
#define WEIR__SGD   2

/** A gradient: parameters, derived tensors and shadows, laid out as the net's arenas are. */
typedef struct weir__gradient {
    unsigned char *memory;
    void **table;       /* by handle; NULL: frozen or buffer */
    void **other_table; /* shadows in the other precision */
    unsigned char
        *unwritten; /* by handle, 1: weights of a linear object whose gradient nobody has written yet */
    int32_t clean;  /* 1: all of it is zero */
    int32_t used;   /* 1: begun before */
} weir__gradient;

/** A piece of one parameter tensor: the unit of work of reduction and optimizer. */
typedef struct weir__segment {
    int32_t handle;
    int64_t first, count; /* elements */
    double squares;       /* of the gradient, filled by the reduction */
    int32_t finite;
} weir__segment;

/** What one tile of a batch gave. */
typedef struct weir__tile_result {
    double loss, weight; /* sums of w l and w over the rows that counted */
    int64_t rows, discarded;
    weir_status status;
} weir__tile_result;

struct weir_trainer {
    weir_model *model;
    int32_t optimizer, nesterov, rollback;
    double beta1, beta2, epsilon, momentum, weight_decay, clip;
    uint64_t seed;
    int64_t steps; /* taken: the exponent of Adam's bias correction */

    int32_t lane_count; /* gradients allocated */
    weir__gradient lanes[WEIR__LANES_MOST];
    weir__segment *segments;
    int64_t segment_count;
    weir__tile_result *tiles;
    int64_t tile_capacity;
    struct weir__stages *stages; /* NULL: the model has no batch-coupled layer */
    struct weir__batch *batch;   /* of the step being taken, kept so that a step allocates nothing */

    unsigned char *moment1, *moment2; /* laid out as the parameter arena */
    unsigned char *kept;              /* snapshot: parameters, buffers, integers; NULL: none yet */
    weir_model *target;               /* reverse KL against a density node: a model whose flow is empty */
    char *target_json;
    uint64_t drawn;            /* samples drawn by reverse KL so far: the next row number */
    double *x, *log_p, *slope; /* reverse KL with a callback: samples, values, gradients */
    int64_t sample_capacity;
};

/** A batch in the making. */
typedef struct weir__batch {
    weir_trainer *trainer;
    const weir_step *step;
    int64_t rows;
    int32_t tile_rows;
    int64_t tiles;
    int32_t lanes;
    double total_weight;
    int32_t only_row; /* >= 0: diagnosis: all other rows of the tile get no cotangent */
    int32_t sampling; /* reverse KL, first round of two: only draw x */
    weir__worker *workers[1024];
    int32_t worker_count;
    pthread_mutex_t lock;
    weir_error error;
} weir__batch;

/** Loss and reduced gradient (in lanes[0]) of a batch; interrupted, failing or empty batches are errors. */
weir_status weir__batch_gradient(weir__batch *batch, weir_step_result *result, weir_error *error);
/** task(user, lane, thread) for every lane of the batch, on the pool; the error of the first tile that failed. */
weir_status weir__batch_run_lanes(weir__batch *batch, void (*task)(void *, int64_t, int32_t), void *user,
                                  weir_error *error);
/** The tiles of a lane: [first, end). */
void weir__batch_lane(const weir__batch *batch, int64_t lane, int64_t *first, int64_t *end);
/** Keeps the worker's error as the batch's, unless there is one. */
void weir__batch_note(weir__batch *batch, const weir__worker *worker, weir_status status);
/** One tile of the batch into worker->gradient; its result goes to trainer->tiles[index]. */
void weir__batch_tile(weir__batch *batch, int64_t index, weir__worker *worker);
/** Sets up a worker for tile `index`: frame, gradient tables. Returns its rows. */
int32_t weir__batch_begin_tile(weir__batch *batch, int64_t index, weir__worker *worker, int32_t with_tape);
/** The same for any rows: `first` is where they lie in the batch. */
void weir__batch_begin_rows(const weir__batch *batch, weir__worker *worker, int64_t first, int32_t rows,
                            int32_t with_tape);
/** Random streams are keyed by the row's number in the data (list[first], ...; NULL: first, ...), so that a row's noise
 *  does not depend on the shuffle. */
void weir__batch_key_rows(const int64_t *list, int64_t first, int32_t rows, weir__run *run);
/** worker->bar gets the cotangent of log p of those rows, zero for those marked in `bad` (NULL: none is); their loss, from
 *  worker->log_p, is added to `out` unless it is NULL. */
void weir__batch_set_cotangents(const weir__batch *batch, weir__worker *worker, const int64_t *list,
                                int64_t first, int32_t rows, const uint64_t *bad, weir__tile_result *out);
/** Sums of the lanes into lanes[0], derived tensors chained back; fills the segments. */
weir_status weir__reduce(weir__batch *batch, double scale, weir_error *error);

/** Forward KL: one tile. Reverse KL: likewise. */
void weir__forward_kl_tile(weir__batch *batch, int64_t index, weir__worker *worker, weir__tile_result *out);
void weir__reverse_kl_tile(weir__batch *batch, int64_t index, weir__worker *worker, weir__tile_result *out);
/** Reverse KL before the tiles: parses a target density, or draws all samples and calls the target. */
weir_status weir__reverse_kl_begin(weir__batch *batch, weir_error *error);

weir_status weir__gradient_init(weir__gradient *gradient, const weir__net *net, weir_error *error);
void weir__gradient_clear(weir__gradient *gradient);
/** Sets the tables after what is frozen now, and zeroes what is not zero yet: all but the weights of linear objects,
 *  which the first product writes. */
void weir__gradient_begin(weir__gradient *gradient, const weir__net *net);
/** Zeroes what nobody wrote. Before that a gradient is not to be read. */
void weir__gradient_end(weir__gradient *gradient, const weir__net *net);

/** Applies the reduced gradient, multiplied by `factor`. */
void weir__optimize(weir_trainer *trainer, double learning_rate, double factor);

/** Names the first layer, tensor and row that made something not finite, into result->message. */
void weir__diagnose(weir__batch *batch, weir_step_result *result);

#endif
