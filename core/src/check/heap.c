/* heap.c - memory, files and the like: none is taken in calls, and none is left behind. */
#include "check/checks.h"
#include "check/open.h"
#include "check/surroundings.h"
#include "check/watch.h"

#define ROWS   16
#define WARMUP 2

static const weir__manner plain = {.tape = 0};
static const weir__manner taped = {.tape = 1, .gradients = 1};

static weir_status run_once(weir__subject *subject, const weir__map *map, weir__call *call)
{
    weir_frame *const frame = weir__call_frame(subject, call, map->vjp ? &taped : &plain);
    if (!frame) return WEIR_ERROR;
    const weir_status status = weir__call_run(subject, map, call, frame);
    return status == WEIR_OK && map->vjp ? weir__call_vjp(subject, map, call, frame) : status;
}

/* The first calls may find the host's tape and scratch too small. */
void weir__check_allocations(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const char *where = "";
    if (!weir__allocations || !weir__watching() || subject->module->flags & WEIR_MODULE_ALLOCATES) {
        weir__skip(verdict);
        return;
    }
    weir__call *const call = weir__call_new(subject, map, ROWS);
    if (!weir__have(verdict, call)) return;
    for (int i = 0; i <= WARMUP; i++) {
        weir__watch_allocated(&where);
        if (!weir__served(verdict, subject, run_once(subject, map, call), map->name)) return;
    }
    const int64_t count = weir__watch_allocated(&where);
    weir__measure(verdict, (double)count);
    if (count) weir__remark(verdict, "%lld allocations in one call of %s", (long long)count, where);
}

/* ---- what a call leaves as it found it ---- */

/* Everything that a process does with a module: made, run, differentiated, destroyed. */
static void live(weir__subject *subject, weir__verdict *verdict)
{
    weir__subject fresh;
    if (!weir__open_again(&fresh, subject, verdict)) return;
    for (int32_t i = 0; i < fresh.map_count; i++) {
        weir__call *const call = weir__call_new(&fresh, &fresh.maps[i], ROWS);
        if (weir__have(verdict, call)) run_once(&fresh, &fresh.maps[i], call);
    }
    weir__solo_finish_gradients(fresh.solo, NULL);
    weir__subject_close(&fresh);
}

void weir__check_quiet_calls(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const char *where = "";
    (void)map;
    if (!weir__watching()) {
        weir__skip(verdict);
        return;
    }
    weir__surroundings *const before = weir__surroundings_now();
    live(subject, verdict);
    weir__surroundings *const after = weir__surroundings_now();
    const char *const disturbed = weir__watch_disturbance(&where);
    if (disturbed) weir__object(verdict, "%s changes %s", where, disturbed);
    weir__surroundings_compare(before, after, verdict);
    weir__surroundings_free(before);
    weir__surroundings_free(after);
}

/* ---- what is left behind ---- */

#define LIVES      40
#define LIVES_FULL 400

/* Made, run once, destroyed; or refused. */
static void spend_life(const weir__subject *subject, const weir__setting *setting, const weir__map *map)
{
    weir__subject fresh;
    weir_error error;
    if (weir__subject_open(&fresh, subject->candidate, setting, subject->precision, &error) != WEIR_OK)
        return;
    const weir__map *const own = map ? weir__subject_map(&fresh, map->name) : NULL;
    weir__call *const call = own ? weir__call_new(&fresh, own, ROWS) : NULL;
    if (call) run_once(&fresh, own, call);
    weir__subject_close(&fresh);
}

/* Blocks that a life leaves; caches that are filled once do not count. */
static double left_by(const weir__subject *subject, const weir__setting *setting, const weir__map *map)
{
    const int lives = subject->candidate->full ? LIVES_FULL : LIVES;
    for (int i = 0; i < 3; i++) spend_life(subject, setting, map);
    const int64_t before = weir__live_blocks();
    for (int i = 0; i < lives; i++) spend_life(subject, setting, map);
    return (double)(weir__live_blocks() - before) / lives;
}

void weir__check_leaks(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    static const weir__setting odd[] = {{.features = 0}, {.features = 1}, {.features = 2, .context = 1}};
    (void)map;
    if (!weir__live_blocks) {
        weir__skip(verdict);
        return;
    }
    const double left = left_by(subject, &subject->setting, &subject->maps[0]);
    if (left >= 0.5) weir__object(verdict, "every instance leaves %.1f blocks of memory behind", left);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        weir__setting setting = odd[i];
        setting.out = subject->setting.out ? 2 * setting.features + 1 : 0;
        const double lost = left_by(subject, &setting, NULL);
        if (lost >= 0.5)
            weir__object(verdict, "an attempt at %d features leaves %.1f blocks of memory behind",
                         setting.features, lost);
    }
}
