/* weir/plugin.h - the one header a plugin's source includes: names and inline functions over the ABI.
 *
 * SPDX-License-Identifier: MIT
 *
 * weir_add_plugin compiles every source file twice, with WEIR_REAL 32 and 64, and links both into one
 * shared object. Write weir_real for the number type, WEIR_NAME(f) for any function or object that is
 * not static, and WEIR_C(0.5) for constants. One source file says WEIR_PLUGIN(&module, ...).
 */
#ifndef WEIR_PLUGIN_H
#define WEIR_PLUGIN_H

#include <weir/build.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- precision ------------------------------------------------------------------------------ */

#ifndef WEIR_REAL
#error "WEIR_REAL must be 32 or 64; weir_add_plugin defines it"
#elif WEIR_REAL == 32
typedef float weir_real;
#define WEIR_NAME(name) name##_f32
#define WEIR_PRECISION  WEIR_F32
#elif WEIR_REAL == 64
typedef double weir_real;
#define WEIR_NAME(name) name##_f64
#define WEIR_PRECISION  WEIR_F64
#else
#error "WEIR_REAL must be 32 or 64"
#endif

/** A constant in this precision. */
#define WEIR_C(x) ((weir_real)(x))

#if defined(__GNUC__)
#define WEIR_UNUSED __attribute__((unused))
#else
#define WEIR_UNUSED
#endif
#define WEIR_INLINE static inline WEIR_UNUSED

/** In front of a function made of loops over lanes: compiled for newer processors too, and chosen when the plugin is
 *  loaded. The results are the same to the bit (nothing is fused or reordered), only sooner there. Not with sanitizers,
 *  whose checks would run before they are set up. */
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) &&                 \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define WEIR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WEIR_CLONES
#endif

/** In front of a loop over lanes whose every written lane lies apart from all others it reads and writes, which gcc otherwise
 *  checks at run time, or gives up on where there are many. Nothing for clang, which warns where its like has no effect. */
#if defined(__GNUC__) && !defined(__clang__)
#define WEIR_LANES_APART _Pragma("GCC ivdep")
#else
#define WEIR_LANES_APART
#endif

/** Names the plugin's modules; use once per plugin, in one source file. */
#define WEIR_PLUGIN(...)                                                                                     \
    extern const weir_module *const WEIR_NAME(weir_plugin_modules)[];                                        \
    const weir_module *const WEIR_NAME(weir_plugin_modules)[] = {__VA_ARGS__, NULL}

/** The members of a weir_module about its tables. */
#define WEIR_OPTIONS(list)                                                                                   \
    .options = (list), .option_count = (int32_t)(sizeof(list) / sizeof((list)[0])),                          \
    .option_stride = (int32_t)sizeof(weir_option)
#define WEIR_SLOTS(list)                                                                                     \
    .slots = (list), .slot_count = (int32_t)(sizeof(list) / sizeof((list)[0])),                              \
    .slot_stride = (int32_t)sizeof(weir_slot)

#define WEIR_METHODS(list)                                                                                   \
    .methods = (list), .method_count = (int32_t)(sizeof(list) / sizeof((list)[0])),                          \
    .method_stride = (int32_t)sizeof(weir_method)

/** One entry of a list of methods: WEIR_METHOD("matrix", "() -> real w[out][in]", "the matrix W", matrix). */
#define WEIR_METHOD(name_, signature_, summary_, function_)                                                  \
    {                                                                                                        \
        .struct_size = (uint32_t)sizeof(weir_method), .name = (name_), .signature = (signature_),            \
        .summary = (summary_), .call = (weir_method_function)(function_)                                     \
    }

/** Returns from the calling function with the status unless it is WEIR_OK or WEIR_DISCARD; a DISCARD is
 *  remembered in `status`, a weir_status that the function returns at its end. */
#define WEIR_TRY(status, call)                                                                               \
    do {                                                                                                     \
        const weir_status weir_try_ = (call);                                                                \
        if (weir_try_ > WEIR_DISCARD) return weir_try_;                                                      \
        if (weir_try_ == WEIR_DISCARD) (status) = WEIR_DISCARD;                                              \
    } while (0)

/* ---- lanes and tensors ---------------------------------------------------------------------- */

/** The lane of feature f. */
WEIR_INLINE weir_real *weir_lane(const weir_tile *tile, int32_t f)
{
    return (weir_real *)tile->data + (int64_t)(tile->lanes ? tile->lanes[f] : f) * tile->stride;
}

/** Features [first, first + count) of a tile, as a tile over the same memory. */
WEIR_INLINE weir_tile weir_slice(const weir_tile *tile, int32_t first, int32_t count)
{
    weir_tile part = *tile;
    part.features = count;
    if (tile->lanes)
        part.lanes = tile->lanes + first;
    else if (count > 0)
        part.data = (weir_real *)tile->data + (int64_t)first * tile->stride;
    return part;
}

/** Tensor h of this call, read-only; write through it only where the ABI says so (prepare, finish). */
WEIR_INLINE weir_real *weir_tensor(const weir_frame *frame, weir_handle h)
{
    return (weir_real *)frame->tensors[h];
}

WEIR_INLINE const int64_t *weir_integers(const weir_frame *frame, weir_handle h)
{
    return (const int64_t *)frame->tensors[h];
}

/** Where to add the gradient of tensor h; NULL when none is wanted. */
WEIR_INLINE weir_real *weir_gradient(const weir_frame *frame, weir_handle h)
{
    return frame->gradients ? (weir_real *)frame->gradients[h] : NULL;
}

WEIR_INLINE void weir_discard(weir_frame *frame, int32_t row)
{
    frame->discard[row >> 6] |= UINT64_C(1) << (row & 63);
}

/** Marks the rows where `lane` is NaN or infinite; WEIR_DISCARD when there are any, else WEIR_OK. */
WEIR_INLINE weir_status weir_discard_unless_finite(weir_frame *frame, const weir_real *lane)
{
    int32_t bad = 0;
    for (int32_t r = 0; r < frame->rows; r++) bad += lane[r] - lane[r] != 0;
    if (!bad) return WEIR_OK;
    for (int32_t r = 0; r < frame->rows; r++)
        if (lane[r] - lane[r] != 0) weir_discard(frame, r);
    return WEIR_DISCARD;
}

/** Marks the rows where `lane` is NaN, for densities whose answer outside their support is -infinity. */
WEIR_INLINE weir_status weir_discard_nan(weir_frame *frame, const weir_real *lane)
{
    weir_status status = WEIR_OK;
    for (int32_t r = 0; r < frame->rows; r++) {
        if (lane[r] == lane[r]) continue;
        weir_discard(frame, r);
        status = WEIR_DISCARD;
    }
    return status;
}

/* ---- memory of a call ------------------------------------------------------------------------- */

WEIR_INLINE void *weir_take(weir_frame *frame, int64_t bytes)
{
    return frame->services->scratch_take(frame, bytes);
}

/** One lane of scratch; NULL when memory is exhausted. */
WEIR_INLINE weir_real *weir_take_lane(weir_frame *frame)
{
    return (weir_real *)weir_take(frame, frame->stride * (int64_t)sizeof(weir_real));
}

WEIR_INLINE weir_tile weir_tile_over(const weir_frame *frame, void *data, int32_t features)
{
    weir_tile tile;
    tile.struct_size = (uint32_t)sizeof tile;
    tile.features = features;
    tile.data = data;
    tile.stride = frame->stride;
    tile.lanes = NULL;
    tile.rows = frame->rows;
    tile.width = frame->width;
    return tile;
}

WEIR_INLINE int64_t weir_tile_bytes(const weir_frame *frame, int32_t features)
{
    return (int64_t)features * frame->stride * (int64_t)sizeof(weir_real);
}

/** A tile in scratch. False when memory is exhausted: return WEIR_ERROR. */
WEIR_INLINE int weir_take_tile(weir_frame *frame, int32_t features, weir_tile *tile)
{
    void *const data = weir_take(frame, weir_tile_bytes(frame, features));
    *tile = weir_tile_over(frame, data, features);
    return data != NULL;
}

/** A tile on the tape when there is one, else in scratch. */
WEIR_INLINE int weir_keep_tile(weir_frame *frame, int32_t features, weir_tile *tile)
{
    const int64_t bytes = weir_tile_bytes(frame, features);
    void *const data = frame->tape ? frame->services->tape_push(frame, bytes) : weir_take(frame, bytes);
    *tile = weir_tile_over(frame, data, features);
    return data != NULL;
}

/** The tile that weir_keep_tile put on the tape. */
WEIR_INLINE int weir_pop_tile(weir_frame *frame, int32_t features, weir_tile *tile)
{
    void *const data = frame->services->tape_pop(frame, weir_tile_bytes(frame, features));
    *tile = weir_tile_over(frame, data, features);
    return data != NULL;
}

/** Puts an address on top of the tape, for a VJP that needs what lies deep in it before it has popped what lies above. */
WEIR_INLINE weir_status weir_note_address(weir_frame *frame, void *address)
{
    if (!frame->tape) return WEIR_OK;
    void **const record = (void **)frame->services->tape_push(frame, (int64_t)sizeof *record);
    if (!record) return WEIR_ERROR;
    *record = address;
    return WEIR_OK;
}

/** Pops it; NULL when the tape does not hold one there: return WEIR_ERROR. */
WEIR_INLINE void *weir_noted_address(weir_frame *frame)
{
    void *const *const record = (void *const *)frame->services->tape_pop(frame, (int64_t)sizeof *record);
    return record ? *record : NULL;
}

WEIR_INLINE void weir_zero_lane(const weir_frame *frame, weir_real *lane)
{
    memset(lane, 0, (size_t)frame->width * sizeof *lane);
}

WEIR_INLINE void weir_copy_lane(const weir_frame *frame, const weir_real *from, weir_real *to)
{
    if (frame->width == 8) { /* as wide as a few rows are: of constant length, without a call */
        memcpy(to, from, 8 * sizeof *to);
    } else {
        memcpy(to, from, (size_t)frame->width * sizeof *to);
    }
}

/** Sum of the first frame->rows elements of a lane: padding never enters a parameter's gradient. */
WEIR_INLINE weir_real weir_sum_lane(const weir_frame *frame, const weir_real *lane)
{
    weir_real part[8] = {0};
    int32_t r = 0;
    for (; r + 8 <= frame->rows; r += 8)
        for (int32_t k = 0; k < 8; k++) part[k] += lane[r + k];
    for (int32_t k = 0; r < frame->rows; r++, k++) part[k] += lane[r];
    return ((part[0] + part[4]) + (part[2] + part[6])) + ((part[1] + part[5]) + (part[3] + part[7]));
}

/* ---- errors --------------------------------------------------------------------------------- */

/** Notes a printf-formatted reason in the frame and returns `status`. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
WEIR_INLINE weir_status
weir_failf(weir_frame *frame, weir_status status, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    frame->services->fail(frame, text);
    return status;
}

/** The same for create: notes the reason and returns WEIR_INVALID. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
WEIR_INLINE weir_status
weir_refuse(weir_builder *build, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    build->fail(build, text);
    return WEIR_INVALID;
}

/** A list option that holds one number for all features, or one for each: writes `features` values. */
WEIR_INLINE weir_status weir_numbers_per_feature(weir_builder *build, const char *name, int32_t features,
                                                 double *values)
{
    const int32_t count = build->numbers(build, name, values, features);
    if (count != 1 && count != features)
        return weir_refuse(build, "%s has %d numbers for %d features: give 1 or %d", name, (int)count,
                           (int)features, (int)features);
    for (int32_t f = 1; count == 1 && f < features; f++) values[f] = values[0];
    return WEIR_OK;
}

/** A tensor [features] that starts at `values`: a parameter that decay leaves alone, or a buffer if it is not to train. */
WEIR_INLINE weir_handle weir_feature_tensor(weir_builder *build, const char *name, int32_t features,
                                            const double *values, int trained)
{
    const int64_t dims[1] = {features};
    weir_init init = {0, 0, 0, 0, NULL};
    init.struct_size = (uint32_t)sizeof init;
    init.kind = WEIR_INIT_VALUES;
    init.values = values;
    return trained ? build->parameter(build, name, 1, dims, &init, WEIR_TENSOR_NO_DECAY)
                   : build->buffer(build, name, 1, dims, &init);
}

/* ---- domains of parents ------------------------------------------------------- */

/** For a lane that the univariate maps: requires its domain and states its codomain, the whole line when it names none.
 *  Used when create makes forward of the child's forward. */
WEIR_INLINE weir_status weir_univariate_lane(weir_builder *build, const weir_child *univariate, int32_t lane)
{
    weir_domain taken = {
        (uint32_t)sizeof(weir_domain), WEIR_DOMAIN_UNSTATED, 0, 1, 0, 0, -INFINITY, INFINITY};
    weir_domain given = taken;
    if (WEIR_HAS(univariate, codomain) && univariate->domain) taken = *univariate->domain;
    if (WEIR_HAS(univariate, codomain) && univariate->codomain) given = *univariate->codomain;
    if (given.kind == WEIR_DOMAIN_UNSTATED) {
        given.kind = WEIR_DOMAIN_INTERVAL;
        given.lower = -INFINITY;
        given.upper = INFINITY;
    }
    taken.first = given.first = lane;
    if (taken.kind != WEIR_DOMAIN_UNSTATED && build->require(build, &taken) != WEIR_OK) return WEIR_INVALID;
    return build->produce(build, &given) == WEIR_OK ? WEIR_OK : WEIR_INVALID;
}

/** What a density over all of R^n does in create: refuses inputs that live elsewhere, such as angles. */
WEIR_INLINE weir_status weir_require_line(weir_builder *build)
{
    const weir_domain line = {
        (uint32_t)sizeof(weir_domain), WEIR_DOMAIN_INTERVAL, 0, build->features, 0, 0, -INFINITY, INFINITY};
    return build->require(build, &line) == WEIR_OK ? WEIR_OK : WEIR_INVALID;
}

/** For a lane that comes through unchanged: it keeps its domain. A joint block does not survive, its lanes may part. */
WEIR_INLINE weir_status weir_passed_lane(weir_builder *build, int32_t lane)
{
    weir_domain domain = {(uint32_t)sizeof(weir_domain), WEIR_DOMAIN_UNSTATED, 0, 1, 0, 0, 0, 0};
    build->input_domain(build, lane, &domain);
    if (domain.kind == WEIR_DOMAIN_UNSTATED || domain.kind >= WEIR_DOMAIN_SIMPLEX) return WEIR_OK;
    domain.first = lane;
    domain.count = 1;
    return build->produce(build, &domain) == WEIR_OK ? WEIR_OK : WEIR_INVALID;
}

/** For a child layer or density on lanes [first, ...) of the input: requires there what the child required. */
WEIR_INLINE weir_status weir_child_lanes(weir_builder *build, const weir_child *child, int32_t first)
{
    for (int32_t i = 0; child->domain && i < child->in; i++) {
        weir_domain taken = child->domain[i];
        const int joint = taken.kind >= WEIR_DOMAIN_SIMPLEX;
        if (taken.kind == WEIR_DOMAIN_UNSTATED || (joint && taken.first != i)) continue;
        taken.first = first + i;
        if (!joint) taken.count = 1;
        if (build->require(build, &taken) != WEIR_OK) return WEIR_INVALID;
    }
    return WEIR_OK;
}

/* ---- calls of children: scratch that the child took is released -------------------------------- */

#define WEIR_CALL_CHILD(frame, call)                                                                         \
    const int64_t weir_mark_ = (frame)->services->scratch_mark(frame);                                       \
    const weir_status weir_result_ = (call);                                                                 \
    (frame)->services->scratch_release((frame), weir_mark_);                                                 \
    return weir_result_

WEIR_INLINE weir_status weir_layer_forward(const weir_child *c, weir_frame *frame, const weir_tile *x,
                                           const weir_tile *z, weir_real *log_det)
{
    WEIR_CALL_CHILD(frame, c->layer->forward(c->self, frame, x, z, log_det));
}

WEIR_INLINE weir_status weir_layer_inverse(const weir_child *c, weir_frame *frame, const weir_tile *z,
                                           const weir_tile *x, weir_real *log_det)
{
    WEIR_CALL_CHILD(frame, c->layer->inverse(c->self, frame, z, x, log_det));
}

WEIR_INLINE weir_status weir_layer_forward_vjp(const weir_child *c, weir_frame *frame, const weir_tile *x,
                                               const weir_tile *z, const weir_tile *z_bar,
                                               const weir_real *log_det_bar, const weir_tile *x_bar)
{
    WEIR_CALL_CHILD(frame, c->layer->forward_vjp(c->self, frame, x, z, z_bar, log_det_bar, x_bar));
}

WEIR_INLINE weir_status weir_layer_inverse_vjp(const weir_child *c, weir_frame *frame, const weir_tile *z,
                                               const weir_tile *x, const weir_tile *x_bar,
                                               const weir_real *log_det_bar, const weir_tile *z_bar)
{
    WEIR_CALL_CHILD(frame, c->layer->inverse_vjp(c->self, frame, z, x, x_bar, log_det_bar, z_bar));
}

WEIR_INLINE weir_status weir_univariate_forward(const weir_child *c, weir_frame *frame, const weir_tile *x,
                                                const weir_tile *params, const weir_tile *y,
                                                weir_real *log_det)
{
    WEIR_CALL_CHILD(frame, c->univariate->forward(c->self, frame, x, params, y, log_det));
}

WEIR_INLINE weir_status weir_univariate_inverse(const weir_child *c, weir_frame *frame, const weir_tile *y,
                                                const weir_tile *params, const weir_tile *x,
                                                weir_real *log_det)
{
    WEIR_CALL_CHILD(frame, c->univariate->inverse(c->self, frame, y, params, x, log_det));
}

WEIR_INLINE weir_status weir_univariate_forward_vjp(const weir_child *c, weir_frame *frame,
                                                    const weir_tile *x, const weir_tile *params,
                                                    const weir_tile *y, const weir_tile *y_bar,
                                                    const weir_real *log_det_bar, const weir_tile *x_bar,
                                                    const weir_tile *params_bar)
{
    WEIR_CALL_CHILD(frame, c->univariate->forward_vjp(c->self, frame, x, params, y, y_bar, log_det_bar, x_bar,
                                                      params_bar));
}

WEIR_INLINE weir_status weir_univariate_inverse_vjp(const weir_child *c, weir_frame *frame,
                                                    const weir_tile *y, const weir_tile *params,
                                                    const weir_tile *x, const weir_tile *x_bar,
                                                    const weir_real *log_det_bar, const weir_tile *y_bar,
                                                    const weir_tile *params_bar)
{
    WEIR_CALL_CHILD(frame, c->univariate->inverse_vjp(c->self, frame, y, params, x, x_bar, log_det_bar, y_bar,
                                                      params_bar));
}

WEIR_INLINE weir_status weir_network_forward(const weir_child *c, weir_frame *frame, const weir_tile *x,
                                             const weir_tile *y)
{
    WEIR_CALL_CHILD(frame, c->network->forward(c->self, frame, x, y));
}

WEIR_INLINE weir_status weir_network_vjp(const weir_child *c, weir_frame *frame, const weir_tile *x,
                                         const weir_tile *y, const weir_tile *y_bar, const weir_tile *x_bar)
{
    WEIR_CALL_CHILD(frame, c->network->vjp(c->self, frame, x, y, y_bar, x_bar));
}

WEIR_INLINE weir_status weir_density_log_density(const weir_child *c, weir_frame *frame, const weir_tile *z,
                                                 weir_real *log_p)
{
    WEIR_CALL_CHILD(frame, c->density->log_density(c->self, frame, z, log_p));
}

WEIR_INLINE weir_status weir_density_vjp(const weir_child *c, weir_frame *frame, const weir_tile *z,
                                         const weir_real *log_p_bar, const weir_tile *z_bar)
{
    WEIR_CALL_CHILD(frame, c->density->vjp(c->self, frame, z, log_p_bar, z_bar));
}

WEIR_INLINE weir_status weir_density_sample(const weir_child *c, weir_frame *frame, const weir_tile *z)
{
    WEIR_CALL_CHILD(frame, c->density->sample(c->self, frame, z));
}

WEIR_INLINE weir_status weir_density_sample_vjp(const weir_child *c, weir_frame *frame, const weir_tile *z,
                                                const weir_tile *z_bar)
{
    WEIR_CALL_CHILD(frame, c->density->sample_vjp(c->self, frame, z, z_bar));
}

#endif
