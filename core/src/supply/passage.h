/* passage.h - one call on its way through an adapter: what the caller handed over, as the module wants it.
 *
 * A passage opens with the caller's frame, takes over the arguments one by one, and closes with the status of the call:
 * then outputs go back to where the caller wants them, and the frame that was borrowed is as it was before. Arguments
 * that suit the module as they are pass through untouched and cost a comparison each. */
#ifndef WEIR__PASSAGE_H
#define WEIR__PASSAGE_H

#include "supply/supply.h"

/** Tiles and lanes of the longest call, and the context's cotangent. */
#define WEIR__PASSED_MOST 12

typedef struct weir__passed {
    const weir_tile *tile; /* the caller's; NULL: a lane */
    void *lane;
    weir_tile inside; /* what the module gets */
    int32_t back;     /* WEIR__BACK_* */
} weir__passed;

#define WEIR__BACK_NOT  0 /* an input */
#define WEIR__BACK_COPY 1 /* written by the module */
#define WEIR__BACK_ADD  2 /* added to by the module, from zero */

typedef struct weir__passage {
    const weir__supplied *supplied;
    const weir_child *inner;
    const void *self;  /* of the inner module, the worker's own where there are several */
    weir_frame *outer; /* the caller's */
    weir_frame *frame; /* the module's: the same one, or the run's other one */
    weir_frame saved;  /* what the other one was before */
    weir_tile context, context_bar;
    int32_t count;
    int32_t failed; /* 1: no memory */
    weir__passed list[WEIR__PASSED_MOST];
} weir__passage;

/** `self` is the adapter's. with_context: the call may read the context or add to its cotangent. */
void weir__passage_open(weir__passage *p, const void *self, weir_frame *frame, int32_t with_context);
/** Arguments; NULL stays NULL. The result is valid until the passage closes (tiles on the tape: as long as those). */
const weir_tile *weir__pass_in(weir__passage *p, const weir_tile *tile);
const weir_tile *weir__pass_out(weir__passage *p, const weir_tile *tile);
const void *weir__pass_lane(weir__passage *p, const void *lane);
/** An accumulator: the module adds to zero, the sum is added to what the caller's lane holds. */
void *weir__pass_sum(weir__passage *p, void *lane);
weir_status weir__passage_close(weir__passage *p, weir_status status);

/** 1 when the module cannot have this tile as it is. */
int weir__must_pass(const weir__passage *p, const weir_tile *tile);
/** Lanes [first, first + count) of a tile of the caller's into a tile of the module's, and back. */
void weir__carry_in(const weir__passage *p, const weir_tile *from, const weir_tile *to, int32_t first,
                    int32_t count);
void weir__carry_out(const weir__passage *p, const weir_tile *from, const weir_tile *to, int32_t first,
                     int32_t count);

/** The call itself, unless memory ran out. */
#define WEIR__THROUGH(p, call) weir__passage_close((p), (p)->failed ? WEIR_ERROR : (call))

#endif
