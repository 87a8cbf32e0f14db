/* memory.h - what training holds in memory, by depth, rows and mode. */
#ifndef WEIR_BENCH_MEMORY_H
#define WEIR_BENCH_MEMORY_H

/** Trains in a process of its own for each point (the program runs itself) and prints a line of JSON for each: resident
 *  megabytes at most, and the megabytes that one copy of the parameters takes. Returns 0 when one fails. */
int memory_series(const char *program);

/** What such a process does: trains an affine coupling flow of 64 features on one thread and prints "ok PARAMETER_KB PEAK_KB".
 *  The words are numbers: layers, rows of a batch, 1 for recompute mode. Returns the exit status. */
int memory_first(const char *layers, const char *rows, const char *recompute);

#endif
