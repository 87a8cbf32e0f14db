/* startup.h - from the start of a process to its first log_prob out of a saved model, and the memory it then holds. */
#ifndef WEIR_BENCH_STARTUP_H
#define WEIR_BENCH_STARTUP_H

typedef struct startup {
    double
        milliseconds; /* until the first line on its standard output; the median of nine runs (of three slow ones) */
    double megabytes; /* resident, as the program itself says; 0: it says nothing */
} startup;

/** Runs the words (the last is NULL) and puts the first line of standard output into line[size]. Returns the milliseconds
 *  until it came; negative when the program fails. */
double startup_once(char *const *words, char *line, int size);

/** Runs the words (the last is NULL) again and again. Returns 0 when the program fails. */
int startup_measure(char *const *words, startup *figure);

/** What such a program does in C: opens the library, loads the model and prints "ok LOG_PROB RESIDENT_KB" for the first row
 *  of a data file; with `train` also makes one training step of up to 512 rows before it looks at its memory. Returns the
 *  exit status. */
int startup_first(const char *model, const char *data, int train);

#endif
