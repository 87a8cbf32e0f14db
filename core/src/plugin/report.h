/* report.h - lines for the log while plugins are sought. */
#ifndef WEIR__REPORT_H
#define WEIR__REPORT_H

#include "error.h"

#define WEIR__DEBUG   0
#define WEIR__INFO    1
#define WEIR__WARNING 2

/** log NULL: warnings go to stderr, the rest nowhere. */
typedef struct weir__reporter {
    void (*log)(void *user, int32_t level, const char *line);
    void *user;
} weir__reporter;

void weir__report(const weir__reporter *reporter, int32_t level, const char *format, ...) WEIR__FORMAT(3, 4);

#endif
