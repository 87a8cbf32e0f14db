/* tails.c - structs end where their struct_size says: what lies behind is not read, and a longer one is no error. */
#include "check/checks.h"

#include "run/run.h"

#include <string.h>

#define ROWS 16
#define TAIL 96

static const weir__manner taped = {.tape = 1, .gradients = 1};
static const weir__manner plain = {.tape = 0};

/* One way to make the structs of a call: what stands behind them, and whether they say that they reach that far. Of a newer
 * host's members a newer plugin may make use, so those that are said to be there are zero. */
typedef struct manner_of_tails {
    int pattern, longer;
} manner_of_tails;

typedef struct tables {
    struct {
        weir_services known;
        unsigned char tail[TAIL];
    } services;
    struct {
        weir_math known;
        unsigned char tail[TAIL];
    } math;
} tables;

static void set_tables(tables *t, weir_frame *frame, const manner_of_tails *how)
{
    memset(t, how->pattern, sizeof *t);
    t->services.known = *frame->services;
    t->math.known = *frame->math;
    if (how->longer) t->services.known.struct_size = (uint32_t)sizeof t->services;
    if (how->longer) t->math.known.struct_size = (uint32_t)sizeof t->math;
    frame->services = &t->services.known;
    frame->math = &t->math.known;
}

static void set_frames(weir__run *run, const manner_of_tails *how)
{
    const uint32_t more = how->longer ? WEIR__FRAME_TAIL : 0;
    memset(run->frame_tail, how->pattern, sizeof run->frame_tail);
    memset(run->other_tail, how->pattern, sizeof run->other_tail);
    run->frame.struct_size = (uint32_t)sizeof run->frame + more;
    run->other.struct_size = (uint32_t)sizeof run->other + more;
}

static weir_status run_with(weir__subject *subject, const weir__map *map, weir__call *call,
                            const manner_of_tails *how)
{
    static const manner_of_tails usual = {0, 0};
    tables of_frame, of_other;
    weir_frame *const frame = weir__call_frame(subject, call, map->vjp ? &taped : &plain);
    if (!frame) return WEIR_ERROR;
    weir__run *const run = frame->host;
    const weir_frame before = run->frame, other_before = run->other;
    set_tables(&of_frame, &run->frame, how);
    set_tables(&of_other, &run->other, how);
    set_frames(run, how);
    weir__call_tail(call, how->pattern, how->longer);
    weir_status status = weir__call_run(subject, map, call, frame);
    if (status == WEIR_OK && map->vjp) status = weir__call_vjp(subject, map, call, frame);
    weir__call_tail(call, -1, 0);
    set_frames(run, &usual);
    run->frame.services = before.services;
    run->frame.math = before.math;
    run->other.services = other_before.services;
    run->other.math = other_before.math;
    return status;
}

void weir__check_struct_tails(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    static const manner_of_tails manners[] = {{0x00, 0}, {0xff, 0}, {0x5a, 0}, {0x00, 1}};
    weir__call *const first = weir__call_new(subject, map, ROWS);
    if (!weir__have(verdict, first)) return;
    const weir_status status =
        map->vjp ? weir__differentiate(subject, map, first) : weir__evaluate(subject, map, first);
    if (!weir__served(verdict, subject, status, map->name)) return;
    for (size_t i = 0; i < sizeof manners / sizeof *manners; i++) {
        weir__call *const call = weir__call_like(subject, map, first, WEIR__PLAIN);
        if (!weir__have(verdict, call)) return;
        if (!weir__served(verdict, subject, run_with(subject, map, call, &manners[i]), map->name)) return;
        for (int32_t k = WEIR__Y; k < WEIR__ARGUMENTS; k++)
            if ((k <= WEIR__LANE || (map->vjp && k >= WEIR__X_BAR)) &&
                !weir__field_equal(&first->field[k], &call->field[k]))
                weir__object(verdict,
                             manners[i].longer
                                 ? "%s gives something else when structs are longer than today's"
                                 : "%s depends on what lies behind the structs it is given",
                             map->name);
    }
}
