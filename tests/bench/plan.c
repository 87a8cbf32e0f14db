/* plan.c - see plan.h. */
#include "plan.h"

#include "contest.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The next item of "a,b,c"; its length in *length, 0 at the end. */
static const char *next_item(const char **list, size_t *length)
{
    const char *const item = *list;
    *length = strcspn(item, ",");
    *list = item + *length + (item[*length] == ',');
    return item;
}

static int read_whole(const char *item, size_t length, long most, long *value)
{
    char *end = NULL;
    *value = strtol(item, &end, 10);
    return end == item + length && *value >= 1 && *value <= most;
}

static int find_operation(const char *item, size_t length)
{
    for (int op = 0; op < OPERATIONS; op++) {
        if (strlen(operation_names[op]) == length && memcmp(operation_names[op], item, length) == 0)
            return op;
    }
    return -1;
}

static int read_works(plan *p, const char *list)
{
    size_t length;
    p->work_count = 0;
    for (const char *item = next_item(&list, &length); length > 0; item = next_item(&list, &length)) {
        const work *const w = work_find(item, length);
        if (!w || p->work_count == WORKS) return 0;
        p->works[p->work_count++] = w;
    }
    return p->work_count > 0;
}

static int read_operations(plan *p, const char *list)
{
    size_t length;
    p->op_count = 0;
    for (const char *item = next_item(&list, &length); length > 0; item = next_item(&list, &length)) {
        const int op = find_operation(item, length);
        if (op < 0 || p->op_count == OPERATIONS) return 0;
        p->ops[p->op_count++] = (operation)op;
    }
    return p->op_count > 0;
}

static int read_batches(plan *p, const char *list)
{
    size_t length;
    p->batch_count = 0;
    p->batches_given = 1;
    for (const char *item = next_item(&list, &length); length > 0; item = next_item(&list, &length)) {
        long value;
        if (p->batch_count == PLAN_MOST || !read_whole(item, length, POOL_ROWS, &value)) return 0;
        p->batches[p->batch_count++] = value;
    }
    return p->batch_count > 0;
}

static int read_threads(plan *p, const char *list)
{
    size_t length;
    p->thread_count = 0;
    for (const char *item = next_item(&list, &length); length > 0; item = next_item(&list, &length)) {
        long value;
        if (p->thread_count == PLAN_MOST || !read_whole(item, length, 64, &value)) return 0;
        p->threads[p->thread_count++] = (int)value;
    }
    return p->thread_count > 0;
}

static int read_only(plan *p, const char *list)
{
    p->cases = strstr(list, "cases") != NULL;
    p->limits = strstr(list, "limits") != NULL;
    p->startup = strstr(list, "startup") != NULL;
    p->accuracy = strstr(list, "accuracy") != NULL;
    p->model = strstr(list, "model") != NULL;
    p->memory = strstr(list, "memory") != NULL;
    return p->cases || p->limits || p->startup || p->accuracy || p->model || p->memory;
}

static int read_number(const char *text, double low, double high, double *value)
{
    char *end = NULL;
    *value = strtod(text, &end);
    return end != text && *end == 0 && *value >= low && *value <= high;
}

int plan_read(plan *p, const char *name, const char *value)
{
    double number = 0;
    if (strcmp(name, "--work") == 0) return read_works(p, value);
    if (strcmp(name, "--op") == 0) return read_operations(p, value);
    if (strcmp(name, "--batch") == 0) return read_batches(p, value);
    if (strcmp(name, "--threads") == 0) return read_threads(p, value);
    if (strcmp(name, "--only") == 0) return read_only(p, value);
    if (strcmp(name, "--seconds") == 0) return read_number(value, 0.0001, 3600, &p->seconds);
    if (strcmp(name, "--rounds") == 0) {
        const int fine = read_number(value, 1, MOST_ROUNDS, &number);
        p->rounds = (int)number;
        return fine;
    }
    if (strcmp(name, "--peer") == 0) return (p->peer = value) != NULL;
    if (strcmp(name, "--python") == 0) return (p->python = value) != NULL;
    return 0;
}

void plan_default(plan *p)
{
    *p = (plan){.ops = {TRAIN, LOG_PROB, SAMPLE},
                .op_count = OPERATIONS,
                .work_count = WORKS,
                .batches = {1, 100, 512, 4096},
                .batch_count = 4,
                .threads = {1, 2},
                .thread_count = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 2 : 1,
                .rounds = 5,
                .seconds = 0.3,
                .cases = 1,
                .limits = 1,
                .startup = 1,
                .accuracy = 1,
                .python = "/usr/bin/python3"};
    for (int i = 0; i < WORKS; i++) p->works[i] = &works[i];
}

int plan_has(const plan *p, operation op, int64_t batch, int threads)
{
    return p->cases && (batch > 1 || p->batches_given || (op != TRAIN && threads == 1));
}

int plan_cases(const plan *p)
{
    int count = 0;
    for (int t = 0; t < p->thread_count; t++) {
        for (int o = 0; o < p->op_count; o++) {
            for (int b = 0; b < p->batch_count; b++)
                count += plan_has(p, p->ops[o], p->batches[b], p->threads[t]);
        }
    }
    return count * p->work_count;
}

int plan_most_threads(const plan *p)
{
    int most = 1;
    for (int i = 0; i < p->thread_count; i++) most = p->threads[i] > most ? p->threads[i] : most;
    return most;
}

int64_t plan_largest_batch(const plan *p)
{
    int64_t most = 1;
    for (int i = 0; i < p->batch_count; i++) most = p->batches[i] > most ? p->batches[i] : most;
    return most;
}
