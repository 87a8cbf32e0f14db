/* watch.h - a module under glass: a copy of its descriptor whose calls say that they run, and what they did besides.
 *
 * One for the process, which is why it is used in processes that check nothing else. The calls behave as the module's own.
 */
#ifndef WEIR__WATCH_H
#define WEIR__WATCH_H

#include "plugin/registry.h"

/** The entry with both of its descriptors replaced; lives as long as the process. */
const weir__entry *weir__watch(const weir__entry *entry);
/** True when the modules of this process are watched. */
int weir__watching(void);

/** How many allocations this thread has made since it was started; NULL: nobody counts. Set by whoever can count. */
extern int64_t (*weir__allocations)(void);
/** Blocks that are allocated now, by all threads; NULL: nobody counts. */
extern int64_t (*weir__live_blocks)(void);
/** Allocations made within calls of the watched module on this thread since the last question, and in which call. */
int64_t weir__watch_allocated(const char **call);
/** What of the floating-point control state a call left changed ("flush-to-zero"), and which; NULL: nothing. It was put
 *  back. Asking forgets. */
const char *weir__watch_disturbance(const char **call);

#endif
