/* quiet.c - what supplied calls borrow from the run: its tape, and silence for its gradients. */
#include "supply/supply.h"

void weir__quiet_begin(weir_frame *frame, weir__quiet *quiet)
{
    weir__run *const run = frame->host;
    weir_frame *const both[2] = {&run->frame, &run->other};
    for (int i = 0; i < 2; i++) {
        quiet->gradients[i] = both[i]->gradients;
        quiet->context_bar[i] = both[i]->context_bar;
        both[i]->gradients = NULL;
        both[i]->context_bar = NULL;
    }
}

void weir__quiet_end(weir_frame *frame, const weir__quiet *quiet)
{
    weir__run *const run = frame->host;
    weir_frame *const both[2] = {&run->frame, &run->other};
    for (int i = 0; i < 2; i++) {
        both[i]->gradients = quiet->gradients[i];
        both[i]->context_bar = quiet->context_bar[i];
    }
}

int64_t weir__lend_tape(weir_frame *frame, weir_tape **before)
{
    const weir__run *const run = frame->host;
    *before = frame->tape;
    frame->tape = run->tape;
    return weir__tape_mark(run->tape);
}

void weir__return_tape(weir_frame *frame, weir_tape *before, int64_t mark)
{
    weir__tape_rewind(frame->tape, mark);
    frame->tape = before;
}
