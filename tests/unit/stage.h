/* stage.h - one model of one layer on one thread, whose tensors a test sets by name.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TEST_STAGE_H
#define WEIR_TEST_STAGE_H

#include "models.h"

typedef struct stage {
    weir_runtime *rt;
    weir_model *m;
} stage;

static inline stage open_stage(const char *json)
{
    stage s = {.rt = open_weir(1)};
    s.m = must_build(s.rt, json);
    return s;
}

static inline void close_stage(stage s)
{
    weir_model_close(s.m);
    weir_close(s.rt);
}

static inline void put(stage s, const char *name, const double *values, int64_t count)
{
    char full[100];
    snprintf(full, sizeof full, "flow.%s", name);
    const int64_t t = weir_tensor_find(s.m, full);
    cr_assert_geq(t, 0, "no tensor %s", full);
    MUST(weir_tensor_write(s.m, t, values, count, &error));
}

static inline void put_one(stage s, const char *name, double value)
{
    put(s, name, &value, 1);
}

/** Copies a tensor; how many numbers it holds. */
static inline int64_t get(stage s, const char *name, double *values, int64_t most)
{
    char full[100];
    snprintf(full, sizeof full, "flow.%s", name);
    weir_tensor_info info = {.struct_size = (uint32_t)sizeof info};
    const int64_t t = weir_tensor_find(s.m, full);
    cr_assert_geq(t, 0, "no tensor %s", full);
    MUST(weir_tensor_at(s.m, t, &info, &error));
    cr_assert_leq(info.count, most, "%s has %lld numbers", full, (long long)info.count);
    MUST(weir_tensor_read(s.m, t, values, info.count, &error));
    return info.count;
}

static inline void expect_no_build(const char *json, const char *wanted)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *m = NULL;
    weir_error e = {0};
    cr_assert_eq(weir_model_build(rt, json, -1, &m, &e), WEIR_INVALID, "accepted: %s", json);
    cr_assert(strstr(e.message, wanted), "\"%s\" instead of \"%s\"", e.message, wanted);
    weir_close(rt);
}

#endif
