/* logistic_family.c - see family.h: T(u) = 1 / (1 + e^u), phi = T (1 - T), h = 1 - T. */
#include "family.h"

static void tails(weir_frame *frame, int64_t count, const weir_real *u, weir_real *log_tail, weir_real *tail,
                  weir_real *log_other, weir_real *log_hazard)
{
    frame->math->softplus(count, u, log_tail);
    for (int64_t i = 0; i < count; i++) {
        log_tail[i] = -log_tail[i];
        tail[i] = -u[i];
    }
    frame->math->sigmoid(count, tail, tail);
    for (int64_t i = 0; i < count; i++) log_other[i] = -tail[i];
    frame->math->log1p(count, log_other, log_other);
    memcpy(log_hazard, log_other, (size_t)count * sizeof *log_other);
}

/* log (1 - T) - log T */
static int quantile(weir_frame *frame, int32_t n, const weir_real *log_tail, weir_real *at, weir_real *mills)
{
    frame->math->exp(n, log_tail, mills);
    for (int32_t i = 0; i < n; i++) at[i] = -mills[i];
    frame->math->log1p(n, at, at);
    for (int32_t i = 0; i < n; i++) {
        at[i] -= log_tail[i];
        mills[i] = 1 / (1 - mills[i]);
    }
    return 1;
}

const family WEIR_NAME(logistic_family) = {tails, quantile, 0};
