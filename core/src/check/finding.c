/* finding.c - the worst of each check, and its JSON. */
#include "check/finding.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one finding ---- */

void weir__finding_begin(weir__finding *finding, const char *name, const char *rule, double limit)
{
    memset(finding, 0, sizeof *finding);
    snprintf(finding->name, sizeof finding->name, "%s", name);
    snprintf(finding->rule, sizeof finding->rule, "%s", rule);
    finding->worst.limit = limit;
    finding->worst.figure = -1;
}

void weir__finding_take(weir__finding *finding, const weir__verdict *verdict, const char *setting)
{
    if (verdict->skipped) return;
    finding->applied++;
    if (!(verdict->figure > finding->worst.figure)) return;
    finding->worst = *verdict;
    if (verdict->note[0] && *setting)
        snprintf(finding->worst.note, sizeof finding->worst.note, "%.150s (%.80s)", verdict->note, setting);
    else if (*setting)
        snprintf(finding->worst.note, sizeof finding->worst.note, "%s", setting);
}

int weir__finding_holds(const weir__finding *finding)
{
    return finding->worst.figure <= finding->worst.limit && !finding->ending[0];
}

/* ---- all of them ---- */

static int make_room(weir__findings *report)
{
    if (report->count < report->capacity) return 1;
    const int32_t capacity = report->capacity ? 2 * report->capacity : 64;
    weir__finding *const grown = realloc(report->findings, (size_t)capacity * sizeof *grown);
    if (!grown) return 0;
    report->findings = grown;
    report->capacity = capacity;
    return 1;
}

void weir__findings_add(weir__findings *report, const weir__finding *finding)
{
    if (!finding->applied && !finding->ending[0]) return;
    if (!make_room(report)) {
        report->exhausted = 1;
        report->ok = 0;
        return;
    }
    report->findings[report->count++] = *finding;
    if (!weir__finding_holds(finding)) report->ok = 0;
}

/* JSON has no infinity: an unbounded figure is null. */
static json_t *figure_of(double figure)
{
    return isfinite(figure) ? json_real(figure) : json_null();
}

/* Text that a stranger's code may have had its hands in. */
static json_t *text_of(const char *text)
{
    json_t *const string = json_string(text);
    return string ? string : json_string("(this text is not UTF-8)");
}

static void add_ending(json_t *object, const weir__finding *finding)
{
    json_t *const stack = json_array();
    for (int32_t i = 0; i < finding->depth; i++) json_array_append_new(stack, text_of(finding->stack[i]));
    json_object_set_new(object, "ended", text_of(finding->ending));
    json_object_set_new(object, "call", *finding->call ? text_of(finding->call) : json_null());
    json_object_set_new(object, "stack", stack);
}

static json_t *finding_json(const weir__finding *finding, const char *again)
{
    const int ok = weir__finding_holds(finding);
    json_t *const object = json_pack("{s:s, s:s, s:b, s:o, s:f, s:o}", "name", finding->name, "rule",
                                     finding->rule, "ok", ok, "figure", figure_of(finding->worst.figure),
                                     "limit", finding->worst.limit, "note", text_of(finding->worst.note));
    if (!ok) json_object_set_new(object, "again", json_sprintf("%s --only %s", again, finding->name));
    if (finding->ending[0]) add_ending(object, finding);
    return object;
}

json_t *weir__findings_json(const weir__findings *report, const char *again)
{
    json_t *const list = json_array();
    for (int32_t i = 0; list && i < report->count; i++)
        json_array_append_new(list, finding_json(&report->findings[i], again));
    return list;
}

void weir__findings_clear(weir__findings *report)
{
    free(report->findings);
    memset(report, 0, sizeof *report);
}
