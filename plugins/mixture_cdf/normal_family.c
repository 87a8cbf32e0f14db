/* normal_family.c - see family.h: the standard normal.
 *
 * erf tells nothing of the tail: 1 - erf(u / sqrt 2) has lost every digit at u = 8, where the tail is still 6e-16, and an
 * asymptotic series serves from u = 8 at best. Mills' ratio R(u) = e^(u^2/2) int_u^inf e^(-s^2/2) ds has neither trouble: it
 * falls smoothly from sqrt(pi/2) at 0 like 1/u, so (1 + u) R(u) stays between 1 and 1.26 on the whole half line. With
 * t = (u - 5) / (u + 5), which takes [0, inf) to [-1, 1), it is a Chebyshev series in t (the device of Shepherd and
 * Laframboise 1981, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x in 0 <= x < infinity", Mathematics of Computation 36,
 * here for R and with coefficients computed anew, to 50 digits). Then, for every u >= 0,
 *      log T = log R - u^2/2 - log(2 pi)/2,      h = 1 / R.
 * The relative error of R is 4e-16 with 25 terms, 1e-8 with 12 (single precision).
 */
#include "family.h"

#define HALF_LOG_2PI WEIR_C(0.91893853320467274178)
#define LOG_2        WEIR_C(0.69314718055994530942)
#define CENTRE       WEIR_C(5)
#define CHUNK        8 /* rows at a time: lanes are multiples of it */

static const weir_real coefficients[] = {
    WEIR_C(1.1579976221305187167),     WEIR_C(-0.16334493884513978905),   WEIR_C(-0.013683136055781576407),
    WEIR_C(0.030822000198100039725),   WEIR_C(-0.016220073012046806988),  WEIR_C(0.0056166910164600934864),
    WEIR_C(-0.001413393378354921628),  WEIR_C(0.00025026254607256606546), WEIR_C(-2.4689072397283870041e-5),
    WEIR_C(-1.0107964061837592256e-6), WEIR_C(7.4954191797405729054e-7),  WEIR_C(-7.6002742687283368758e-8),
#if WEIR_REAL == 64
    -1.1574771441328644748e-8,         3.3333864725998431463e-9,          7.5380396281713470189e-11,
    -1.1104247263727494478e-10,        3.5092437765510588325e-12,         3.6894953861750953684e-12,
    -2.3376697776383093717e-13,        -1.3271797523541405453e-13,        9.9217069958882765537e-15,
    5.2760049954553790653e-15,         -3.3730976941879218316e-16,        -2.2804338776379945603e-16,
    7.4963305658086263881e-18,
#endif
};
#define TERMS ((int)(sizeof coefficients / sizeof *coefficients))

/* Clenshaw's recurrence: b_k = 2 t b_{k+1} - b_{k+2} + c_k. */
static void mills_ratios(const weir_real *u, weir_real *ratio)
{
    weir_real t[CHUNK], b[CHUNK] = {0}, later[CHUNK] = {0};
    for (int i = 0; i < CHUNK; i++) t[i] = (u[i] - CENTRE) / (u[i] + CENTRE);
    for (int k = TERMS - 1; k > 0; k--)
        for (int i = 0; i < CHUNK; i++) {
            const weir_real next = 2 * t[i] * b[i] - later[i] + coefficients[k];
            later[i] = b[i];
            b[i] = next;
        }
    for (int i = 0; i < CHUNK; i++) ratio[i] = (t[i] * b[i] - later[i] + coefficients[0]) / (1 + u[i]);
}

/* count is a multiple of the width of lanes, and so of CHUNK. */
static void mills_of(int64_t count, const weir_real *u, weir_real *ratio)
{
    for (int64_t i = 0; i < count; i += CHUNK) mills_ratios(u + i, ratio + i);
}

static void tails(weir_frame *frame, int64_t count, const weir_real *u, weir_real *log_tail, weir_real *tail,
                  weir_real *log_other, weir_real *log_hazard)
{
    mills_of(count, u, log_other);
    frame->math->log(count, log_other, log_tail);
    for (int64_t i = 0; i < count; i++) {
        log_hazard[i] = -log_tail[i];
        log_tail[i] -= u[i] * u[i] / 2 + HALF_LOG_2PI;
    }
    frame->math->exp(count, log_tail, tail);
    for (int64_t i = 0; i < count; i++) log_other[i] = -tail[i];
    frame->math->log1p(count, log_other, log_other);
}

/* One step of Halley's method for g(u) = log T(u) - log_tail, whose derivatives are -h and -h (h - u). */
static void improve(weir_frame *frame, int32_t n, const weir_real *log_tail, weir_real *u, weir_real *ratio,
                    weir_real *log_ratio)
{
    mills_of(n, u, ratio);
    frame->math->log(n, ratio, log_ratio);
    for (int32_t i = 0; i < n; i++) {
        const weir_real g = log_ratio[i] - u[i] * u[i] / 2 - HALF_LOG_2PI - log_tail[i], h = 1 / ratio[i];
        u[i] += 2 * g / (2 * h + g * (h - u[i]));
    }
}

/* The start sqrt(-2 log 2T) is not below the root, for T(u) <= e^(-u^2/2) / 2. log T is concave, so from there the steps
 * approach from one side, cubically. The worst relative error, near u = 0.5, is 7e-3, 3e-8 and 1e-24 after 1, 2, 3. */
#define STEPS (WEIR_REAL == 64 ? 3 : 2)

static int quantile(weir_frame *frame, int32_t n, const weir_real *log_tail, weir_real *at, weir_real *mills)
{
    weir_real *const log_ratio = weir_take_lane(frame);
    if (!log_ratio) return 0;
    for (int32_t i = 0; i < n; i++) {
        const weir_real excess = -2 * (log_tail[i] + LOG_2);
        at[i] = WEIR_C(sqrt((double)(excess < 0 ? 0 : excess)));
    }
    for (int k = 0; k < STEPS; k++) improve(frame, n, log_tail, at, mills, log_ratio);
    mills_of(n, at, mills);
    return 1;
}

const family WEIR_NAME(normal_family) = {tails, quantile, 1};
