/* surroundings.h - what a plugin shares with all of its process, and must leave alone. */
#ifndef WEIR__SURROUNDINGS_H
#define WEIR__SURROUNDINGS_H

#include "check/verdict.h"

/** Threads, open files, signal handlers and mask, locale, working directory, umask, environment, timers, floating-point
 *  control. */
typedef struct weir__surroundings weir__surroundings;

/** NULL when memory is exhausted. Meaningful only while nobody but the plugin changes them: in a process of its own. */
weir__surroundings *weir__surroundings_now(void);
/** Objects, naming everything that differs. */
void weir__surroundings_compare(const weir__surroundings *before, const weir__surroundings *after,
                                weir__verdict *verdict);
void weir__surroundings_free(weir__surroundings *surroundings);

#endif
