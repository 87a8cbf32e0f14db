/* report.h - findings, gathered over settings and weights: the worst of each check is what is told. */
#ifndef WEIR__REPORT_H
#define WEIR__REPORT_H

#include "check/verdict.h"

typedef struct weir__finding {
    char name[80];
    const weir__promise *promise;
    weir__verdict worst;
} weir__finding;

typedef struct weir__report {
    weir__finding *findings;
    int32_t count, capacity;
    int32_t ok;        /* every promise so far */
    int32_t exhausted; /* memory */
} weir__report;

/** Takes what a check found for a map (NULL: none) of a subject. */
void weir__report_add(weir__report *report, const weir__promise *promise, const weir__map *map,
                      const weir__subject *subject, const weir__verdict *verdict);
/** A failure before any check could run. */
void weir__report_failure(weir__report *report, const weir__promise *promise, const char *message);
/** A list of {"name", "rule", "ok", "figure", "limit", "note"}. */
json_t *weir__report_json(const weir__report *report);
void weir__report_clear(weir__report *report);

#endif
