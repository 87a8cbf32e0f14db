/* company.c - a module is not alone: other instances of it and other threads run at the same time, and change nothing. */
#include "check/checks.h"
#include "check/open.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROWS        16
#define LEAST_TURNS 4
#define BRIEF       1 /* milliseconds that two threads run beside each other */
#define LONG        4 /* the same at full level */

static const weir__manner plain = {.tape = 0};
static const weir__manner taped = {.tape = 1, .gradients = 1};

/* The call, and its VJP where there is one, with raw gradients: what prepare_vjp makes of them is one thread's affair. */
static weir_status run_once(weir__subject *subject, const weir__map *map, weir__call *call)
{
    weir__solo_zero_gradients(subject->solo);
    weir_frame *const frame = weir__call_frame(subject, call, map->vjp ? &taped : &plain);
    if (!frame) return WEIR_ERROR;
    const weir_status status = weir__call_run(subject, map, call, frame);
    return status == WEIR_OK && map->vjp ? weir__call_vjp(subject, map, call, frame) : status;
}

static int same_bits(const weir__map *map, const weir__call *a, const weir__call *b)
{
    for (int32_t k = WEIR__Y; k <= WEIR__CONTEXT_BAR; k++) {
        const int result = k == WEIR__Y || k == WEIR__LANE || (map->vjp && k >= WEIR__X_BAR);
        if (result && !weir__field_equal(&a->field[k], &b->field[k])) return 0;
    }
    return 1;
}

/* ---- two threads ---- */

/* One thread's part: the same call over and over, which must give what it gave in quiet. */
typedef struct part {
    weir__subject subject; /* shares its instance with the other part's */
    const weir__map *map;
    weir__call *call, *quiet;
    double *alone, *now; /* gradients */
    pthread_barrier_t *start;
    int64_t milliseconds;
    weir_status status;
    int differs;
} part;

static int64_t milliseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int same_gradients(const part *p)
{
    return memcmp(p->now, p->alone, (size_t)p->subject.parameters * sizeof *p->now) == 0;
}

static void *run_part(void *user)
{
    part *const p = user;
    pthread_barrier_wait(p->start);
    const int64_t end = milliseconds_now() + p->milliseconds;
    for (int turn = 0; turn < LEAST_TURNS || milliseconds_now() < end; turn++) {
        p->status = run_once(&p->subject, p->map, p->call);
        if (p->status != WEIR_OK) break;
        weir__gradient_read(&p->subject, p->now);
        p->differs |= !same_bits(p->map, p->call, p->quiet) || !same_gradients(p);
    }
    return NULL;
}

/* Points, and what they give while nothing else runs. */
static int begin_part(part *p, weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    const size_t bytes = ((size_t)subject->parameters + 1) * sizeof(double);
    p->map = map;
    p->milliseconds = subject->candidate->full ? LONG : BRIEF;
    p->quiet = weir__call_new(subject, map, ROWS);
    p->call = p->quiet ? weir__call_like(subject, map, p->quiet, WEIR__PLAIN) : NULL;
    p->alone = calloc(1, bytes);
    p->now = calloc(1, bytes);
    if (!weir__have(verdict, p->quiet, p->call, p->alone, p->now)) return 0;
    if (!weir__served(verdict, subject, run_once(subject, map, p->quiet), map->name)) return 0;
    weir__gradient_read(subject, p->alone);
    p->subject = *subject;
    return 1;
}

static void run_both(part *a, part *b, weir__verdict *verdict)
{
    pthread_barrier_t start;
    pthread_t other;
    pthread_barrier_init(&start, NULL, 2);
    a->start = b->start = &start;
    if (pthread_create(&other, NULL, run_part, b) != 0) {
        weir__object(verdict, "no second thread can be started");
    } else {
        run_part(a);
        pthread_join(other, NULL);
    }
    pthread_barrier_destroy(&start);
    a->start = b->start = NULL;
}

void weir__check_two_threads(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    part a = {.map = NULL}, b = {.map = NULL};
    weir__solo *shared = NULL;
    if (weir__solo_share(subject->solo, &shared, NULL) != WEIR_OK) {
        weir__object(verdict, "out of memory");
        return;
    }
    if (begin_part(&a, subject, map, verdict) && begin_part(&b, subject, map, verdict)) {
        b.subject.solo = shared;
        run_both(&a, &b, verdict);
        if (a.differs || b.differs)
            weir__object(verdict, "two threads that call %s of one instance get other bits than one",
                         map->name);
        else if (weir__served(verdict, subject, a.status, map->name))
            weir__served(verdict, &b.subject, b.status, map->name);
    }
    free(a.alone);
    free(a.now);
    free(b.alone);
    free(b.now);
    weir__solo_close(shared);
}

/* ---- two instances ---- */

/* An instance with the other weights: the trained ones beside the initial ones, or the other way round. */
static int open_other(weir__subject *other, const weir__subject *subject, weir__verdict *verdict)
{
    weir__subject like = *subject;
    like.weights = subject->weights == WEIR__TRAINED ? WEIR__INITIAL : WEIR__TRAINED;
    return weir__open_again(other, &like, verdict);
}

static weir_status run_between(weir__subject *subject, const weir__map *map, weir__call *call,
                               weir__subject *other, const weir__map *other_map, weir__call *other_call)
{
    weir__solo_zero_gradients(subject->solo);
    weir_frame *const frame = weir__call_frame(subject, call, map->vjp ? &taped : &plain);
    weir_status status = frame ? weir__call_run(subject, map, call, frame) : WEIR_ERROR;
    if (status == WEIR_OK) status = run_once(other, other_map, other_call);
    return status == WEIR_OK && map->vjp ? weir__call_vjp(subject, map, call, frame) : status;
}

static void disturb(weir__subject *subject, const weir__map *map, part *quiet, weir__subject *other,
                    weir__verdict *verdict)
{
    const weir__map *const other_map = weir__subject_map(other, map->name);
    weir__call *const other_call = other_map ? weir__call_new(other, other_map, ROWS) : NULL;
    if (!weir__have(verdict, other_call)) return;
    const weir_status status = run_between(subject, map, quiet->call, other, other_map, other_call);
    if (!weir__served(verdict, subject, status, map->name)) return;
    weir__gradient_read(subject, quiet->now);
    if (!same_bits(map, quiet->call, quiet->quiet) || !same_gradients(quiet))
        weir__object(verdict, "another instance, made and run in between, changes what %s gives", map->name);
}

void weir__check_interleaved(weir__subject *subject, const weir__map *map, weir__verdict *verdict)
{
    part quiet = {.map = NULL};
    weir__subject other;
    if (begin_part(&quiet, subject, map, verdict) && open_other(&other, subject, verdict)) {
        disturb(subject, map, &quiet, &other, verdict);
        weir__subject_close(&other);
        if (run_once(subject, map, quiet.call) != WEIR_OK || !same_bits(map, quiet.call, quiet.quiet))
            weir__object(verdict, "destroying another instance changes what %s gives", map->name);
    }
    free(quiet.alone);
    free(quiet.now);
}
