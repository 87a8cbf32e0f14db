/* permutation.c - a fixed order of rows, the P of P L U: row i of the product is row permutation[i] of what follows. */
#include "factor.h"

#include <stdlib.h>

static weir_status permutation_declare(factor *self, weir_builder *build, const start *from)
{
    const int64_t n = self->features;
    int64_t *const order = malloc((size_t)n * sizeof *order);
    if (!order) return weir_refuse(build, "out of memory");
    for (int64_t i = 0; i < n; i++) order[i] = from->lu.permutation ? from->lu.permutation[i] : i;
    self->main = build->integer_buffer(build, self->name, 1, &n, order);
    free(order);
    return WEIR_OK;
}

/* With `gather`, lane i of out is lane permutation[i] of in; else the other way round. */
static weir_status reorder(const factor *self, const weir_frame *frame, int gather, const weir_tile *in,
                           const weir_tile *out)
{
    const int64_t *const permutation = weir_integers(frame, self->main);
    for (int32_t i = 0; i < self->features; i++) {
        const int32_t other = (int32_t)permutation[i];
        weir_copy_lane(frame, weir_lane(in, gather ? other : i), weir_lane(out, gather ? i : other));
    }
    return WEIR_OK;
}

static weir_status permutation_multiply(const factor *self, weir_frame *frame, int transposed,
                                        const weir_tile *in, const weir_tile *out)
{
    return reorder(self, frame, !transposed, in, out);
}

static weir_status permutation_solve(const factor *self, weir_frame *frame, int transposed,
                                     const weir_tile *in, const weir_tile *out)
{
    return reorder(self, frame, transposed, in, out);
}

/* Nothing is derived; but a file may hold anything. */
static weir_status permutation_prepare(const factor *self, weir_frame *frame, double *log_volume)
{
    const int64_t *const permutation = weir_integers(frame, self->main);
    char *const seen = weir_take(frame, self->features);
    (void)log_volume;
    if (!seen) return WEIR_ERROR;
    memset(seen, 0, (size_t)self->features);
    for (int32_t i = 0; i < self->features; i++) {
        if (permutation[i] < 0 || permutation[i] >= self->features || seen[permutation[i]])
            return weir_failf(
                frame, WEIR_INVALID,
                "entry %d of the buffer `permutation`, %lld, is out of range or there twice; it must "
                "hold 0 to %d, each once",
                i, (long long)permutation[i], self->features - 1);
        seen[permutation[i]] = 1;
    }
    return WEIR_OK;
}

static weir_status permutation_prepare_vjp(const factor *self, weir_frame *frame, double log_volume_bar)
{
    (void)self, (void)frame, (void)log_volume_bar;
    return WEIR_OK;
}

const factor_ops WEIR_NAME(permutation_factor) = {
    .declare = permutation_declare,
    .multiply = permutation_multiply,
    .solve = permutation_solve,
    .prepare = permutation_prepare,
    .prepare_vjp = permutation_prepare_vjp,
    .keeps_volume = 1,
};
