/* exponential.c - the rotation W = exp(A) of a skew-symmetric A; every rotation is one.
 *
 * Scaling and squaring: B = A / 2^s has norm at most 1/2, its Taylor polynomial of degree 15 is exact to rounding, and is
 * squared s times. The polynomial is summed in fours, with six products (Paterson and Stockmeyer 1973).
 *
 * The gradient: for a polynomial p, <G, Dp(A)[E]> = <Dp(A^T)[G], E>, so A's cotangent is the derivative of the very same
 * steps at A^T along W's cotangent G: each matrix carries its derivative along. It is exact for what prepare computes. */
#include "matrix.h"
#include "skew.h"

#define POWERS 4 /* B to B^4, then four blocks of four terms */

/* A matrix and, unless NULL, its derivative. */
typedef struct jet {
    double *value, *slope;
} jet;

typedef struct series {
    int32_t n;
    jet powers[POWERS + 1]; /* from 1 */
    jet sum, spare;
    double *work;
} series;

static int take_jet(weir_frame *frame, int64_t count, int sloped, jet *made)
{
    made->value = matrix_take(frame, count);
    made->slope = sloped ? matrix_take(frame, count) : NULL;
    return made->value && (!sloped || made->slope);
}

static int take_series(weir_frame *frame, int32_t n, int sloped, series *s)
{
    const int64_t count = (int64_t)n * n;
    int ready = (s->work = matrix_take(frame, count)) != NULL;
    s->n = n;
    for (int i = 1; i <= POWERS; i++) ready = take_jet(frame, count, sloped, &s->powers[i]) && ready;
    ready = take_jet(frame, count, sloped, &s->sum) && ready;
    return take_jet(frame, count, sloped, &s->spare) && ready;
}

/* c = a b and c' = a' b + a b' */
static void multiply(const series *s, const jet *a, const jet *b, const jet *c)
{
    const int64_t count = (int64_t)s->n * s->n;
    WEIR_NAME(matrix_product)(s->n, s->n, s->n, a->value, b->value, c->value);
    if (!c->slope) return;
    WEIR_NAME(matrix_product)(s->n, s->n, s->n, a->slope, b->value, c->slope);
    WEIR_NAME(matrix_product)(s->n, s->n, s->n, a->value, b->slope, s->work);
    for (int64_t i = 0; i < count; i++) c->slope[i] += s->work[i];
}

static void add(int64_t count, double weight, const double *from, double *to)
{
    for (int64_t i = 0; to && i < count; i++) to[i] += weight * from[i];
}

/* sum += the terms B^k / k! of k = first to first + 3, over B^first. */
static void add_block(const series *s, int first)
{
    const int64_t n = s->n;
    double weight = 1;
    for (int k = 2; k <= first; k++) weight /= k;
    for (int64_t i = 0; i < n; i++) s->sum.value[i * n + i] += weight;
    for (int j = 1; j < POWERS; j++) {
        weight /= first + j;
        add(n * n, weight, s->powers[j].value, s->sum.value);
        add(n * n, weight, s->powers[j].slope, s->sum.slope);
    }
}

static void swap(series *s)
{
    const jet sum = s->sum;
    s->sum = s->spare;
    s->spare = sum;
}

/* powers[1] is given; leaves the exponential of 2^squarings times it in sum. */
static void exponentiate(series *s, int squarings)
{
    const size_t bytes = (size_t)s->n * (size_t)s->n * sizeof(double);
    for (int j = 2; j <= POWERS; j++) multiply(s, &s->powers[1], &s->powers[j - 1], &s->powers[j]);
    memset(s->sum.value, 0, bytes);
    if (s->sum.slope) memset(s->sum.slope, 0, bytes);
    add_block(s, 3 * POWERS);
    for (int block = 2; block >= 0; block--) {
        multiply(s, &s->powers[POWERS], &s->sum, &s->spare);
        swap(s);
        add_block(s, block * POWERS);
    }
    for (int k = 0; k < squarings; k++) {
        multiply(s, &s->sum, &s->sum, &s->spare);
        swap(s);
    }
}

/* Reads A into powers[1], scaled; how many squarings undo that. */
static weir_status read_scaled(const factor *self, weir_frame *frame, const series *s, int *squarings)
{
    const int64_t count = (int64_t)s->n * s->n;
    double norm;
    const weir_status status = WEIR_NAME(skew_read)(self, frame, s->powers[1].value, &norm);
    if (status != WEIR_OK) return status;
    for (*squarings = 0; norm > 0.5; ++*squarings) norm /= 2;
    for (int64_t i = 0; i < count; i++) s->powers[1].value[i] = ldexp(s->powers[1].value[i], -*squarings);
    return WEIR_OK;
}

static weir_status exponential_prepare(const factor *self, weir_frame *frame, double *log_volume)
{
    series s;
    int squarings;
    (void)log_volume;
    if (!take_series(frame, self->features, 0, &s)) return WEIR_ERROR;
    const weir_status status = read_scaled(self, frame, &s, &squarings);
    if (status != WEIR_OK) return status;
    exponentiate(&s, squarings);
    matrix_write((int64_t)s.n * s.n, s.sum.value, weir_tensor(frame, self->dense));
    return WEIR_OK;
}

static weir_status exponential_prepare_vjp(const factor *self, weir_frame *frame, double log_volume_bar)
{
    const weir_real *const w_bar = weir_gradient(frame, self->dense);
    series s;
    int squarings;
    (void)log_volume_bar;
    if (!take_series(frame, self->features, 1, &s)) return WEIR_ERROR;
    if (!w_bar) return WEIR_OK;
    const weir_status status = read_scaled(self, frame, &s, &squarings);
    if (status != WEIR_OK) return status;
    const jet *const b = &s.powers[1];
    for (int64_t i = 0; i < (int64_t)s.n * s.n; i++) {
        b->value[i] = -b->value[i]; /* A^T = -A */
        b->slope[i] = ldexp((double)w_bar[i], -squarings);
    }
    exponentiate(&s, squarings);
    WEIR_NAME(skew_pull)(self, frame, s.sum.slope);
    return WEIR_OK;
}

const factor_ops WEIR_NAME(exponential_factor) = {
    ORTHOGONAL_CALLS,
    .declare = WEIR_NAME(skew_declare),
    .prepare = exponential_prepare,
    .prepare_vjp = exponential_prepare_vjp,
};
