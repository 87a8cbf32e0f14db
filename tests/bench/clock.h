/* clock.h - how often a second something can be done. */
#ifndef WEIR_BENCH_CLOCK_H
#define WEIR_BENCH_CLOCK_H

/** Seconds that only grow. */
double clock_now(void);

/** From now on clock_now counts what the calling thread has used of a processor (1), or what has passed (0, as at first). */
void clock_by_processor(int on);

/** Calls a second of once(user), measured over `seconds` or one call, whichever takes longer. Reading the clock costs below
 *  one percent of it. Negative when a call did not return 0: the measurement ends there. */
double clock_rate(int (*once)(void *user), void *user, double seconds);

/** The middle one of `count` figures, which are sorted for it. */
double clock_median(double *figures, int count);

#endif
