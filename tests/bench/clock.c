/* clock.c - see clock.h. */
#include "clock.h"

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static clockid_t which = CLOCK_MONOTONIC;

void clock_by_processor(int on)
{
    which = on ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
}

double clock_now(void)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The clock is read after every group of calls. Groups grow until one takes a hundredth of the time. */
double clock_rate(int (*once)(void *user), void *user, double seconds)
{
    const double start = clock_now();
    double now = start;
    int64_t calls = 0, group = 1;
    do {
        const double before = now;
        for (int64_t i = 0; i < group; i++) {
            if (once(user)) return -1;
        }
        calls += group;
        now = clock_now();
        if (now - before < 0.01 * seconds) group *= 2;
    } while (now - start < seconds);
    return (double)calls / (now - start);
}

static int compare(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double clock_median(double *figures, int count)
{
    qsort(figures, (size_t)count, sizeof *figures, compare);
    return count % 2 ? figures[count / 2] : (figures[count / 2 - 1] + figures[count / 2]) / 2;
}
