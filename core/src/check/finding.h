/* finding.h - findings: the worst of each check over settings and weights is what is told. */
#ifndef WEIR__FINDING_H
#define WEIR__FINDING_H

#include "check/scene.h"
#include "check/verdict.h"

#define WEIR__FRAME_TEXT 240

typedef struct weir__finding {
    char name[80];
    char rule[8];    /* row of sdk/ABI.md */
    int32_t applied; /* how often the check had something to say */
    weir__verdict worst;
    /* A test that did not come to its end: how, in which of the module's calls, and where. */
    char ending[200];
    char call[40];
    int32_t depth;
    char stack[WEIR__STACK_MOST][WEIR__FRAME_TEXT];
} weir__finding;

typedef struct weir__findings {
    weir__finding *findings;
    int32_t count, capacity;
    int32_t ok;        /* every promise so far */
    int32_t exhausted; /* memory */
} weir__findings;

void weir__finding_begin(weir__finding *finding, const char *name, const char *rule, double limit);
/** Takes what a check found in a setting. */
void weir__finding_take(weir__finding *finding, const weir__verdict *verdict, const char *setting);
int weir__finding_holds(const weir__finding *finding);

/** Leaves out what had nothing to say. */
void weir__findings_add(weir__findings *report, const weir__finding *finding);
/** A list of {"name", "rule", "ok", "figure", "limit", "note"}, and "again" where it is not ok: `again`, the command that
 *  repeats the check but for its name, and that; and "ended", "call" and "stack" where its process came to an end. */
json_t *weir__findings_json(const weir__findings *report, const char *again);
void weir__findings_clear(weir__findings *report);

#endif
