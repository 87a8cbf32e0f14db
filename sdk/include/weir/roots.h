/* weir/roots.h - roots of increasing functions, one for each row of a lane, for maps whose inverse has no formula.
 *
 * SPDX-License-Identifier: MIT
 *
 * Newton steps inside a bracket that only shrinks: a step that would leave it, or that is not at most half of the step
 * before the last, is replaced by the middle. So any continuous increasing function is served, and smooth ones fast. A
 * row that is done stands still: its result does not depend on the other rows. A function that gives 0 for what is below
 * its own rounding saves the steps that would be taken inside of it. An infinite value tells the side, as any other does.
 */
#ifndef WEIR_ROOTS_H
#define WEIR_ROOTS_H

#include <weir/plugin.h>

#include <float.h>

/** value[i] = f_i(at[i]) and slope[i] = f_i'(at[i]) > 0 for the rows i < n; what f_i is lies behind `context`. */
typedef void (*weir_roots_function)(const void *context, weir_frame *frame, int32_t n, const weir_real *at,
                                    weir_real *value, weir_real *slope);

/** value - target; 0 where that is below the rounding of a sum of terms of size `scale` that comes to the target. */
WEIR_INLINE weir_real weir_roots_miss(weir_real value, weir_real target, weir_real scale)
{
    const weir_real half_ulp = (WEIR_REAL == 32 ? WEIR_C(FLT_EPSILON) : WEIR_C(DBL_EPSILON)) / 2;
    const weir_real miss = value - target, rounding = half_ulp * (scale + (target < 0 ? -target : target));
    return rounding - rounding == 0 && miss <= rounding && -miss <= rounding ? 0 : miss;
}

/** Evaluations after which a row is given up; bisection alone needs fewer. */
#define WEIR_ROOTS_MOST 200

/** One row's search; `last` and `before` are its two latest steps. */
WEIR_INLINE int weir_roots_step(weir_real value, weir_real slope, weir_real *low, weir_real *high,
                                weir_real *at, weir_real *last, weir_real *before)
{
    const weir_real epsilon = WEIR_REAL == 32 ? WEIR_C(FLT_EPSILON) : WEIR_C(DBL_EPSILON);
    const weir_real tiny = WEIR_REAL == 32 ? WEIR_C(FLT_MIN) : WEIR_C(DBL_MIN), from = *at;
    if (value == 0) return 1;
    if (value < 0)
        *low = from;
    else
        *high = from;
    weir_real to = from - value / slope;
    if (to == from && slope - slope == 0) return 1;
    const weir_real size = to < from ? from - to : to - from;
    if (!(to > *low && to < *high) || !(size <= *before / 2)) to = *low + (*high - *low) / 2;
    const weir_real step = to < from ? from - to : to - from, magnitude = to < 0 ? -to : to;
    *before = *last;
    *last = step;
    *at = to;
    return step <= epsilon * magnitude + tiny || !(to > *low && to < *high);
}

/** Solves f_i(at[i]) = 0 for i < n (padding rows too), given f_i(low[i]) <= 0 <= f_i(high[i]) up to rounding and a start
 *  at[i] between them. low and high are overwritten. Rows whose search meets NaN, or does not end, get NaN and are
 *  discarded. Counts evaluations and the last |f_i| in the frame's report when there is one. */
WEIR_INLINE weir_status weir_find_roots(weir_frame *frame, int32_t n, weir_roots_function f,
                                        const void *context, weir_real *low, weir_real *high, weir_real *at)
{
    const int64_t mark = frame->services->scratch_mark(frame);
    const weir_report *const report = frame->report;
    weir_real *const value = weir_take_lane(frame), *const slope = weir_take_lane(frame);
    weir_real *const last = weir_take_lane(frame), *const before = weir_take_lane(frame);
    char *const over = (char *)weir_take(frame, n > 0 ? n : 1);
    int32_t open = n, round = 0;
    if (!value || !slope || !last || !before || !over) return WEIR_ERROR;
    memset(over, 0, (size_t)n);
    for (int32_t i = 0; i < n; i++) last[i] = before[i] = high[i] - low[i];
    for (; open && round < WEIR_ROOTS_MOST; round++) {
        const int64_t inner = frame->services->scratch_mark(frame);
        f(context, frame, n, at, value, slope);
        frame->services->scratch_release(frame, inner);
        for (int32_t i = 0; i < n; i++) {
            if (over[i]) continue;
            if (report && report->iterations) report->iterations[i] += 1;
            const int finite = value[i] - value[i] == 0, number = value[i] == value[i];
            const int end = number && weir_roots_step(value[i], slope[i], &low[i], &high[i], &at[i], &last[i],
                                                      &before[i]);
            over[i] = number && (finite || !end) ? (char)end : (char)2;
            open -= over[i] != 0;
        }
    }
    if (report && report->residual) f(context, frame, n, at, value, slope);
    int32_t lost = 0;
    for (int32_t i = 0; i < n; i++) {
        const double residual = fabs((double)value[i]);
        if (report && report->residual && !(report->residual[i] >= residual)) report->residual[i] = residual;
        if (over[i] == 1) continue;
        at[i] = WEIR_C(NAN);
        if (i >= frame->rows) continue;
        weir_discard(frame, i);
        lost = 1;
    }
    frame->services->scratch_release(frame, mark);
    return lost ? WEIR_DISCARD : WEIR_OK;
}

/** Steps of a search for a bracket, each four times the last: 4^100 is further than any scale that means something. */
#define WEIR_ROOTS_GROW 100

/** One row's search from a start with f(start) < 0 (rising) or > 0; true when it is over. */
WEIR_INLINE int weir_roots_grow(int rising, weir_real value, weir_real start, weir_real *low, weir_real *high,
                                weir_real *at, weir_real *step)
{
    const weir_real seen = value == value && *at - *at == 0 ? *at : WEIR_C(NAN);
    if (!(value < 0)) *high = seen;
    if (!(value > 0)) *low = seen;
    if (rising ? !(value < 0) : !(value > 0)) {
        *at = *low + (*high - *low) / 2;
        return 1;
    }
    *at = rising ? start + *step : start - *step;
    *step *= 4;
    return 0;
}

/** Finds for every row i < n, from a start at[i], low[i] <= high[i] between which f_i changes sign, and puts at[i] between
 *  them: what weir_find_roots needs, where nothing better is known. A row that meets no change of sign, or NaN, gets NaN,
 *  which weir_find_roots discards. Counts evaluations in the frame's report. WEIR_ERROR: memory is exhausted. */
WEIR_INLINE weir_status weir_grow_brackets(weir_frame *frame, int32_t n, weir_roots_function f,
                                           const void *context, weir_real *low, weir_real *high,
                                           weir_real *at)
{
    const int64_t mark = frame->services->scratch_mark(frame);
    const weir_report *const report = frame->report;
    weir_real *const value = weir_take_lane(frame), *const slope = weir_take_lane(frame);
    weir_real *const start = weir_take_lane(frame), *const step = weir_take_lane(frame);
    char *const state = (char *)weir_take(frame, n > 0 ? n : 1); /* 0 new, 1 rising, 2 falling, 3 over */
    int32_t open = n;
    if (!value || !slope || !start || !step || !state) return WEIR_ERROR;
    memset(state, 0, (size_t)n);
    for (int32_t i = 0; i < n; i++) {
        start[i] = low[i] = high[i] = at[i];
        step[i] = 1;
    }
    for (int32_t round = 0; open && round < WEIR_ROOTS_GROW; round++) {
        const int64_t inner = frame->services->scratch_mark(frame);
        f(context, frame, n, at, value, slope);
        frame->services->scratch_release(frame, inner);
        for (int32_t i = 0; i < n; i++) {
            if (state[i] == 3) continue;
            if (report && report->iterations) report->iterations[i] += 1;
            if (state[i] == 0) state[i] = value[i] < 0 ? 1 : 2;
            if (weir_roots_grow(state[i] == 1, value[i], start[i], &low[i], &high[i], &at[i], &step[i])) {
                state[i] = 3;
                open--;
            }
        }
    }
    for (int32_t i = 0; i < n; i++)
        if (state[i] != 3) low[i] = high[i] = at[i] = WEIR_C(NAN);
    frame->services->scratch_release(frame, mark);
    return WEIR_OK;
}

#endif
