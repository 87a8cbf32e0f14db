/* contest.c - see contest.h. The machine's speed drifts, and other programs come and go: only figures taken in turns can be
 * compared, so each round measures us, the peer and the multiply-add peak once, and what is reported are the medians of
 * the rounds' quotients. */
#include "contest.h"

#include "clock.h"
#include "limit.h"

#include <math.h>
#include <stdio.h>

typedef struct figures {
    double ours[MOST_ROUNDS], peer[MOST_ROUNDS], ratio[MOST_ROUNDS], fraction[MOST_ROUNDS];
    choice rival;
    int has_peer;
} figures;

static int run_round(const contest *c, figures *f, int round, char *message, size_t size)
{
    weir_error error = {0};
    f->ours[round] = subject_rate(c->subject, c->op, c->batch, c->seconds, &error);
    if (f->ours[round] <= 0) return snprintf(message, size, "%s", error.message), 0;
    const double peak = limit_peak(c->threads, c->seconds < 0.2 ? c->seconds / 4 : 0.05);
    f->fraction[round] = f->ours[round] * work_flops(c->subject->work, c->op) / peak;
    if (!f->has_peer) return 1;
    f->peer[round] = rivals_rate(c->rivals, &f->rival, c->op, c->batch, c->seconds, message, size);
    if (f->peer[round] <= 0) return 0;
    f->ratio[round] = f->ours[round] / f->peer[round];
    return 1;
}

static void print_number(const char *key, double value)
{
    if (value > 0 && value < HUGE_VAL)
        printf(",\"%s\":%.6g", key, value);
    else
        printf(",\"%s\":null", key);
}

/* The ratios are sorted by the median: the least and the greatest lie at the ends. */
static void print_case(const contest *c, figures *f)
{
    const double ours = clock_median(f->ours, c->rounds), fraction = clock_median(f->fraction, c->rounds);
    const double theirs = f->has_peer ? clock_median(f->peer, c->rounds) : 0;
    const double ratio = f->has_peer ? clock_median(f->ratio, c->rounds) : 0;
    printf("{\"kind\":\"case\",\"work\":\"%s\",\"op\":\"%s\",\"batch\":%lld,\"threads\":%d",
           c->subject->work->id, operation_names[c->op], (long long)c->batch, c->threads);
    print_number("ours", ours);
    print_number("peer", theirs);
    print_number("ratio", ratio);
    print_number("ratio_min", f->has_peer ? f->ratio[0] : 0);
    print_number("ratio_max", f->has_peer ? f->ratio[c->rounds - 1] : 0);
    print_number("peak_fraction", fraction);
    print_number("gemm_fraction", c->gemm_ceiling > 0 ? fraction / c->gemm_ceiling : 0);
    if (f->has_peer) {
        printf(",\"peer_variant\":\"%s\",\"peer_blas\":\"%s\",\"peer_threads\":%d", f->rival.variant,
               f->rival.rival->blas, f->rival.rival->setup.threads);
        print_number("peer_by_passes", f->rival.usual);
    }
    puts("}");
    fflush(stdout);
}

int contest_run(const contest *c, char *message, size_t size)
{
    figures f = {0};
    weir_error error = {0};
    *message = 0;
    if (c->rivals) {
        f.has_peer =
            rivals_choose(c->rivals, c->op, c->batch, c->threads, c->seconds / 2, &f.rival, message, size);
        if (!f.has_peer && *message) return 0;
    }
    if (subject_rate(c->subject, c->op, c->batch, c->seconds / 10, &error) <=
        0) /* warms caches, memory and threads */
        return snprintf(message, size, "%s", error.message), 0;
    for (int round = 0; round < c->rounds; round++) {
        if (!run_round(c, &f, round, message, size)) return 0;
    }
    print_case(c, &f);
    return 1;
}
