/* root.c - see root.h.
 *
 * Search: from a start x0 with residual r0 = f(x0) - t, steps of growing length towards the side where |r| falls, up to
 * the largest finite number; a flat or wrong side turns it round. Shrink: the secant of the bracket with the Illinois
 * weights (the end that stays twice counts half; Dowell and Jarratt 1971), replaced by a middle whenever three steps have
 * not halved the bracket, and every other time while that spans many octaves. After LONG evaluations that is the middle of the representable numbers in it, which bounds the
 * rest by four times the bits of a number, for any function. The end is a pair of neighbours, unless f hits the target
 * exactly. */
#include "supply/root.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define EVALUATIONS_MOST 400
#define LONG             60

/* ---- representable numbers, counted ------------------------------------------------------------------------------ */

/* Order-preserving integers: neighbours differ by 1, -0 and 0 are the same. */
static int64_t rank(const weir__root *s, double x)
{
    int64_t wide;
    int32_t single;
    const float f = (float)x;
    if (s->narrow) {
        memcpy(&single, &f, sizeof single);
        return single < 0 ? (int64_t)INT32_MIN - single : single;
    }
    memcpy(&wide, &x, sizeof wide);
    return wide < 0 ? INT64_MIN - wide : wide;
}

static double ranked(const weir__root *s, int64_t k)
{
    double x;
    float f;
    if (s->narrow) {
        const int32_t single = (int32_t)(k < 0 ? (int64_t)INT32_MIN - k : k);
        memcpy(&f, &single, sizeof f);
        return (double)f;
    }
    const int64_t wide = k < 0 ? INT64_MIN - k : k;
    memcpy(&x, &wide, sizeof x);
    return x;
}

static double largest(const weir__root *s)
{
    return s->narrow ? (double)FLT_MAX : DBL_MAX;
}

static double rounded(const weir__root *s, double x)
{
    if (x > largest(s)) return largest(s);
    if (x < -largest(s)) return -largest(s);
    return s->narrow ? (double)(float)x : x;
}

/* Both ends may have any sign, so their distance needs the 64th bit. */
static uint64_t between(const weir__root *s, double a, double b)
{
    return (uint64_t)rank(s, b) - (uint64_t)rank(s, a);
}

static double halfway(const weir__root *s, double a, double b)
{
    return ranked(s, (int64_t)((uint64_t)rank(s, a) + between(s, a, b) / 2));
}

/* ---- search -------------------------------------------------------------------------------------------------------- */

static void found(weir__root *s, double x, double residual)
{
    s->x = x;
    s->at_low = residual;
    s->phase = WEIR__ROOT_FOUND;
}

static void lost(weir__root *s)
{
    s->x = (double)NAN;
    s->phase = WEIR__ROOT_NOWHERE;
}

static double inside(double lower, double upper)
{
    if (isfinite(lower) && isfinite(upper)) return lower / 2 + upper / 2;
    if (isfinite(lower)) return lower + (1 + fabs(lower));
    return isfinite(upper) ? upper - (1 + fabs(upper)) : 0;
}

void weir__root_start(weir__root *s, double target, double lower, double upper, int32_t narrow)
{
    *s = (weir__root){.target = target, .narrow = narrow, .forbidden = {-INFINITY, INFINITY}};
    if (isfinite(lower)) s->forbidden[0] = ranked(s, rank(s, lower) - 1);
    if (isfinite(upper)) s->forbidden[1] = ranked(s, rank(s, upper) + 1);
    s->amid = rounded(s, inside(lower, upper));
    s->x = target > lower && target < upper ? rounded(s, target) : s->amid;
    if (!isfinite(target)) lost(s);
}

/* The next point of the walk; halfway to a point where f was not a number. */
static void walk(weir__root *s)
{
    const double limit = s->forbidden[s->side > 0];
    double x = rounded(s, s->low + s->side * s->step);
    if (s->side > 0 ? x >= limit : x <= limit)
        x = s->side > 0 ? halfway(s, s->low, limit) : halfway(s, limit, s->low);
    if (x == s->low) {
        lost(s);
        return;
    }
    s->x = x;
    if (s->tried) s->step *= s->tried < 6 || s->step < 1 ? 3 : s->step < 1e150 ? s->step : 1e150;
    if (!(s->step <= largest(s))) s->step = largest(s);
    s->tried++;
}

/* The first step: as far as a slope of 1 leads, and as far again. */
static void begin_walk(weir__root *s, double residual)
{
    const double least = 16 * (s->narrow ? (double)FLT_EPSILON : DBL_EPSILON) * (1 + fabs(s->x));
    s->low = s->x;
    s->at_low = residual;
    s->side = residual > 0 ? -1 : 1;
    s->step = isfinite(residual) ? 2 * fabs(residual) : 1;
    if (s->step < least) s->step = least;
    s->phase = WEIR__ROOT_SEARCH;
    walk(s);
}

/* Farther away, or flat: the other side is tried, with steps that go on growing, until both are at their ends. */
static void search(weir__root *s, double residual)
{
    if (isnan(residual)) {
        s->forbidden[s->side > 0] = s->x;
    } else if (fabs(residual) < fabs(s->at_low)) {
        s->low = s->x;
        s->at_low = residual;
        s->held = 0;
    } else {
        s->side = -s->side;
        s->held += fabs(s->x) >= largest(s);
    }
    if (s->held > 2)
        lost(s);
    else
        walk(s);
}

/* ---- shrink -------------------------------------------------------------------------------------------------------- */

/* Over more than four octaves the geometric mean halves what matters, and zero counts as far below the other end, or as
 * 1 where the bracket holds it. */
static int is_wide(const weir__root *s, double *far, double *close)
{
    const double a = fabs(s->low), b = fabs(s->high);
    const int signs = s->low < 0 && s->high > 0;
    *far = a > b ? s->low : s->high;
    *close = fmax(fmin(a, b), signs ? 1 : fmax(a, b) * 0x1p-32);
    return fabs(*far) > 16 * *close;
}

static double middle(const weir__root *s)
{
    double far, close;
    const int wide = is_wide(s, &far, &close);
    const double geometric = copysign(sqrt(fabs(far)) * sqrt(close), far);
    const double x = rounded(s, wide ? geometric : s->low / 2 + s->high / 2);
    return s->evaluations < LONG && x > s->low && x < s->high ? x : halfway(s, s->low, s->high);
}

/* The secant's root, at least `held` numbers away from either end: an end that is already the root's neighbour would
 * otherwise be asked for again and again. */
static double secant(const weir__root *s, uint64_t count)
{
    const double x = s->high - s->weight_high * ((s->high - s->low) / (s->weight_high - s->weight_low));
    const uint64_t margin = UINT64_C(1) << (s->held < 20 ? s->held : 20);
    if (!isfinite(x) || count <= 2 * margin) return middle(s);
    const int64_t first = (int64_t)((uint64_t)rank(s, s->low) + margin);
    const int64_t last = (int64_t)((uint64_t)rank(s, s->high) - margin);
    if (!(x > s->low)) return ranked(s, first);
    if (!(x < s->high)) return ranked(s, last);
    const int64_t at = rank(s, rounded(s, x));
    return ranked(s, at < first ? first : at > last ? last : at);
}

static void shrink_further(weir__root *s)
{
    const uint64_t count = between(s, s->low, s->high);
    if (count <= 1) {
        const int low = fabs(s->at_low) <= fabs(s->at_high);
        found(s, low ? s->low : s->high, low ? s->at_low : s->at_high);
        return;
    }
    const double width = s->high / 2 - s->low / 2;
    s->slow = width > s->before / 2 ? s->slow + 1 : 0;
    s->before = width;
    double far, close;
    const int coarse = is_wide(s, &far, &close) && s->evaluations % 2;
    if (s->slow >= 3 || coarse || !isfinite(s->weight_low) || !isfinite(s->weight_high)) {
        s->slow = 0;
        s->x = middle(s);
    } else {
        s->x = secant(s, count);
    }
}

static void begin_shrinking(weir__root *s, double residual)
{
    const double a = s->low, at_a = s->at_low;
    const int ahead = s->x > a;
    s->low = ahead ? a : s->x;
    s->high = ahead ? s->x : a;
    s->at_low = s->weight_low = ahead ? at_a : residual;
    s->at_high = s->weight_high = ahead ? residual : at_a;
    s->before = INFINITY;
    s->side = s->held = s->slow = 0;
    s->phase = WEIR__ROOT_SHRINK;
    shrink_further(s);
}

static void shrink(weir__root *s, double residual)
{
    const int side = (residual > 0) == (s->at_low > 0) ? -1 : 1;
    s->held = side == s->side ? s->held + 1 : 0;
    if (side < 0) {
        s->low = s->x;
        s->at_low = s->weight_low = residual;
        if (s->held) s->weight_high /= 2;
    } else {
        s->high = s->x;
        s->at_high = s->weight_high = residual;
        if (s->held) s->weight_low /= 2;
    }
    s->side = side;
    shrink_further(s);
}

/* ---- what the caller sees --------------------------------------------------------------------------------------------- */

void weir__root_tell(weir__root *s, double value)
{
    const double residual = value - s->target;
    if (weir__root_is_over(s)) return;
    if (residual == 0) {
        found(s, s->x, 0);
    } else if (++s->evaluations > EVALUATIONS_MOST) {
        lost(s);
    } else if (s->phase == WEIR__ROOT_START && isnan(residual)) {
        s->phase = WEIR__ROOT_AGAIN;
        s->x = s->amid;
    } else if (s->phase == WEIR__ROOT_SEARCH) {
        const int crossed = !isnan(residual) && (residual > 0) != (s->at_low > 0);
        (crossed ? begin_shrinking : search)(s, residual);
    } else if (isnan(residual)) {
        lost(s);
    } else {
        (s->phase == WEIR__ROOT_SHRINK ? shrink : begin_walk)(s, residual);
    }
}

int weir__root_is_over(const weir__root *s)
{
    return s->phase >= WEIR__ROOT_FOUND;
}

double weir__root_residual(const weir__root *s)
{
    return s->phase == WEIR__ROOT_FOUND ? fabs(s->at_low) : INFINITY;
}
