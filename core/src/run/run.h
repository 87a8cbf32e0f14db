/* run.h - what stands behind a frame: one worker's memory and tables. */
#ifndef WEIR__RUN_H
#define WEIR__RUN_H

#include "run/frame.h"

/** What a container returns when the observed child was met: never leaves the host. */
#define WEIR__MET 1000

/** The most rows a tile may have, and what it has at most where more would leave threads idle or a cache. */
#define WEIR__TILE_MOST  256
#define WEIR__TILE_USUAL 64

/** Bytes behind a frame that the checks fill with this and that: no module may read them. */
#define WEIR__FRAME_TAIL 64

struct weir__net;

/** frame.host points to the weir__run that holds the frame. Used by one thread at a time. */
typedef struct weir__run {
    struct weir__linear *const
        *linears; /* these two must stay first: unit tests of linear objects stand in for the rest */
    unsigned char
        *unwritten; /* by tensor, 1: its gradient is to be written, not added to; NULL: all are added to */
    const struct weir__net *net;
    weir_frame frame;
    unsigned char frame_tail[WEIR__FRAME_TAIL]; /* where a newer host's frame goes on; zero */
    weir_frame other;                           /* the same call seen by modules of the other precision */
    unsigned char other_tail[WEIR__FRAME_TAIL];
    weir_tape *tape;
    weir_scratch *scratch;
    void **replicas; /* this worker's own instances of the modules that are made per worker */
    uint64_t row_ids[WEIR__TILE_MOST];
    uint64_t discard[WEIR__TILE_MOST / 64];
    /* Data-dependent initialisation: the child whose input is wanted. Containers hand it to `observe` and stop there. */
    const struct weir__instance *observing;
    void *partial;
    int32_t met_inverse; /* how it was met: 1: by its inverse */
    int32_t recompute;   /* chains keep nothing and rebuild inputs by inverse */
    /* Looking for the first value that is not finite: chains check each child's output and note the first place. */
    int32_t diagnose;
    int32_t bad_row;
    char bad_place[256];
    char message[512]; /* last fail(); "" */
    char place[256];   /* path of the module that failed, innermost */
} weir__run;

/** Makes tape, scratch, replicas and a frame over the tables of `net` in the net's precision. */
weir_status weir__run_init(weir__run *run, const struct weir__net *net, weir_error *error);
void weir__run_clear(weir__run *run);

/** Sets the frame up for `rows` rows: sizes, mode, tape (wanted or not), no gradients, no context, no discards; resets
 *  scratch and tape. Row ids count from first_row. */
void weir__run_begin(weir__run *run, int32_t rows, int32_t mode, int32_t with_tape, uint64_t seed,
                     uint64_t step, uint64_t first_row);

#endif
