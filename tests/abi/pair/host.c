/* host.c - a host with the tables of the headers it is compiled with, and nothing behind them: old headers make an old host
 * (old_new.sh). It creates the univariates of the plugins named on the command line, with their default options, runs each
 * on a tile and prints every result to the bit.
 *
 * SPDX-License-Identifier: MIT
 *
 * Each of its tables ends where a page ends that is followed by one without access: a plugin that reads a member which this
 * host does not have is killed.
 */
#define _GNU_SOURCE
#include <weir/build.h>

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ROWS     5
#define WIDTH    8
#define FEATURES 2
#define TENSORS  64

#ifdef TOMORROW
static int32_t used_tomorrow; /* how often a plugin found the members of tomorrow */
#endif

/* Memory of `size` bytes before the edge. */
static void *at_edge(const void *content, size_t size)
{
    const size_t page = 4096, pages = (size + page - 1) / page * page;
    char *const start = mmap(NULL, pages + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || mprotect(start + pages, page, PROT_NONE) != 0) exit(3);
    return memcpy(start + pages - size, content, size);
}

/* ---- mathematics and services -------------------------------------------------------------------- */

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double softplus(double x)
{
    return x > 30 ? x : log1p(exp(x));
}

#define WHOLE_LANE(name, text)                                                                               \
    static void name##_lane(int64_t n, const void *x, void *y)                                               \
    {                                                                                                        \
        for (int64_t i = 0; i < n; i++) ((double *)y)[i] = name(((const double *)x)[i]);                     \
    }
WEIR_MATH_LIST(WHOLE_LANE)

static char scratch[1 << 20];
static int64_t scratch_used;
static char reason[256];

static void *scratch_take(weir_frame *frame, int64_t bytes)
{
    (void)frame;
    const int64_t start = (scratch_used + 63) / 64 * 64;
    if (bytes < 0 || bytes > (int64_t)sizeof scratch - 64 - start) return NULL;
    scratch_used = start + bytes;
    return (void *)(((uintptr_t)scratch + 63) / 64 * 64 + (uintptr_t)start);
}

static int64_t scratch_mark(weir_frame *frame)
{
    (void)frame;
    return scratch_used;
}

static void scratch_release(weir_frame *frame, int64_t mark)
{
    (void)frame;
    scratch_used = mark;
}

static void fail_call(weir_frame *frame, const char *text)
{
    (void)frame;
    snprintf(reason, sizeof reason, "%s", text);
}

static const void *no_extension(const char *id)
{
    (void)id;
    return NULL;
}

/* ---- the builder ---------------------------------------------------------------------------------- */

typedef struct making {
    const weir_module *module;
    double *tensors[TENSORS];
    int32_t tensor_count, params;
    double identity[256];
    int32_t failed;
} making;

static making now;

static const char *value_of(const char *name)
{
    for (int32_t i = 0; i < now.module->option_count; i++) {
        const weir_option *const option =
            (const void *)((const char *)now.module->options + (int64_t)i * now.module->option_stride);
        if (strcmp(option->name, name) == 0) return option->default_json;
    }
    now.failed = 1;
    return "0";
}

static int64_t integer(weir_builder *build, const char *name)
{
    (void)build;
    return strtoll(value_of(name), NULL, 10);
}

static double number(weir_builder *build, const char *name)
{
    (void)build;
    return strtod(value_of(name), NULL);
}

static int32_t boolean(weir_builder *build, const char *name)
{
    (void)build;
    return strcmp(value_of(name), "true") == 0;
}

static int32_t given(weir_builder *build, const char *name)
{
    const char *const value = value_of(name);
    (void)build;
    return value && strcmp(value, "null") != 0;
}

static const char *string(weir_builder *build, const char *name)
{
    static char text[64];
    (void)build;
    snprintf(text, sizeof text, "%s", value_of(name) + 1);
    if (*text) text[strlen(text) - 1] = '\0';
    return text;
}

static weir_handle tensor(int32_t rank, const int64_t *dims, const weir_init *init)
{
    int64_t count = 1;
    for (int32_t i = 0; i < rank; i++) count *= dims[i];
    if (now.tensor_count == TENSORS || count > 4096) return now.failed = 1, -1;
    double *const values = calloc((size_t)count + 1, sizeof *values);
    if (!values) exit(3);
    for (int64_t i = 0; init && i < count; i++)
        values[i] = init->kind == WEIR_INIT_VALUES ? init->values[i] : init->a;
    now.tensors[now.tensor_count] = values;
    return now.tensor_count++;
}

static weir_handle parameter(weir_builder *build, const char *name, int32_t rank, const int64_t *dims,
                             const weir_init *init, uint32_t flags)
{
    (void)build, (void)name, (void)flags;
    return tensor(rank, dims, init);
}

static weir_handle derived(weir_builder *build, const char *name, int32_t rank, const int64_t *dims)
{
    (void)build, (void)name;
    return tensor(rank, dims, NULL);
}

static weir_handle buffer(weir_builder *build, const char *name, int32_t rank, const int64_t *dims,
                          const weir_init *init)
{
    (void)build, (void)name;
    return tensor(rank, dims, init);
}

static int32_t has_child(weir_builder *build, const char *slot)
{
    (void)build, (void)slot;
    return 0;
}

static void input_domain(weir_builder *build, int32_t lane, weir_domain *domain)
{
    (void)build, (void)lane;
    domain->kind = WEIR_DOMAIN_UNSTATED;
}

static weir_status take_domain(weir_builder *build, const weir_domain *domain)
{
    (void)build, (void)domain;
    return WEIR_OK;
}

static weir_status params(weir_builder *build, int32_t count, const double *identity)
{
    (void)build;
    if (count < 0 || count > 256) return now.failed = 1, WEIR_INVALID;
    now.params = count;
    if (count) memcpy(now.identity, identity, (size_t)count * sizeof *identity);
    return WEIR_OK;
}

static void traits(weir_builder *build, uint32_t bits)
{
    (void)build, (void)bits;
}

static void fail_create(weir_builder *build, const char *text)
{
    fail_call(NULL, text);
    (void)build;
    now.failed = 1;
}

static int32_t failed(weir_builder *build)
{
    (void)build;
    return now.failed;
}

static const weir_builder builder = {
    .struct_size = (uint32_t)sizeof(weir_builder),
    .precision = WEIR_F64,
    .features = 1,
    .stream = 1,
    .integer = integer,
    .number = number,
    .boolean = boolean,
    .string = string,
    .given = given,
    .parameter = parameter,
    .derived = derived,
    .buffer = buffer,
    .has_child = has_child,
    .input_domain = input_domain,
    .require = take_domain,
    .produce = take_domain,
    .params = params,
    .traits = traits,
    .fail = fail_create,
    .failed = failed,
    .extension = no_extension,
#ifdef TOMORROW
    .tomorrow = &used_tomorrow,
#endif
};

/* ---- one univariate on one tile ----------------------------------------------------------------- */

static weir_frame *frame_of(void)
{
    static uint64_t row_ids[WIDTH], discard[1];
    const weir_services services = {.struct_size = (uint32_t)sizeof services,
                                    .scratch_take = scratch_take,
                                    .scratch_mark = scratch_mark,
                                    .scratch_release = scratch_release,
                                    .fail = fail_call,
                                    .extension = no_extension};
#define MEMBER(name, text) .name = name##_lane,
    const weir_math math = {
        .struct_size = (uint32_t)sizeof math, .precision = WEIR_F64, WEIR_MATH_LIST(MEMBER)};
    const weir_frame frame = {
        .struct_size = (uint32_t)sizeof frame,
        .precision = WEIR_F64,
        .rows = ROWS,
        .width = WIDTH,
        .stride = WIDTH,
        .services = at_edge(&services, sizeof services),
        .math = at_edge(&math, sizeof math),
        .tensors = (void *const *)now.tensors,
        .row_ids = row_ids,
        .discard = discard,
#ifdef TOMORROW
        .tomorrow = &used_tomorrow,
#endif
    };
    *discard = 0;
    return at_edge(&frame, sizeof frame);
}

static const weir_tile *tile_of(double *values, int32_t features)
{
    const weir_tile tile = {.struct_size = (uint32_t)sizeof tile,
                            .features = features,
                            .data = values,
                            .stride = WIDTH,
                            .rows = ROWS,
                            .width = WIDTH};
    return at_edge(&tile, sizeof tile);
}

static void show(const char *what, const double *values, int32_t lanes)
{
    printf("  %s", what);
    for (int32_t f = 0; f < lanes; f++)
        for (int32_t r = 0; r < ROWS; r++) printf(" %a", values[f * WIDTH + r]);
    printf("\n");
}

static void run(const weir_module *module, void *self)
{
    static _Alignas(64) double x[FEATURES * WIDTH], y[FEATURES * WIDTH], log_det[WIDTH],
        p[FEATURES * 256 * WIDTH];
    const weir_univariate_ops *const ops = module->ops;
    weir_frame *const frame = frame_of();
    for (int32_t i = 0; i < FEATURES * WIDTH; i++)
        x[i] = 0.07 + 0.11 * (i % WIDTH % ROWS) + 0.03 * (i / WIDTH);
    for (int32_t i = 0; i < FEATURES * now.params * WIDTH; i++)
        p[i] = now.identity[i / WIDTH % now.params] + 0.01 * (i % 7);
    memset(log_det, 0, sizeof log_det);
    memset(y, 0, sizeof y);
    scratch_used = 0;
    if (module->prepare && module->prepare(self, frame) != WEIR_OK) {
        printf("  prepare failed\n");
        return;
    }
    const weir_status status =
        ops->forward(self, frame, tile_of(x, FEATURES), now.params ? tile_of(p, FEATURES * now.params) : NULL,
                     tile_of(y, FEATURES), log_det);
    printf("  status %d, %d parameters\n", (int)status, (int)now.params);
    if (status != WEIR_OK && status != WEIR_DISCARD) return;
    show("y", y, FEATURES);
    show("log_det", log_det, 1);
}

static void try(const weir_module *module)
{
    void *self = NULL;
    memset(&now, 0, sizeof now);
    now.module = module;
    printf("%s\n", module->id);
    const weir_status status = module->create(at_edge(&builder, sizeof builder), &self);
    if (status != WEIR_OK) {
        printf("  refused: %s\n", reason);
        return;
    }
    run(module, self);
    module->destroy(self);
}

int main(int count, char **files)
{
    for (int i = 1; i < count; i++) {
        void *const handle = dlopen(files[i], RTLD_NOW | RTLD_LOCAL);
        weir_plugin_fn plugin;
        *(void **)&plugin = handle ? dlsym(handle, WEIR_PLUGIN_SYMBOL) : NULL;
        if (!plugin) return fprintf(stderr, "%s\n", dlerror()), 3;
        const weir_root *const root = plugin();
        if (root->fingerprint->draft != WEIR_ABI_DRAFT) return fprintf(stderr, "%s: draft\n", files[i]), 3;
        for (int32_t m = 0; m < root->module_count(); m++) {
            const weir_module *const module = root->module(m, WEIR_F64);
            if (module && module->kind == WEIR_UNIVARIATE) try(module);
        }
        fflush(stdout);
    }
#ifdef TOMORROW
    fprintf(stderr, "tomorrow %d\n", (int)used_tomorrow);
#endif
    return 0;
}
