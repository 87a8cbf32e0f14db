/* report.c - lines for the log while plugins are sought.
 *
 * SPDX-License-Identifier: MIT
 */
#include "plugin/report.h"

#include <stdarg.h>
#include <stdio.h>

/* weir__fail makes one clean line of whatever a file name holds. */
void weir__report(const weir__reporter *reporter, int32_t level, const char *format, ...)
{
    char text[1000];
    weir_error line;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    weir__fail(&line, WEIR_OK, "%s", text);
    if (reporter->log)
        reporter->log(reporter->user, level, line.message);
    else if (level >= WEIR__WARNING)
        fprintf(stderr, "weir: %s\n", line.message);
}
