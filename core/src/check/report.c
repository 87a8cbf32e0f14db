/* report.c - the worst of each check, and its JSON. */
#include "check/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int holds(const weir__verdict *verdict)
{
    return verdict->figure <= verdict->limit;
}

static weir__finding *find(weir__report *report, const char *name)
{
    for (int32_t i = 0; i < report->count; i++)
        if (strcmp(report->findings[i].name, name) == 0) return &report->findings[i];
    return NULL;
}

static weir__finding *append(weir__report *report, const char *name, const weir__promise *promise)
{
    if (report->count == report->capacity) {
        const int32_t capacity = report->capacity ? 2 * report->capacity : 64;
        weir__finding *const grown = realloc(report->findings, (size_t)capacity * sizeof *grown);
        if (!grown) {
            report->exhausted = 1;
            report->ok = 0;
            return NULL;
        }
        report->findings = grown;
        report->capacity = capacity;
    }
    weir__finding *const finding = &report->findings[report->count++];
    memset(finding, 0, sizeof *finding);
    snprintf(finding->name, sizeof finding->name, "%s", name);
    finding->promise = promise;
    finding->worst.figure = -1;
    return finding;
}

/* What somebody needs to see it again. */
static void describe(const weir__subject *subject, char *text, size_t size)
{
    const weir__setting *const s = &subject->setting;
    const char *const weights = subject->weights == WEIR__TRAINED ? "trained" : "initial";
    int length = snprintf(text, size, "features %d, context %d, %s weights, seed %llu", s->features,
                          s->context, weights, (unsigned long long)subject->candidate->seed);
    if (length > 0 && (size_t)length < size && subject->child->kind == WEIR_NETWORK)
        snprintf(text + length, size - (size_t)length, ", out %d, autoregressive %d", s->out,
                 s->autoregressive);
}

static void keep(weir__finding *finding, const weir__subject *subject, const weir__verdict *verdict)
{
    char where[120];
    finding->worst = *verdict;
    describe(subject, where, sizeof where);
    if (verdict->note[0])
        snprintf(finding->worst.note, sizeof finding->worst.note, "%.110s (%s)", verdict->note, where);
    else
        snprintf(finding->worst.note, sizeof finding->worst.note, "%s", where);
}

void weir__report_add(weir__report *report, const weir__promise *promise, const weir__map *map,
                      const weir__subject *subject, const weir__verdict *verdict)
{
    char name[80];
    if (verdict->skipped) return;
    snprintf(name, sizeof name, "%s%s%s", map ? map->name : "", map ? "." : "", promise->name);
    weir__finding *finding = find(report, name);
    if (!finding) finding = append(report, name, promise);
    if (!finding) return;
    if (!holds(verdict)) report->ok = 0;
    if (verdict->figure > finding->worst.figure) keep(finding, subject, verdict);
}

void weir__report_failure(weir__report *report, const weir__promise *promise, const char *message)
{
    weir__finding *const finding = append(report, promise->name, promise);
    report->ok = 0;
    if (!finding) return;
    finding->worst.figure = INFINITY;
    finding->worst.limit = promise->limit;
    snprintf(finding->worst.note, sizeof finding->worst.note, "%.230s", message);
}

/* JSON has no infinity: an unbounded figure is null. */
static json_t *figure_of(double figure)
{
    return isfinite(figure) ? json_real(figure) : json_null();
}

static json_t *finding_json(const weir__finding *finding)
{
    json_t *const note = json_string(finding->worst.note);
    return json_pack("{s:s, s:s, s:b, s:o, s:f, s:o}", "name", finding->name, "rule", finding->promise->rule,
                     "ok", holds(&finding->worst), "figure", figure_of(finding->worst.figure), "limit",
                     finding->worst.limit, "note", note ? note : json_string("(the note is not UTF-8)"));
}

json_t *weir__report_json(const weir__report *report)
{
    json_t *const list = json_array();
    for (int32_t i = 0; list && i < report->count; i++)
        json_array_append_new(list, finding_json(&report->findings[i]));
    return list;
}

void weir__report_clear(weir__report *report)
{
    free(report->findings);
    memset(report, 0, sizeof *report);
}
