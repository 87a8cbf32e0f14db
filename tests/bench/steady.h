/* steady.h - one operation on one workload for some seconds, and nothing else: for a profiler (profile.sh). */
#ifndef WEIR_BENCH_STEADY_H
#define WEIR_BENCH_STEADY_H

/** `words`: work, operation, batch, seconds. Runs it on one thread and prints samples a second; 0, or the exit status after a
 *  line on stderr. */
int steady_run(char *const *words);

#endif
