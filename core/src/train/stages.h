/* stages.h - training of a flow with batch-coupled layers: the flow cut at each of them.
 *
 * A batch-coupled layer needs the statistics of the whole batch before it can map a single row, so a tile cannot go
 * through the whole flow by itself. With K such layers the flow is K + 1 stages, a layer between each two:
 *      x -> stage 0 -> layer 0 -> stage 1 -> layer 1 -> ... -> stage K -> base density
 * Every tile of the batch goes through a stage before any goes through the next. What is kept of the batch between two
 * passes is the input of every coupled layer; on the way back a stage runs forward once more, with a tape that is one tile
 * deep as ever. Costs: stages 0 to K - 1 run forward twice, and K + 1 tiles' worth of activations are kept for every tile
 * of the batch. A model without such a layer has no stages and pays nothing. */
#ifndef WEIR__STAGES_H
#define WEIR__STAGES_H

#include "container/container.h"
#include "train/trainer.h"

typedef struct weir__stages {
    weir_model *model;
    int32_t count;                  /* K, of coupled layers */
    const weir__instance **coupled; /* [K], data side first */
    weir__instance **layers;        /* all other layers, likewise */
    weir__container_self *chains;   /* [K + 1]: the stages, pieces of `layers` */
    int32_t widest;                 /* features of the widest tile beside a coupled layer */
    int64_t partial_bytes;          /* room of one partial statistic */
    int64_t state_bytes;            /* of what the statistics of a step write */
    unsigned char *state;           /* that, as it was before the step */
    int32_t held;                   /* 1: `state` is of the step being taken */

    /* The batch in work: one block of memory, laid out by weir__stages_reserve. */
    unsigned char *memory;
    int64_t memory_bytes;
    int64_t stride;          /* elements of a lane of a whole tile: the longest of any */
    unsigned char **inputs;  /* [K] what came to each coupled layer, tile after tile */
    unsigned char *bars;     /* cotangents of what it gave, tile after tile */
    unsigned char *log_dets; /* a lane for each tile: log-det up to the stage in work */
    unsigned char *partials; /* [lanes] */
    int64_t *kept;           /* [rows] rows of the data, in order; those of a tile that are left come first */
    int32_t *counts;         /* [tiles] how many of a tile are left */
} weir__stages;

/** *out = NULL when no layer is batch-coupled. Refuses one that does not stand in the flow's chain. */
weir_status weir__stages_make(weir_model *model, weir__stages **out, weir_error *error);
void weir__stages_free(weir__stages *stages);
/** Memory for the batch, and all its rows in it. */
weir_status weir__stages_reserve(weir__stages *stages, const weir__batch *batch, weir_error *error);

/** What the statistics of a step write is kept, and goes back at the end unless the step is taken: a gradient alone, or a
 *  step that is skipped, leaves no trace. stages may be NULL. */
void weir__stages_hold(weir__stages *stages);
void weir__stages_put_back(weir__stages *stages);
void weir__stages_settle(weir__stages *stages, int32_t taken);

/** The tile that is kept at `memory` for tile number `tile`, for the frame's rows. */
weir_tile weir__stages_tile(const weir__stages *stages, const weir_frame *frame, unsigned char *memory,
                            int32_t room, int32_t features, int64_t tile);

/** Forward KL for such a model: gradients into the lanes, results into trainer->tiles. Leaves the statistics of the batch
 *  in the layers' derived tensors, until the next prepare. */
weir_status weir__coupled_kl(weir__batch *batch, weir_error *error);

/* ---- statistics.c ------------------------------------------------------------------------------------------------------ */

#define WEIR__STATISTICS_INITIAL 0 /* observe_finish of data-dependent initialisation */
#define WEIR__STATISTICS_STEP    1 /* observe_finish of a training step */
#define WEIR__STATISTICS_VJP     2 /* observe_vjp_finish */

/** Bytes of one partial statistic of a layer, a multiple of 64; -1 when the module names no sensible size. */
int64_t weir__statistics_bytes(const weir__instance *layer);
/** Merges `count` partials in their order and lets the layer make its state of the total. On one thread, the net's tile
 *  calls at rest. */
weir_status weir__statistics_finish(weir__net *net, weir__run *run, const weir__instance *layer, int32_t what,
                                    int32_t inverse, unsigned char *partials, int64_t bytes, int32_t count,
                                    weir_error *error);

#endif
