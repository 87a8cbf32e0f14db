/* mixing.c - see mixing.h. */
#include "mixing.h"

#include <weir/random.h>

#include <stdlib.h>

#define MOST_ROTATED 2048 /* drawing the rotation costs 4 D^3 */

/* ---- calls ---------------------------------------------------------------------------------- */

/* u_order[f] = z_f, as an index into z's lanes. */
static int view(const mixing *self, weir_frame *frame, const weir_tile *z, weir_tile *u)
{
    const int64_t *const order = weir_integers(frame, self->order);
    int32_t *const lanes = weir_take(frame, self->features * (int64_t)sizeof *lanes);
    if (!lanes) return 0;
    for (int32_t f = 0; f < self->features; f++) lanes[order[f]] = f;
    *u = *z;
    u->lanes = lanes;
    return 1;
}

/* to = Q from, or Q^T from */
static void multiply(const mixing *self, const weir_frame *frame, int transposed, const weir_tile *from,
                     const weir_tile *to)
{
    const int32_t n = self->features;
    frame->math->gemm(n, frame->width, n, 1, weir_tensor(frame, self->matrix), transposed ? 1 : n,
                      transposed ? n : 1, from->data, from->stride, 1, 0, to->data, to->stride, 1);
}

int WEIR_NAME(mixing_place)(const mixing *self, weir_frame *frame, const weir_tile *z, weir_tile *u)
{
    return self->order >= 0 ? view(self, frame, z, u) : weir_take_tile(frame, self->features, u);
}

void WEIR_NAME(mixing_apply)(const mixing *self, const weir_frame *frame, const weir_tile *u,
                             const weir_tile *z)
{
    if (self->order < 0) multiply(self, frame, 0, u, z);
}

int WEIR_NAME(mixing_undo)(const mixing *self, weir_frame *frame, const weir_tile *z, weir_tile *u)
{
    if (self->order >= 0) return view(self, frame, z, u);
    if (!weir_take_tile(frame, self->features, u)) return 0;
    multiply(self, frame, 1, z, u);
    return 1;
}

void WEIR_NAME(mixing_gradient)(const mixing *self, const weir_frame *frame, const weir_tile *a,
                                const weir_tile *b)
{
    const int32_t n = self->features;
    weir_real *const gradient = self->count ? weir_gradient(frame, self->matrix) : NULL;
    if (!gradient) return;
    frame->math->gemm(n, n, frame->rows, 1, a->data, a->stride, 1, b->data, 1, b->stride, 1, gradient, n, 1);
}

/* ---- preparation ---------------------------------------------------------------------------- */

/* The buffers may come from a file, so both are looked at anew. */
static weir_status check_order(const mixing *self, weir_frame *frame)
{
    const int64_t *const order = weir_integers(frame, self->order);
    char *const seen = weir_take(frame, self->features);
    if (!seen) return WEIR_ERROR;
    memset(seen, 0, (size_t)self->features);
    for (int32_t f = 0; f < self->features; f++) {
        if (order[f] < 0 || order[f] >= self->features || seen[order[f]])
            return weir_failf(
                frame, WEIR_INVALID,
                "entry %d of the buffer `order`, %lld, is out of range or there twice; it must hold 0 "
                "to %d, each once",
                (int)f, (long long)order[f], (int)self->features - 1);
        seen[order[f]] = 1;
    }
    return WEIR_OK;
}

/* R^T (R v) = v for a vector of random signs: D^2, where R^T R = I would cost D^3 an update. A matrix that is not
 * orthogonal gets through for few vectors (Freivalds 1977), and four are tried. */
static weir_status check_rotation(const mixing *self, weir_frame *frame)
{
    const int32_t n = self->features;
    const weir_real *const r = weir_tensor(frame, self->rotation);
    const double tolerance = WEIR_REAL == 32 ? 1e-4 : 1e-9;
    double *const v = weir_take(frame, 2 * n * (int64_t)sizeof *v), *const back = v + n;
    uint64_t signs = 1;
    if (!v) return WEIR_ERROR;
    for (int32_t trial = 0; trial < 4; trial++) {
        for (int32_t i = 0; i < n; i++) v[i] = weir_random_bits(&signs) >> 63 ? 1 : -1;
        memset(back, 0, (size_t)n * sizeof *back);
        for (int32_t i = 0; i < n; i++) {
            double turned = 0;
            for (int32_t j = 0; j < n; j++) turned += (double)r[(int64_t)i * n + j] * v[j];
            for (int32_t j = 0; j < n; j++) back[j] += (double)r[(int64_t)i * n + j] * turned;
        }
        for (int32_t j = 0; j < n; j++)
            if (!(fabs(back[j] - v[j]) <= tolerance))
                return weir_failf(frame, WEIR_INVALID, "the buffer `rotation` is not an orthogonal matrix");
    }
    return WEIR_OK;
}

static weir_status check_vectors(const mixing *self, weir_frame *frame)
{
    const weir_real *const v = weir_tensor(frame, self->vectors);
    for (int64_t i = 0; i < (int64_t)self->count * self->features; i++)
        if (v[i] - v[i] != 0)
            return weir_failf(frame, WEIR_INVALID, "reflection %d is not finite",
                              (int)(i / self->features) + 1);
    return WEIR_OK;
}

/* q = H_1 ... H_K R; work has 2 n numbers. */
static void product(const mixing *self, const weir_frame *frame, double *q, double *work)
{
    const int32_t n = self->features;
    const weir_real *const rotation = weir_tensor(frame, self->rotation);
    for (int64_t i = 0; i < (int64_t)n * n; i++) q[i] = rotation[i];
    for (int32_t k = self->count - 1; k >= 0; k--) {
        weir_reflection_axis(n, weir_tensor(frame, self->vectors) + (int64_t)k * n, work);
        weir_reflect(n, n, work, q, work + n);
    }
}

weir_status WEIR_NAME(mixing_prepare)(const mixing *self, weir_frame *frame)
{
    const int64_t n = self->features;
    if (self->order >= 0) return check_order(self, frame);
    weir_status status = check_rotation(self, frame);
    if (status != WEIR_OK || self->count == 0) return status;
    if ((status = check_vectors(self, frame)) != WEIR_OK) return status;
    double *const q = weir_take(frame, n * (n + 2) * (int64_t)sizeof *q);
    if (!q) return WEIR_ERROR;
    product(self, frame, q, q + n * n);
    for (int64_t i = 0; i < n * n; i++) weir_tensor(frame, self->matrix)[i] = WEIR_C(q[i]);
    return WEIR_OK;
}

weir_status WEIR_NAME(mixing_prepare_vjp)(const mixing *self, weir_frame *frame)
{
    const int64_t n = self->features;
    if (self->count == 0) return WEIR_OK;
    const weir_real *const given = weir_gradient(frame, self->matrix);
    weir_real *const wanted = weir_gradient(frame, self->vectors);
    if (!given || !wanted) return WEIR_OK;
    double *const q = weir_take(frame, n * (2 * n + 3) * (int64_t)sizeof *q);
    if (!q) return WEIR_ERROR;
    double *const q_bar = q + n * n, *const work = q_bar + n * n;
    product(self, frame, q, work);
    for (int64_t i = 0; i < n * n; i++) q_bar[i] = given[i];
    weir_reflections_pull(self->features, self->features, self->count, weir_tensor(frame, self->vectors), q,
                          q_bar, work, wanted);
    return WEIR_OK;
}

/* ---- creation ------------------------------------------------------------------------------- */

static weir_status declare_order(weir_builder *build, mixing *self, uint64_t seed)
{
    const int64_t dims[1] = {self->features};
    int64_t *const order = malloc((size_t)self->features * sizeof *order);
    if (!order) return weir_refuse(build, "out of memory");
    weir_random_order(self->features, seed, order);
    self->order = build->integer_buffer(build, "order", 1, dims, order);
    free(order);
    return self->order >= 0 ? WEIR_OK : WEIR_INVALID;
}

static weir_status declare_rotation(weir_builder *build, mixing *self, uint64_t seed)
{
    const int32_t n = self->features;
    const int64_t dims[2] = {n, n};
    if (n > MOST_ROTATED)
        return weir_refuse(build, "permutation = \"soft\" takes at most %d features, not %d: use \"hard\"",
                           MOST_ROTATED, (int)n);
    double *const rotation = malloc((size_t)n * (size_t)(n + 2) * sizeof *rotation);
    if (!rotation) return weir_refuse(build, "out of memory");
    weir_random_rotation(n, seed, rotation, rotation + (int64_t)n * n);
    const weir_init init = {
        .struct_size = (uint32_t)sizeof init, .kind = WEIR_INIT_VALUES, .values = rotation};
    self->matrix = self->rotation = build->buffer(build, "rotation", 2, dims, &init);
    free(rotation);
    return self->rotation >= 0 ? WEIR_OK : WEIR_INVALID;
}

static weir_status declare_reflections(weir_builder *build, mixing *self)
{
    const int64_t dims[2] = {self->count, self->features}, square[2] = {self->features, self->features};
    const weir_init init = {.struct_size = (uint32_t)sizeof init, .kind = WEIR_INIT_NORMAL, .b = 1};
    self->vectors = build->parameter(build, "reflections", 2, dims, &init, WEIR_TENSOR_NO_DECAY);
    self->matrix = build->derived(build, "matrix", 2, square);
    return build->failed(build) ? WEIR_INVALID : WEIR_OK;
}

weir_status WEIR_NAME(mixing_declare)(weir_builder *build, mixing *self)
{
    const char *const kind = build->string(build, "permutation");
    const uint64_t seed = weir_random_key(build);
    if (!kind) return WEIR_INVALID;
    *self = (mixing){build->features, (int32_t)build->integer(build, "reflections"), -1, -1, -1, -1};
    if (strcmp(kind, "soft") != 0)
        return self->count ? weir_refuse(build, "reflections are learned with permutation = \"soft\" only")
                           : declare_order(build, self, seed);
    if (declare_rotation(build, self, seed) != WEIR_OK) return WEIR_INVALID;
    return self->count ? declare_reflections(build, self) : WEIR_OK;
}
