/* services.c - the functions a running module may call. */
#include "run/run.h"

#include "math/linear.h"
#include "model/files.h"
#include "model/net.h"
#include "run/memory.h"
#include "run/noise.h"
#include "run/philox.h"

#include <stdio.h>
#include <string.h>

static weir__run *run_of(const weir_frame *frame)
{
    return frame->host;
}

static void fail(weir_frame *frame, const char *text)
{
    snprintf(run_of(frame)->message, sizeof run_of(frame)->message, "%s", text);
}

static void *tape_push(weir_frame *frame, int64_t bytes)
{
    void *const record = frame->tape ? weir__tape_push(frame->tape, bytes) : NULL;
    if (!record) fail(frame, frame->tape ? "no memory for the tape" : "pushed without a tape");
    return record;
}

static void *tape_pop(weir_frame *frame, int64_t bytes)
{
    int64_t found = -1;
    void *const record = frame->tape ? weir__tape_pop(frame->tape, bytes, &found) : NULL;
    if (!record) {
        char text[160];
        snprintf(text, sizeof text,
                 "the tape is out of balance: %lld bytes asked for, the newest record has %lld",
                 (long long)bytes, (long long)found);
        fail(frame, text);
    }
    return record;
}

static void *scratch_take(weir_frame *frame, int64_t bytes)
{
    void *const memory = weir__scratch_take(frame->scratch, bytes);
    if (!memory) fail(frame, "no memory for scratch");
    return memory;
}

static int64_t scratch_mark(weir_frame *frame)
{
    return weir__scratch_position(frame->scratch);
}

static void scratch_release(weir_frame *frame, int64_t mark)
{
    weir__scratch_seek(frame->scratch, mark);
}

static void random_uniform(weir_frame *frame, uint32_t stream, uint32_t draw, void *lane)
{
    const uint64_t key = weir__stream_key(frame->seed, frame->step, stream);
    weir__noise_uniform(key, draw, frame->width, frame->row_ids, frame->precision == WEIR_F32, lane);
}

static void random_normal(weir_frame *frame, uint32_t stream, uint32_t draw, void *lane)
{
    const uint64_t key = weir__stream_key(frame->seed, frame->step, stream);
    weir__noise_normal(key, draw, frame->width, frame->row_ids, frame->precision == WEIR_F32, lane);
}

static void log_line(weir_frame *frame, int32_t level, const char *text)
{
    weir__registry_log(run_of(frame)->net->registry, level, text);
}

static const void *extension(const char *id)
{
    return strcmp(id, WEIR_FILE_GUARD) == 0 ? weir__file_guard() : NULL;
}

static const weir_services services = {
    .struct_size = (uint32_t)sizeof(weir_services),
    .tape_push = tape_push,
    .tape_pop = tape_pop,
    .scratch_take = scratch_take,
    .scratch_mark = scratch_mark,
    .scratch_release = scratch_release,
    .random_uniform = random_uniform,
    .random_normal = random_normal,
    .linear_forward = weir__linear_forward,
    .linear_vjp_activation = weir__linear_vjp_activation,
    .linear_vjp_input = weir__linear_vjp_input,
    .linear_vjp_weights = weir__linear_vjp_weights,
    .fail = fail,
    .log = log_line,
    .extension = extension,
};

const weir_services *weir__services(void)
{
    return &services;
}

const struct weir__linear *weir__frame_linear(const weir_frame *frame, weir_handle handle)
{
    return run_of(frame)->linears[handle];
}

int weir__frame_unwritten(const weir_frame *frame, weir_handle weight)
{
    unsigned char *const unwritten = run_of(frame)->unwritten;
    if (!unwritten || !unwritten[weight]) return 0;
    unwritten[weight] = 0;
    return 1;
}
