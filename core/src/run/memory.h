/* memory.h - the parts of tape and scratch that only the services use. */
#ifndef WEIR__MEMORY_H
#define WEIR__MEMORY_H

#include "run/frame.h"

void *weir__scratch_take(weir_scratch *scratch, int64_t bytes);
int64_t weir__scratch_position(const weir_scratch *scratch);
void weir__scratch_seek(weir_scratch *scratch, int64_t position);

void *weir__tape_push(weir_tape *tape, int64_t bytes);
/** NULL when the newest record has another size: *found tells which (-1: the tape is empty). */
void *weir__tape_pop(weir_tape *tape, int64_t bytes, int64_t *found);

#endif
