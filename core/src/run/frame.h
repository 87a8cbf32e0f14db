/* frame.h - the host's side of a frame: tape, scratch, services, and the memory one worker runs in. */
#ifndef WEIR__FRAME_H
#define WEIR__FRAME_H

#include "error.h"

#include <weir/build.h>

struct weir__linear;

/** Rows are padded to this many; every lane gets this many extra elements against cache-set conflicts. */
#define WEIR__ROW_QUANTUM 8
#define WEIR__LANE_PAD    16

/** width for `rows`: a multiple of 8. */
int32_t weir__width(int32_t rows);
/** Lane stride for a width: a multiple of 16, not of 128. */
int64_t weir__stride(int32_t width);

/** Chunked stack of 64-byte aligned records: each push is remembered with its size so that pops are checked. Grows when
 *  needed, never shrinks: nothing is allocated once the high-water mark is reached. */
weir_tape *weir__tape_new(void);
void weir__tape_free(weir_tape *tape);
int64_t weir__tape_mark(const weir_tape *tape); /* bytes in use, for balance checks and rewinding */
void weir__tape_rewind(weir_tape *tape,
                       int64_t mark); /* up or down: bytes above a mark stay until overwritten */
void weir__tape_reset(weir_tape *tape);
int64_t weir__tape_high_water(const weir_tape *tape);

weir_scratch *weir__scratch_new(void);
void weir__scratch_free(weir_scratch *scratch);
void weir__scratch_reset(weir_scratch *scratch);
int64_t weir__scratch_high_water(const weir_scratch *scratch);

/** The object behind a handle of a running frame. */
const struct weir__linear *weir__frame_linear(const weir_frame *frame, weir_handle handle);
/** Whether the gradient of a linear object's weights holds nothing yet: then the caller writes all that the object lets
 *  through, instead of adding to it. Says so once. */
int weir__frame_unwritten(const weir_frame *frame, weir_handle weight);
/** The host's services table, the same for every frame. */
const weir_services *weir__services(void);

#endif
