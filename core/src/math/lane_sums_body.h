/* lane_sums_body.h - sums of lanes in one precision; included by lane_sums_*.c. Needs REAL, BYTES (of a vector) and NAME(f).
 * Rows go to SUM_PARTS columns in turn, which are halved until one is left: short chains of additions, in an order that does
 * not depend on the length of vectors. */

#ifndef SUM_PARTS
#define SUM_PARTS 16
#endif

#define LANES ((int)(BYTES / sizeof(REAL)))
#define PARTS (SUM_PARTS / LANES)

typedef REAL NAME(vector) __attribute__((vector_size(BYTES), aligned(sizeof(REAL)), may_alias));

static inline REAL NAME(lane_sum)(int64_t rows, const REAL *lane)
{
    NAME(vector) part[PARTS];
    REAL column[LANES], rest = 0;
    int64_t r = 0;
    for (int v = 0; v < PARTS; v++) part[v] = (NAME(vector)){0};
    for (; r + SUM_PARTS <= rows; r += SUM_PARTS) {
        for (int v = 0; v < PARTS; v++) part[v] += *(const NAME(vector) *)(lane + r + v * LANES);
    }
    for (; r < rows; r++) rest += lane[r];
    for (int width = PARTS / 2; width > 0; width /= 2) {
        for (int v = 0; v < width; v++) part[v] += part[v + width];
    }
    *(NAME(vector) *)column = part[0];
    for (int width = LANES / 2; width > 0; width /= 2) {
        for (int j = 0; j < width; j++) column[j] += column[j + width];
    }
    return column[0] + rest;
}

static void NAME(lane_sums)(int64_t lanes, int64_t rows, const REAL *data, int64_t stride, REAL *sums)
{
    for (int64_t i = 0; i < lanes; i++) sums[i] += NAME(lane_sum)(rows, data + i * stride);
}

#undef LANES
#undef PARTS
#undef REAL
#undef NAME
