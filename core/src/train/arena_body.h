/* arena_body.h - the passes in one precision; included by arena_*.c for each. Needs REAL, ROOT and NAME(f). */

#ifndef PARTIAL_SUMS
/* So many that additions need not wait for each other with the widest vectors. */
#define PARTIAL_SUMS 32
#endif

static WEIR__ARENA_ADD(NAME(add))
{
    REAL *const restrict to = into;
    const REAL *const restrict addend = from;
    for (int64_t i = 0; i < n; i++) to[i] += addend[i];
}

static WEIR__ARENA_DRAIN(NAME(drain))
{
    REAL *const restrict to = into, *const restrict addend = from;
    for (int64_t i = 0; i < n; i++) {
        to[i] += addend[i];
        addend[i] = 0;
    }
}

static WEIR__ARENA_SQUARES(NAME(squares))
{
    REAL *const restrict to = g;
    const REAL by = (REAL)scale;
    double sums[PARTIAL_SUMS] = {0};
    int64_t i = 0;
    if (by != 1)
        for (int64_t k = 0; k < n; k++) to[k] *= by;
    for (; i + PARTIAL_SUMS <= n; i += PARTIAL_SUMS)
        for (int k = 0; k < PARTIAL_SUMS; k++) sums[k] += (double)to[i + k] * (double)to[i + k];
    for (int k = 0; i < n; i++, k++) sums[k] += (double)to[i] * (double)to[i];
    for (int half = PARTIAL_SUMS / 2; half > 0; half /= 2)
        for (int k = 0; k < half; k++) sums[k] += sums[k + half];
    return sums[0];
}

static WEIR__ARENA_ADAM(NAME(adam))
{
    const REAL factor = (REAL)rule->factor, added = (REAL)rule->added, kept = (REAL)rule->kept;
    const REAL b1 = (REAL)rule->beta1, b2 = (REAL)rule->beta2, rate = (REAL)rule->rate;
    const REAL scale2 = (REAL)rule->scale2, epsilon = (REAL)rule->epsilon;
    const REAL *const restrict gradient = g;
    REAL *const restrict to = p, *const restrict mean = m, *const restrict square = v;
    for (int64_t i = 0; i < n; i++) {
        const REAL slope = gradient[i] * factor + added * to[i];
        const REAL first = b1 * mean[i] + (1 - b1) * slope;
        const REAL second = b2 * square[i] + (1 - b2) * slope * slope;
        mean[i] = first;
        square[i] = second;
        to[i] = kept * to[i] - rate * first / (ROOT(second * scale2) + epsilon);
    }
}

static WEIR__ARENA_SGD(NAME(sgd))
{
    const REAL factor = (REAL)rule->factor, added = (REAL)rule->added, momentum = (REAL)rule->momentum;
    const REAL rate = (REAL)rule->rate, ahead = (REAL)rule->ahead, direct = (REAL)rule->direct;
    const REAL *const restrict gradient = g;
    REAL *const restrict to = p, *const restrict mean = m;
    for (int64_t i = 0; i < n; i++) {
        const REAL slope = gradient[i] * factor + added * to[i];
        const REAL first = momentum * mean[i] + slope;
        mean[i] = first;
        to[i] -= rate * (ahead * first + direct * slope);
    }
}

const weir__arena NAME(weir__arena) = {
    .add = NAME(add), .drain = NAME(drain), .squares = NAME(squares), .adam = NAME(adam), .sgd = NAME(sgd)};

#undef REAL
#undef ROOT
#undef NAME
