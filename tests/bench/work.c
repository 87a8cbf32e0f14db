/* work.c - see work.h. */
#include "work.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const operation_names[OPERATIONS] = {"train", "log_prob", "sample"};

const work works[WORKS] = {
    {"W1", "RealNVP, 43 features, 10 affine couplings, MLP 2 x 100", COUPLING, 43, 10, 100, 0},
    {"W2a", "MAF, 6 features, 5 layers, MADE 2 x 100", AUTOREGRESSIVE, 6, 5, 100, 0},
    {"W2b", "MAF, 63 features, 10 layers, MADE 2 x 512", AUTOREGRESSIVE, 63, 10, 512, 0},
    {"W3", "RQ-NSF couplings, 8 features, 10 layers, 8 bins, MLP 2 x 128", COUPLING, 8, 10, 128, 8},
    {"W4a", "planar, 2 features, 32 layers", PLANAR, 2, 32, 0, 0},
    {"W4b", "planar, 40 features, 32 layers", PLANAR, 40, 32, 0, 0},
};

const work *work_find(const char *id, size_t length)
{
    for (int i = 0; i < WORKS; i++) {
        if (strlen(works[i].id) == length && memcmp(works[i].id, id, length) == 0) return &works[i];
    }
    return NULL;
}

/* ---- the model ----------------------------------------------------------------------------------------------------- */

typedef struct text {
    char *data;
    size_t size, used;
} text;

static void add(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(text *t, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    const size_t room = t->used < t->size ? t->size - t->used : 0;
    const int length = vsnprintf(room ? t->data + t->used : NULL, room, format, list);
    va_end(list);
    t->used += length > 0 ? (size_t)length : 0;
}

/* Layers take turns: a coupling moves what the one before it passed, a masked network reads the features backwards. */
static void add_layer(text *t, const work *w, int32_t i)
{
    if (w->shape == PLANAR) {
        add(t, "{\"type\":\"planar\"}");
        return;
    }
    const int coupling = w->shape == COUPLING;
    if (coupling)
        add(t, "{\"type\":\"coupling\",\"options\":{\"mask\":\"%s\"}", i % 2 ? "odd" : "even");
    else
        add(t, "{\"type\":\"autoregressive\",\"options\":{\"order\":\"%s\"}", i % 2 ? "reverse" : "natural");
    if (w->bins)
        add(t, ",\"children\":{\"univariate\":{\"type\":\"rq_spline\",\"options\":{\"bins\":%d}}",
            (int)w->bins);
    else
        add(t, ",\"children\":{\"univariate\":{\"type\":\"affine\"}");
    add(t, ",\"network\":{\"type\":\"%s\",\"options\":{\"hidden\":[%d,%d]}}}}", coupling ? "mlp" : "made",
        (int)w->width, (int)w->width);
}

int work_describe(const work *w, const char *dtype, char *json, size_t size)
{
    text t = {json, size, 0};
    add(&t,
        "{\"features\":%d,\"dtype\":\"%s\",\"seed\":1,\"base\":{\"type\":\"normal\"},\"flow\":{\"type\":"
        "\"chain\",\"children\":{\"layers\":[",
        (int)w->features, dtype);
    for (int32_t i = 0; i < w->layers; i++) {
        if (i > 0) add(&t, ",");
        add_layer(&t, w, i);
    }
    add(&t, "]}}}");
    return t.used < size;
}

/* ---- its cost ------------------------------------------------------------------------------------------------------ */

static int32_t outputs_per_feature(const work *w)
{
    return w->bins ? 3 * w->bins - 1 : 2;
}

/* The three layers of the network of a coupling that passes `passing` features. */
static int dense_coupling(const work *w, int32_t passing, int32_t count, dense *list)
{
    const int32_t outputs = (w->features - passing) * outputs_per_feature(w);
    list[0] = (dense){w->width, passing, count, 1};
    list[1] = (dense){w->width, w->width, count, 1};
    list[2] = (dense){outputs, w->width, count, 1};
    return 3;
}

/* Degrees 1 .. D - 1, spread evenly over the units. */
static int32_t degree(const work *w, int32_t unit)
{
    const int64_t n = w->features - 1;
    if (w->width < n) return (int32_t)(1 + unit * (n - 1) / (w->width > 1 ? w->width - 1 : 1));
    return (int32_t)(1 + unit * n / w->width);
}

static int dense_masked(const work *w, dense *list)
{
    const int32_t h = w->width, d = w->features;
    double first = 0, middle = 0, last = 0;
    for (int32_t u = 0; u < h; u++) {
        first += degree(w, u);
        for (int32_t v = 0; v < h; v++) middle += degree(w, v) <= degree(w, u);
        last += d - degree(w, u); /* features after its degree see the unit */
    }
    list[0] = (dense){h, d, w->layers, first / ((double)h * d)};
    list[1] = (dense){h, h, w->layers, middle / ((double)h * h)};
    list[2] = (dense){d * outputs_per_feature(w), h, w->layers, last / ((double)d * h)};
    return 3;
}

int work_dense(const work *w, dense *list, int most)
{
    if (w->shape == PLANAR || most < 6) return 0;
    if (w->shape == AUTOREGRESSIVE) return dense_masked(w, list);
    const int32_t even = w->features / 2, odd = w->features - even;
    if (even == odd) return dense_coupling(w, even, w->layers, list);
    const int used = dense_coupling(w, even, (w->layers + 1) / 2, list);
    return used + dense_coupling(w, odd, w->layers / 2, list + used);
}

double work_flops(const work *w, operation op)
{
    dense list[6];
    const int count = work_dense(w, list, 6);
    double sum = w->shape == PLANAR ? 4.0 * w->features * w->layers : 0;
    for (int i = 0; i < count; i++) sum += 2.0 * list[i].out * list[i].in * list[i].count * list[i].share;
    return op == TRAIN ? 3 * sum : sum;
}
