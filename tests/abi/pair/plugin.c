/* plugin.c - a univariate, y = e^s x + shift + offset, that needs the structs of the ABI and no helper of the SDK, so that
 * it compiles with every set of headers there was (old_new.sh). f64 only.
 *
 * SPDX-License-Identifier: MIT
 *
 * With headers of the time to come (-DTOMORROW: each struct that may grow has a last member `tomorrow`) it fills the new
 * members of its own tables, and asks for those of the host before it touches them; -DCARELESS leaves the asking out.
 * Each of its tables ends where a page ends that is followed by one without access: a host that reads a member which this
 * plugin does not have is killed.
 */
#define _GNU_SOURCE
#include <weir/build.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef TOMORROW
/* What no host of today may look at. */
#define TAIL .tomorrow = (void *)(uintptr_t)UINT64_C(0xa5a5a5a5a5a5a5a5),
#else
#define TAIL
#endif
#ifdef CARELESS
#define THERE(p) ((p)->tomorrow != NULL)
#else
#define THERE(p) (WEIR_HAS(p, tomorrow) && (p)->tomorrow != NULL)
#endif

typedef struct stretch {
    weir_handle shift;
    double offset;
} stretch;

static double *lane(const weir_tile *tile, int32_t f)
{
    return (double *)tile->data + (int64_t)f * tile->stride;
}

static double constant(const stretch *self, const weir_frame *frame)
{
    return *(const double *)frame->tensors[self->shift] + self->offset;
}

/* e^s of a feature: on the tape when there is one. */
static double *growth(weir_frame *frame, const weir_tile *params, int32_t f, int keep)
{
    const int64_t bytes = frame->stride * (int64_t)sizeof(double);
    double *const e = keep && frame->tape ? frame->services->tape_push(frame, bytes)
                                          : frame->services->scratch_take(frame, bytes);
    if (e) frame->math->exp(frame->width, lane(params, f), e);
    return e;
}

static weir_status finite_rows(weir_frame *frame, const double *values)
{
    weir_status status = WEIR_OK;
    for (int32_t r = 0; r < frame->rows; r++) {
        if (values[r] - values[r] == 0) continue;
        frame->discard[r >> 6] |= UINT64_C(1) << (r & 63);
        status = WEIR_DISCARD;
    }
    return status;
}

static weir_status forward(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *params,
                           const weir_tile *y, void *log_det)
{
    const double c = constant(self, frame);
    double *const l = log_det;
    weir_status status = WEIR_OK;
#ifdef TOMORROW
    if (THERE(frame)) ++*(int32_t *)frame->tomorrow;
#endif
    for (int32_t f = 0; f < x->features; f++) {
        const double *const e = growth(frame, params, f, 1);
        if (!e) return WEIR_ERROR;
        for (int32_t r = 0; r < frame->width; r++) {
            lane(y, f)[r] = e[r] * lane(x, f)[r] + c;
            if (l) l[r] += lane(params, f)[r];
        }
        if (finite_rows(frame, lane(y, f))) status = WEIR_DISCARD;
    }
    return status;
}

static weir_status inverse(const void *self, weir_frame *frame, const weir_tile *y, const weir_tile *params,
                           const weir_tile *x, void *log_det)
{
    const double c = constant(self, frame);
    double *const l = log_det;
    weir_status status = WEIR_OK;
    for (int32_t f = 0; f < y->features; f++) {
        const double *const e = growth(frame, params, f, 0);
        if (!e) return WEIR_ERROR;
        for (int32_t r = 0; r < frame->width; r++) {
            lane(x, f)[r] = (lane(y, f)[r] - c) / e[r];
            if (l) l[r] -= lane(params, f)[r];
        }
        if (finite_rows(frame, lane(x, f))) status = WEIR_DISCARD;
    }
    return status;
}

static weir_status forward_vjp(const void *self, weir_frame *frame, const weir_tile *x,
                               const weir_tile *params, const weir_tile *y, const weir_tile *y_bar,
                               const void *log_det_bar, const weir_tile *x_bar, const weir_tile *params_bar)
{
    const stretch *const own = self;
    double *const shift_bar = frame->gradients ? frame->gradients[own->shift] : NULL;
    const double *const l = log_det_bar;
    (void)params, (void)y;
    for (int32_t f = x->features - 1; f >= 0; f--) {
        const double *const e = frame->services->tape_pop(frame, frame->stride * (int64_t)sizeof(double));
        if (!e) return WEIR_ERROR;
        for (int32_t r = 0; r < frame->width; r++) {
            const double bar = y_bar ? lane(y_bar, f)[r] : 0;
            if (params_bar) lane(params_bar, f)[r] = bar * e[r] * lane(x, f)[r] + (l ? l[r] : 0);
            if (x_bar) lane(x_bar, f)[r] = bar * e[r];
            if (shift_bar && r < frame->rows) *shift_bar += bar;
        }
    }
    return WEIR_OK;
}

static const weir_univariate_ops ops = {.struct_size = (uint32_t)sizeof(weir_univariate_ops),
                                        .forward = forward,
                                        .inverse = inverse,
                                        .forward_vjp = forward_vjp,
                                        TAIL};

static weir_status create(weir_builder *build, void **self)
{
    static const double identity[1] = {0};
    const int64_t dims[1] = {1};
    stretch *const own = malloc(sizeof *own);
    if (!own) return WEIR_INVALID;
#ifdef TOMORROW
    if (THERE(build)) ++*(int32_t *)build->tomorrow;
#endif
    own->offset = build->boolean(build, "shifted") ? build->number(build, "offset") : 0;
    own->shift = build->parameter(build, "shift", 1, dims, NULL, 0);
    build->params(build, 1, identity);
    if (build->failed(build)) {
        free(own);
        return WEIR_INVALID;
    }
    *self = own;
    return WEIR_OK;
}

static void destroy(void *self)
{
    free(self);
}

static const weir_option options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_NUMBER,
     .name = "offset",
     .default_json = "0.25",
     .minimum = -10,
     .maximum = 10,
     .summary = "what is added",
     TAIL},
    {.struct_size = (uint32_t)sizeof(weir_option),
     .type = WEIR_BOOLEAN,
     .name = "shifted",
     .default_json = "true",
     .summary = "whether it is",
     TAIL},
};

static const weir_module module = {.struct_size = (uint32_t)sizeof(weir_module),
                                   .kind = WEIR_UNIVARIATE,
                                   .precision = WEIR_F64,
                                   .id = "pair.stretch",
                                   .version = "1.0.0",
                                   .summary = "y = e^s x + shift + offset",
                                   .doc = "y = e^s x + shift + offset; log |dy/dx| = s.",
                                   .option_count = 2,
                                   .option_stride = (int32_t)sizeof(weir_option),
                                   .create = create,
                                   .destroy = destroy,
                                   .ops = &ops,
                                   TAIL};

/* Memory of `size` bytes before the edge, holding `content`. */
static void *at_edge(const void *content, size_t size)
{
    const size_t page = 4096, pages = (size + page - 1) / page * page;
    char *const start = mmap(NULL, pages + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || mprotect(start + pages, page, PROT_NONE) != 0) abort();
    return memcpy(start + pages - size, content, size);
}

static const weir_module *edge_module; /* made when the plugin is asked for its root */

static void make_module(void)
{
    weir_module copy = module;
    if (edge_module) return;
    copy.options = at_edge(options, sizeof options);
    copy.ops = at_edge(&ops, sizeof ops);
    edge_module = at_edge(&copy, sizeof copy);
}

static int32_t count(void)
{
    return 1;
}

static const weir_module *at(int32_t index, int32_t precision)
{
    return index == 0 && precision == WEIR_F64 ? edge_module : NULL;
}

struct alignment {
    char first;
    int64_t value;
};

static const weir_fingerprint fingerprint = {
    .struct_size = (uint32_t)sizeof(weir_fingerprint),
    .draft = WEIR_ABI_DRAFT,
    .pointer_size = (uint32_t)sizeof(void *),
    .int64_align = (uint32_t)offsetof(struct alignment, value),
    .byte_order = UINT32_C(0x01020304),
    .fork = "weir",
};

static const weir_root root = {
    .magic = WEIR_MAGIC,
    .struct_size = (uint32_t)sizeof(weir_root),
    .abi_major = WEIR_ABI_MAJOR,
    .abi_minor = WEIR_ABI_MINOR,
    .fingerprint = &fingerprint,
    .name = "stretch",
    .version = "1.0.0",
    .module_count = count,
    .module = at,
};

WEIR_EXPORT const weir_root *weir_plugin(void);
const weir_root *weir_plugin(void)
{
    make_module();
    return &root;
}
