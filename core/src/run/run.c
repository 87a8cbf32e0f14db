/* run.c - one worker's frame: set up, and set anew for every tile. */
#include "run/run.h"

#include "math/math.h"
#include "model/net.h"
#include "model/replica.h"

#include <string.h>

int32_t weir__width(int32_t rows)
{
    return (rows + WEIR__ROW_QUANTUM - 1) / WEIR__ROW_QUANTUM * WEIR__ROW_QUANTUM;
}

/* Lanes of 8 rows of double are one cache line; wider ones get a pad, so that lanes do not fall on the same cache sets. */
int64_t weir__stride(int32_t width)
{
    if (width <= 16) return 16;
    return ((int64_t)width + 15) / 16 * 16 + WEIR__LANE_PAD;
}

static void init_frame(weir__run *run, weir_frame *frame, int32_t precision, void *const *tensors)
{
    *frame = (weir_frame){.struct_size = (uint32_t)sizeof *frame,
                          .precision = precision,
                          .services = weir__services(),
                          .math = weir__math(precision),
                          .tensors = tensors,
                          .scratch = run->scratch,
                          .row_ids = run->row_ids,
                          .discard = run->discard,
                          .host = run};
}

weir_status weir__run_init(weir__run *run, const weir__net *net, weir_error *error)
{
    memset(run, 0, sizeof *run);
    run->net = net;
    run->linears = net->linears;
    run->tape = weir__tape_new();
    run->scratch = weir__scratch_new();
    if (!run->tape || !run->scratch) {
        weir__run_clear(run);
        return weir__no_memory(error, "a worker");
    }
    init_frame(run, &run->frame, net->precision, net->table);
    init_frame(run, &run->other, net->precision == WEIR_F32 ? WEIR_F64 : WEIR_F32, net->other_table);
    const weir_status status = weir__replicas_make(net, &run->replicas, error);
    if (status) weir__run_clear(run);
    return status;
}

void weir__run_clear(weir__run *run)
{
    weir__tape_free(run->tape);
    weir__scratch_free(run->scratch);
    weir__replicas_free(run->net, run->replicas);
    run->replicas = NULL;
    run->tape = NULL;
    run->scratch = NULL;
}

static void begin_frame(weir__run *run, weir_frame *frame, int32_t rows, int32_t mode, int32_t with_tape,
                        uint64_t seed, uint64_t step)
{
    frame->rows = rows;
    frame->width = weir__width(rows);
    frame->stride = weir__stride(frame->width);
    frame->mode = mode;
    frame->tape = with_tape ? run->tape : NULL;
    frame->gradients = NULL;
    frame->context = frame->context_bar = NULL;
    frame->report = NULL;
    frame->seed = seed;
    frame->step = step;
}

void weir__run_begin(weir__run *run, int32_t rows, int32_t mode, int32_t with_tape, uint64_t seed,
                     uint64_t step, uint64_t first_row)
{
    begin_frame(run, &run->frame, rows, mode, with_tape, seed, step);
    begin_frame(run, &run->other, rows, mode, with_tape, seed, step);
    for (int32_t r = 0; r < run->frame.width; r++)
        run->row_ids[r] = first_row + (uint64_t)(r < rows ? r : rows - 1);
    run->unwritten = NULL;
    memset(run->discard, 0, sizeof run->discard);
    weir__scratch_reset(run->scratch);
    weir__tape_reset(run->tape);
    run->message[0] = run->place[0] = run->bad_place[0] = 0;
    run->bad_row = -1;
}
