/* factors.c - see factors.h; the formulas are in sylvester's doc. All in double, once per update of the parameters. */
#include "factors.h"

#include <weir/reflections.h>

#define LEAST_STRETCH 1e-6

/* Dense, row-major: q [D, M], r and s [M, M]. */
typedef struct factors {
    double *q, *r, *s;
} factors;

static double *take(weir_frame *frame, int64_t count)
{
    return weir_take(frame, (count + 1) * (int64_t)sizeof(double));
}

static double stretch_offset(void)
{
    return log(expm1(1 - LEAST_STRETCH));
}

static double softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double q_of(const sylvester *self, const weir_frame *frame, int32_t i)
{
    return softplus((double)weir_tensor(frame, self->stretch)[i] + stretch_offset()) + LEAST_STRETCH;
}

static void fill_triangles(const sylvester *self, const weir_frame *frame, const factors *of)
{
    const int32_t m = self->hidden;
    const weir_real *const outer = weir_tensor(frame, self->outer), *const inner =
                                                                        weir_tensor(frame, self->inner);
    memset(of->r, 0, (size_t)m * (size_t)m * sizeof *of->r);
    memset(of->s, 0, (size_t)m * (size_t)m * sizeof *of->s);
    for (int64_t j = 0; j < m; j++) {
        const double scale = exp((double)weir_tensor(frame, self->log_scale)[j]);
        for (int64_t i = 0; i < j; i++) {
            of->r[i * m + j] = (double)outer[j * (j - 1) / 2 + i];
            of->s[i * m + j] = (double)inner[j * (j - 1) / 2 + i];
        }
        of->r[j * m + j] = (q_of(self, frame, (int32_t)j) - 1) / scale;
        of->s[j * m + j] = scale;
    }
}

static int take_factors(const sylvester *self, weir_frame *frame, factors *of)
{
    const int64_t d = self->features, m = self->hidden;
    double *const work = take(frame, d + m);
    of->q = take(frame, d * m);
    of->r = take(frame, m * m);
    of->s = take(frame, m * m);
    if (!work || !of->q || !of->r || !of->s) return 0;
    weir_reflections(self->features, self->hidden, self->hidden, weir_tensor(frame, self->householder), of->q,
                     work);
    fill_triangles(self, frame, of);
    return 1;
}

/* ---- from parameters to maps ----------------------------------------------------------------------------------- */

static void fill_maps(const sylvester *self, const weir_frame *frame, const factors *of)
{
    const int64_t d = self->features, m = self->hidden;
    weir_real *const inner = weir_tensor(frame, self->inner_map);
    weir_real *const outer = weir_tensor(frame, self->outer_map);
    for (int64_t f = 0; f < d; f++)
        for (int64_t i = 0; i < m; i++) {
            const double *const q = of->q + f * m;
            double in = 0, out = 0;
            for (int64_t j = i; j < m; j++) in += of->s[i * m + j] * q[j];
            for (int64_t j = 0; j <= i; j++) out += q[j] * of->r[j * m + i];
            inner[i * d + f] = WEIR_C(in);
            outer[f * m + i] = WEIR_C(out);
        }
}

static void fill_product(const sylvester *self, const weir_frame *frame, const factors *of)
{
    const int64_t m = self->hidden;
    weir_real *const product = weir_tensor(frame, self->product);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < m; j++) {
            double sum = 0;
            for (int64_t k = i; k <= j; k++) sum += of->s[i * m + k] * of->r[k * m + j];
            product[i * m + j] = WEIR_C(sum);
        }
}

weir_status WEIR_NAME(sylvester_prepare)(const void *module, weir_frame *frame)
{
    const sylvester *const self = module;
    factors of;
    if (!take_factors(self, frame, &of)) return WEIR_ERROR;
    fill_maps(self, frame, &of);
    fill_product(self, frame, &of);
    for (int32_t i = 0; i < self->hidden; i++) weir_tensor(frame, self->q)[i] = WEIR_C(q_of(self, frame, i));
    return WEIR_OK;
}

/* ---- gradients back to parameters ------------------------------------------------------------------------------ */

/* Cotangents of Q, R and S from those of S Q^T and Q R; either of the latter may be missing. */
static void pull_maps(const sylvester *self, const weir_frame *frame, const factors *of, const factors *bar)
{
    const int64_t d = self->features, m = self->hidden;
    const weir_real *const inner = weir_gradient(frame, self->inner_map);
    const weir_real *const outer = weir_gradient(frame, self->outer_map);
    memset(bar->q, 0, (size_t)(d * m) * sizeof *bar->q);
    memset(bar->r, 0, (size_t)(m * m) * sizeof *bar->r);
    memset(bar->s, 0, (size_t)(m * m) * sizeof *bar->s);
    for (int64_t f = 0; f < d; f++)
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = i; j < m; j++) {
                const double in = inner ? (double)inner[i * d + f] : 0;
                const double out = outer ? (double)outer[f * m + j] : 0;
                bar->s[i * m + j] += in * of->q[f * m + j];
                bar->q[f * m + j] += in * of->s[i * m + j];
                bar->r[i * m + j] += out * of->q[f * m + i];
                bar->q[f * m + i] += out * of->r[i * m + j];
            }
}

static void add_triangles(const sylvester *self, const weir_frame *frame, const factors *bar)
{
    const int64_t m = self->hidden;
    weir_real *const outer = weir_gradient(frame, self->outer), *const inner =
                                                                    weir_gradient(frame, self->inner);
    for (int64_t j = 0; j < m; j++)
        for (int64_t i = 0; i < j; i++) {
            if (outer) outer[j * (j - 1) / 2 + i] += WEIR_C(bar->r[i * m + j]);
            if (inner) inner[j * (j - 1) / 2 + i] += WEIR_C(bar->s[i * m + j]);
        }
}

/* s_ii = exp(l), r_ii = (q - 1) exp(-l). */
static void add_diagonals(const sylvester *self, const weir_frame *frame, const factors *of,
                          const factors *bar)
{
    const weir_real *const q_bar = weir_gradient(frame, self->q);
    weir_real *const scale_bar = weir_gradient(frame, self->log_scale);
    weir_real *const stretch_bar = weir_gradient(frame, self->stretch);
    for (int64_t i = 0; i < self->hidden; i++) {
        const int64_t at = i * self->hidden + i;
        const double t = (double)weir_tensor(frame, self->stretch)[i] + stretch_offset();
        const double sigmoid = t < 0 ? exp(t) / (1 + exp(t)) : 1 / (1 + exp(-t));
        const double total = (q_bar ? (double)q_bar[i] : 0) + bar->r[at] / of->s[at];
        if (scale_bar) scale_bar[i] += WEIR_C(bar->s[at] * of->s[at] - bar->r[at] * of->r[at]);
        if (stretch_bar) stretch_bar[i] += WEIR_C(total * sigmoid);
    }
}

weir_status WEIR_NAME(sylvester_prepare_vjp)(const void *module, weir_frame *frame)
{
    const sylvester *const self = module;
    const int64_t d = self->features, m = self->hidden;
    weir_real *const vectors_bar = weir_gradient(frame, self->householder);
    double *const work = take(frame, d + 2 * m);
    factors of, bar = {take(frame, d * m), take(frame, m * m), take(frame, m * m)};
    if (!work || !bar.q || !bar.r || !bar.s || !take_factors(self, frame, &of)) return WEIR_ERROR;
    pull_maps(self, frame, &of, &bar);
    add_triangles(self, frame, &bar);
    add_diagonals(self, frame, &of, &bar);
    if (vectors_bar)
        weir_reflections_pull(self->features, self->hidden, self->hidden,
                              weir_tensor(frame, self->householder), of.q, bar.q, work, vectors_bar);
    return WEIR_OK;
}
