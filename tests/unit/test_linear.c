/* test_linear.c - linear objects against plain loops: dense and block-structured, ranges, indexed and reversed tiles. */
#include "math/linear.h"
#include "math/math.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- a frame of our own --------------------------------------------------------------------- */

#define ARENA   (INT64_C(1) << 23)
#define UNKNOWN (-77.0) /* what no call may touch */

static _Alignas(64) unsigned char arena[ARENA];
static int64_t arena_used;
static char refusal[256];

static void *scratch_take(weir_frame *frame, int64_t bytes)
{
    (void)frame;
    const int64_t start = arena_used;
    if (bytes < 0 || bytes > ARENA - start) return NULL;
    arena_used = (start + bytes + 63) / 64 * 64;
    memset(arena + start, 0xff, (size_t)bytes); /* not a number, in both precisions */
    return arena + start;
}

static int64_t scratch_mark(weir_frame *frame)
{
    (void)frame;
    return arena_used;
}

static void scratch_release(weir_frame *frame, int64_t mark)
{
    (void)frame;
    arena_used = mark;
}

static void fail(weir_frame *frame, const char *text)
{
    (void)frame;
    strncpy(refusal, text, sizeof refusal - 1);
}

static const weir_services services = {.struct_size = sizeof(weir_services),
                                       .scratch_take = scratch_take,
                                       .scratch_mark = scratch_mark,
                                       .scratch_release = scratch_release,
                                       .fail = fail};

/* What run/run.h puts behind a frame begins with this. */
typedef struct host {
    weir__linear *const *linears;
    unsigned char *unwritten;
} host;

enum { WEIGHT, BIAS, TENSORS };

typedef struct bench {
    weir__linear linear, *list;
    host host;
    weir_frame frame;
    void *tensors[TENSORS], *gradients[TENSORS];
    int32_t in, out, width, rows;
    int32_t extent[256];
} bench;

static uint64_t state = UINT64_C(0x2545f4914f6cdd1d);

static uint64_t bits(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static double uniform(double low, double high)
{
    return low + (high - low) * ((double)(bits() >> 11) / 9007199254740992.0);
}

static int32_t below(int32_t n)
{
    return (int32_t)(bits() % (uint64_t)n);
}

static double get(const bench *b, const void *array, int64_t i)
{
    return b->frame.precision == WEIR_F32 ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

static void put(const bench *b, void *array, int64_t i, double value)
{
    if (b->frame.precision == WEIR_F32) {
        ((float *)array)[i] = (float)value;
    } else {
        ((double *)array)[i] = value;
    }
}

static double tolerance(const bench *b)
{
    return b->frame.precision == WEIR_F32 ? 2e-5 : 1e-13;
}

static void *room(int64_t elements)
{
    void *const memory = aligned_alloc(64, (size_t)(elements + 8) / 8 * 8 * sizeof(double));
    cr_assert(memory);
    return memory;
}

/* A linear object with random weights in a frame. extent NULL: dense. */
static void set_up(bench *b, int32_t precision, int32_t in, int32_t out, int32_t activation,
                   const int32_t *extent, int32_t width)
{
    *b = (bench){.in = in, .out = out, .width = width, .rows = below(4) == 0 ? 1 : 1 + below(width)};
    const weir_linear_spec spec = {.struct_size = sizeof spec,
                                   .activation = activation,
                                   .name = "tested",
                                   .in = in,
                                   .out = out,
                                   .extent = extent};
    cr_assert_eq(weir__linear_init(&b->linear, &spec, NULL), WEIR_OK);
    for (int32_t o = 0; o < out; o++) b->extent[o] = extent ? extent[o] : in;
    b->linear.weight = WEIGHT;
    b->linear.bias = BIAS;
    b->list = &b->linear;
    b->host.linears = &b->list;
    b->frame = (weir_frame){.struct_size = sizeof b->frame,
                            .precision = precision,
                            .rows = b->rows,
                            .width = width,
                            .stride = width + 16,
                            .services = &services,
                            .math = weir__math(precision),
                            .tensors = b->tensors,
                            .gradients = b->gradients,
                            .host = &b->host};
    const int64_t sizes[TENSORS] = {(int64_t)in * out, out};
    for (int t = 0; t < TENSORS; t++) {
        b->tensors[t] = room(sizes[t]);
        b->gradients[t] = room(sizes[t]);
        for (int64_t i = 0; i < sizes[t]; i++) {
            put(b, b->tensors[t], i, uniform(-1, 1));
            put(b, b->gradients[t], i, uniform(-1, 1));
        }
    }
    weir__linear_mask(&b->linear, precision, b->tensors[WEIGHT]);
}

static void tear_down(bench *b)
{
    for (int t = 0; t < TENSORS; t++) {
        free(b->tensors[t]);
        free(b->gradients[t]);
    }
    weir__linear_clear(&b->linear);
    cr_assert_eq(arena_used, 0, "scratch was kept");
}

static double weight(const bench *b, int32_t o, int32_t i)
{
    return get(b, b->tensors[WEIGHT], (int64_t)o * b->in + i);
}

/* ---- tiles of every form -------------------------------------------------------------------- */

enum { STRAIGHT, REVERSED, SHUFFLED, SPACED, FORMS };

typedef struct sheet {
    weir_tile tile;
    void *memory, *copy;
    int64_t elements;
    int32_t lanes[256];
} sheet;

static int64_t place(const sheet *s, int32_t f, int32_t row)
{
    const int64_t lane = s->tile.lanes ? s->tile.lanes[f] : f;
    const int64_t start = s->tile.stride < 0 ? -(s->tile.features - 1) * s->tile.stride : 0;
    return start + lane * s->tile.stride + row;
}

static void remember(const bench *b, sheet *s)
{
    memcpy(s->copy, s->memory,
           (size_t)s->elements * (b->frame.precision == WEIR_F32 ? sizeof(float) : sizeof(double)));
}

static double value(const bench *b, const sheet *s, int32_t f, int32_t row)
{
    return get(b, s->memory, place(s, f, row));
}

static double former(const bench *b, const sheet *s, int32_t f, int32_t row)
{
    return get(b, s->copy, place(s, f, row));
}

static void set_lane(const bench *b, sheet *s, int32_t f, double everywhere)
{
    for (int32_t r = 0; r < b->width; r++) put(b, s->memory, place(s, f, r), everywhere);
}

/* Random rows; padding repeats row 0 (cotangents: is zero); everything else is UNKNOWN. */
static void make_sheet(const bench *b, sheet *s, int32_t features, int32_t form, int cotangent)
{
    const int64_t stride = b->width + 16;
    const int32_t lanes = 2 * features + 1;
    *s = (sheet){.tile = {.struct_size = sizeof(weir_tile),
                          .features = features,
                          .stride = form == REVERSED ? -stride : stride,
                          .rows = b->rows,
                          .width = b->width},
                 .elements = lanes * stride};
    s->memory = room(s->elements);
    s->copy = room(s->elements);
    for (int64_t i = 0; i < s->elements; i++) put(b, s->memory, i, UNKNOWN);
    for (int32_t f = 0; f < features; f++) s->lanes[f] = form == SPACED ? lanes - 1 - 2 * f : f;
    for (int32_t f = 0; form == SHUFFLED && f < features; f++) {
        const int32_t other = below(f + 1), lane = s->lanes[other];
        s->lanes[other] = s->lanes[f];
        s->lanes[f] = lane;
    }
    if (form == SHUFFLED || form == SPACED) s->tile.lanes = s->lanes;
    const int64_t start = s->tile.stride < 0 && features > 0 ? -(features - 1) * s->tile.stride : 0;
    s->tile.data = (char *)s->memory + start * (b->frame.precision == WEIR_F32 ? 4 : 8);
    for (int32_t f = 0; f < features; f++) {
        for (int32_t r = 0; r < b->width; r++) {
            const double padding = cotangent ? 0 : value(b, s, f, 0);
            put(b, s->memory, place(s, f, r), r < b->rows ? uniform(-2, 2) : padding);
        }
    }
    remember(b, s);
}

static void drop_sheet(sheet *s)
{
    free(s->memory);
    free(s->copy);
}

/* Nothing outside lanes [first, first + count), rows below width, may have changed. */
static void check_untouched(const bench *b, sheet *s, int32_t first, int32_t count, const char *call)
{
    for (int32_t f = first; f < first + count; f++) {
        for (int32_t r = 0; r < b->width; r++) put(b, s->copy, place(s, f, r), value(b, s, f, r));
    }
    const size_t size = b->frame.precision == WEIR_F32 ? sizeof(float) : sizeof(double);
    cr_assert_eq(memcmp(s->copy, s->memory, (size_t)s->elements * size), 0, "%s wrote outside its lanes",
                 call);
}

/* ---- references ----------------------------------------------------------------------------- */

static double activation(int32_t kind, double x)
{
    switch (kind) {
    case WEIR_ACTIVATION_RELU:
        return x > 0 ? x : 0;
    case WEIR_ACTIVATION_LEAKY_RELU:
        return x > 0 ? x : 0.01 * x;
    case WEIR_ACTIVATION_TANH:
        return tanh(x);
    case WEIR_ACTIVATION_SIGMOID:
        return 1 / (1 + exp(-x));
    case WEIR_ACTIVATION_ELU:
        return x > 0 ? x : expm1(x);
    case WEIR_ACTIVATION_SOFTPLUS:
        return log1p(exp(x));
    default:
        return x;
    }
}

static void check(const bench *b, double got, double want, double size, const char *call, int32_t f,
                  int32_t row)
{
    cr_assert(fabs(got - want) <= tolerance(b) * (1 + size),
              "%s in f%d, in %d, out %d, width %d: feature %d of row %d is %.9g, not %.9g", call,
              (int)b->frame.precision, (int)b->in, (int)b->out, (int)b->width, (int)f, (int)row, got, want);
}

static void check_forward(const bench *b, const sheet *x, const sheet *y, int32_t first, int32_t count,
                          int add)
{
    for (int32_t o = first; o < first + count; o++) {
        for (int32_t r = 0; r < b->rows; r++) {
            double sum = b->linear.bias < 0 ? 0 : get(b, b->tensors[BIAS], o), size = fabs(sum);
            if (add) sum += former(b, y, o, r);
            for (int32_t i = 0; i < b->extent[o]; i++) {
                sum += weight(b, o, i) * value(b, x, i, r);
                size += fabs(weight(b, o, i) * value(b, x, i, r));
            }
            check(b, value(b, y, o, r), activation(b->linear.activation, sum), size, "forward", o, r);
        }
    }
}

static void check_vjp_input(const bench *b, const sheet *y_bar, const sheet *x_bar, int32_t first,
                            int32_t count, int add)
{
    for (int32_t i = first; i < first + count; i++) {
        for (int32_t r = 0; r < b->rows; r++) {
            double sum = add ? former(b, x_bar, i, r) : 0, size = fabs(sum);
            for (int32_t o = 0; o < b->out; o++) {
                if (b->extent[o] <= i) continue;
                sum += weight(b, o, i) * value(b, y_bar, o, r);
                size += fabs(weight(b, o, i) * value(b, y_bar, o, r));
            }
            check(b, value(b, x_bar, i, r), sum, size, "vjp_input", i, r);
        }
    }
}

static void check_vjp_weights(const bench *b, const sheet *x, const sheet *y_bar, const double *before)
{
    for (int32_t o = 0; o < b->out; o++) {
        double bias = 0, size = 0;
        for (int32_t r = 0; r < b->rows; r++)
            bias += value(b, y_bar, o, r), size += fabs(value(b, y_bar, o, r));
        const int64_t at = (int64_t)b->in * b->out + o;
        check(b, get(b, b->gradients[BIAS], o), before[at] + bias, size, "bias gradient", o, -1);
        for (int32_t i = 0; i < b->in; i++) {
            double sum = before[(int64_t)o * b->in + i];
            size = fabs(sum);
            for (int32_t r = 0; r < b->rows; r++) {
                sum += value(b, y_bar, o, r) * value(b, x, i, r);
                size += fabs(value(b, y_bar, o, r) * value(b, x, i, r));
            }
            if (i >= b->extent[o]) sum = size = 0;
            check(b, get(b, b->gradients[WEIGHT], (int64_t)o * b->in + i), sum, size, "weight gradient", o,
                  i);
        }
    }
}

/* ---- calls on one object -------------------------------------------------------------------- */

/* Inputs that no output of the range sees, and outputs that no input of it sees, may hold anything. */
static void forward_range(bench *b, int32_t first, int32_t count, int add, int32_t x_form, int32_t y_form)
{
    sheet x, y;
    int32_t most = 0;
    make_sheet(b, &x, b->in, x_form, 0);
    make_sheet(b, &y, b->out, y_form, 0);
    for (int32_t o = first; o < first + count; o++) most = b->extent[o] > most ? b->extent[o] : most;
    for (int32_t i = most; i < b->in; i++) set_lane(b, &x, i, NAN);
    for (int32_t o = first; !add && o < first + count; o++) set_lane(b, &y, o, NAN);
    remember(b, &x);
    remember(b, &y);
    cr_assert_eq(
        weir__linear_forward(&b->frame, 0, first, count, &x.tile, &y.tile, add ? WEIR_LINEAR_ADD : 0),
        WEIR_OK);
    check_forward(b, &x, &y, first, count, add);
    check_untouched(b, &x, 0, 0, "forward");
    check_untouched(b, &y, first, count, "forward");
    drop_sheet(&x);
    drop_sheet(&y);
}

static void vjp_input_range(bench *b, int32_t first, int32_t count, int add, int32_t x_form, int32_t y_form)
{
    sheet x_bar, y_bar;
    make_sheet(b, &x_bar, b->in, x_form, 1);
    make_sheet(b, &y_bar, b->out, y_form, 1);
    for (int32_t o = 0; o < b->out; o++) {
        if (b->extent[o] <= first) set_lane(b, &y_bar, o, NAN);
    }
    for (int32_t i = first; !add && i < first + count; i++) set_lane(b, &x_bar, i, NAN);
    remember(b, &x_bar);
    remember(b, &y_bar);
    cr_assert_eq(weir__linear_vjp_input(&b->frame, 0, first, count, &y_bar.tile, &x_bar.tile,
                                        add ? WEIR_LINEAR_ADD : 0),
                 WEIR_OK);
    check_vjp_input(b, &y_bar, &x_bar, first, count, add);
    check_untouched(b, &y_bar, 0, 0, "vjp_input");
    check_untouched(b, &x_bar, first, count, "vjp_input");
    drop_sheet(&x_bar);
    drop_sheet(&y_bar);
}

/* What the object lets through is to be written, whatever was there. */
static void spoil_weights(bench *b, unsigned char *unwritten, double *before)
{
    unwritten[WEIGHT] = 1;
    b->host.unwritten = unwritten;
    for (int32_t o = 0; o < b->out; o++) {
        for (int32_t i = 0; i < b->extent[o]; i++) put(b, b->gradients[WEIGHT], (int64_t)o * b->in + i, NAN);
    }
    memset(before, 0, (size_t)b->out * (size_t)b->in * sizeof *before);
}

static void vjp_weights(bench *b, int32_t x_form, int32_t y_form, int written)
{
    unsigned char unwritten[TENSORS] = {0};
    sheet x, y_bar;
    const int64_t weights = (int64_t)b->in * b->out;
    double *const before = room(weights + b->out);
    make_sheet(b, &x, b->in, x_form, 0);
    make_sheet(b, &y_bar, b->out, y_form, 1);
    for (int64_t i = 0; i < weights; i++) before[i] = get(b, b->gradients[WEIGHT], i);
    for (int32_t o = 0; o < b->out; o++) before[weights + o] = get(b, b->gradients[BIAS], o);
    if (!written) spoil_weights(b, unwritten, before);
    cr_assert_eq(weir__linear_vjp_weights(&b->frame, 0, &x.tile, &y_bar.tile), WEIR_OK);
    weir__linear_mask(&b->linear, b->frame.precision, b->gradients[WEIGHT]);
    check_vjp_weights(b, &x, &y_bar, before);
    cr_assert_eq(unwritten[WEIGHT], written || b->out > 0 ? 0 : 1);
    b->host.unwritten = NULL;
    check_untouched(b, &x, 0, 0, "vjp_weights");
    check_untouched(b, &y_bar, 0, 0, "vjp_weights");
    free(before);
    drop_sheet(&x);
    drop_sheet(&y_bar);
}

static void random_range(int32_t features, int32_t *first, int32_t *count)
{
    *first = features ? below(features) : 0;
    *count = features ? 1 + below(features - *first) : 0;
    if (below(3) == 0) *first = 0, *count = features;
    if (below(3) == 0 && *count > 8) *count = 8;
}

static void exercise(bench *b)
{
    int32_t first, count;
    for (int round = 0; round < 4; round++) {
        random_range(b->out, &first, &count);
        forward_range(b, first, count, below(2), below(FORMS), below(FORMS));
        random_range(b->in, &first, &count);
        vjp_input_range(b, first, count, below(2), below(FORMS), below(FORMS));
    }
    vjp_weights(b, below(FORMS), below(FORMS), 1);
    vjp_weights(b, below(FORMS), below(FORMS), 0);
}

/* ---- tests ---------------------------------------------------------------------------------- */

static const int32_t widths[] = {8, 16, 32, 64, 96};
static const int32_t precisions[] = {WEIR_F32, WEIR_F64};

static int32_t random_features(void)
{
    static const int32_t sizes[] = {0, 1, 2, 3, 7, 8, 12, 13, 24, 25, 43, 48, 49, 64, 97, 100, 120};
    return sizes[below((int32_t)(sizeof sizes / sizeof sizes[0]))];
}

/* Like the layers of an autoregressive network: every degree has a few units, and sees what lower degrees make. */
static void staircase(int32_t *extent, int32_t in, int32_t out)
{
    const int32_t degrees = 1 + below(20);
    for (int32_t o = 0; o < out; o++)
        extent[o] = (int32_t)((int64_t)in * (o * (int64_t)degrees / out) / degrees);
}

static void any_extents(int32_t *extent, int32_t in, int32_t out)
{
    for (int32_t o = 0; o < out; o++) extent[o] = below(5) == 0 ? 0 : below(in + 1);
}

static void exercise_many(void (*extents)(int32_t *extent, int32_t in, int32_t out))
{
    for (int round = 0; round < 60; round++) {
        for (int p = 0; p < 2; p++) {
            const int32_t in = random_features(), out = random_features();
            int32_t extent[256];
            bench b;
            if (extents) extents(extent, in, out);
            set_up(&b, precisions[p], in, out, below(7), extents ? extent : NULL, widths[below(5)]);
            exercise(&b);
            tear_down(&b);
        }
    }
}

Test(linear, dense_objects, .timeout = 120)
{
    exercise_many(NULL);
}

Test(linear, staircases, .timeout = 120)
{
    exercise_many(staircase);
}

Test(linear, extents_in_any_order, .timeout = 120)
{
    exercise_many(any_extents);
}

Test(linear, without_bias_and_with_frozen_tensors)
{
    for (int p = 0; p < 2; p++) {
        bench b;
        sheet x, y_bar;
        set_up(&b, precisions[p], 20, 30, WEIR_ACTIVATION_NONE, NULL, 16);
        make_sheet(&b, &x, 20, STRAIGHT, 0);
        make_sheet(&b, &y_bar, 30, STRAIGHT, 1);
        void *const weight_gradient = b.gradients[WEIGHT], *const bias_gradient = b.gradients[BIAS];
        put(&b, weight_gradient, 0, 0.5);
        put(&b, bias_gradient, 0, 0.5);
        b.gradients[WEIGHT] = NULL;
        cr_assert_eq(weir__linear_vjp_weights(&b.frame, 0, &x.tile, &y_bar.tile), WEIR_OK);
        cr_assert_neq(get(&b, bias_gradient, 0), 0.5);
        put(&b, bias_gradient, 0, 0.5);
        b.gradients[WEIGHT] = weight_gradient;
        b.gradients[BIAS] = NULL;
        cr_assert_eq(weir__linear_vjp_weights(&b.frame, 0, &x.tile, &y_bar.tile), WEIR_OK);
        cr_assert_neq(get(&b, weight_gradient, 0), 0.5);
        cr_assert_eq(get(&b, bias_gradient, 0), 0.5);
        put(&b, weight_gradient, 0, 0.5);
        b.frame.gradients = NULL;
        cr_assert_eq(weir__linear_vjp_weights(&b.frame, 0, &x.tile, &y_bar.tile), WEIR_OK);
        cr_assert_eq(get(&b, weight_gradient, 0), 0.5);
        b.gradients[BIAS] = bias_gradient;
        b.linear.bias = -1;
        forward_range(&b, 0, 30, 1, STRAIGHT, STRAIGHT);
        drop_sheet(&x);
        drop_sheet(&y_bar);
        tear_down(&b);
    }
}

/* The object has no inputs, so that the addend is what the activation sees. */
Test(linear, derivatives_of_activations_are_slopes)
{
    const double h = 1e-5;
    for (int32_t kind = WEIR_ACTIVATION_NONE; kind <= WEIR_ACTIVATION_SOFTPLUS; kind++) {
        bench b;
        sheet x, y, above, under, y_bar;
        set_up(&b, WEIR_F64, 0, 5, kind, NULL, 64);
        b.linear.bias = -1;
        make_sheet(&b, &x, 0, STRAIGHT, 0);
        make_sheet(&b, &y, 5, SHUFFLED, 0);
        make_sheet(&b, &above, 5, STRAIGHT, 0);
        make_sheet(&b, &under, 5, STRAIGHT, 0);
        make_sheet(&b, &y_bar, 5, REVERSED, 1);
        for (int32_t o = 0; o < 5; o++) {
            for (int32_t r = 0; r < b.width; r++) {
                double u = uniform(-6, 6);
                if (fabs(u) < 1e-3) u = 0.5; /* off the kinks */
                put(&b, y.memory, place(&y, o, r), u);
                put(&b, above.memory, place(&above, o, r), u + h);
                put(&b, under.memory, place(&under, o, r), u - h);
            }
        }
        remember(&b, &y_bar);
        cr_assert_eq(weir__linear_forward(&b.frame, 0, 0, -1, &x.tile, &y.tile, WEIR_LINEAR_ADD), WEIR_OK);
        cr_assert_eq(weir__linear_forward(&b.frame, 0, 0, -1, &x.tile, &above.tile, WEIR_LINEAR_ADD),
                     WEIR_OK);
        cr_assert_eq(weir__linear_forward(&b.frame, 0, 0, -1, &x.tile, &under.tile, WEIR_LINEAR_ADD),
                     WEIR_OK);
        cr_assert_eq(weir__linear_vjp_activation(&b.frame, 0, 1, 3, &y.tile, &y_bar.tile), WEIR_OK);
        for (int32_t o = 1; o < 4; o++) {
            for (int32_t r = 0; r < b.rows; r++) {
                const double slope = (value(&b, &above, o, r) - value(&b, &under, o, r)) / (2 * h);
                const double want = former(&b, &y_bar, o, r) * slope;
                cr_assert(fabs(value(&b, &y_bar, o, r) - want) < 1e-8, "activation %d at y = %g: %g, not %g",
                          (int)kind, value(&b, &y, o, r), value(&b, &y_bar, o, r), want);
            }
        }
        check_untouched(&b, &y_bar, 1, 3, "vjp_activation");
        drop_sheet(&x);
        drop_sheet(&y);
        drop_sheet(&above);
        drop_sheet(&under);
        drop_sheet(&y_bar);
        tear_down(&b);
    }
}

Test(linear, activations_agree_between_precisions_and_far_out)
{
    static const double far[] = {-1e30, -1000, -100, -20, -1e-30, 0, 1e-30, 20, 100, 1000, 1e30};
    for (int32_t kind = WEIR_ACTIVATION_NONE; kind <= WEIR_ACTIVATION_SOFTPLUS; kind++) {
        for (int p = 0; p < 2; p++) {
            bench b;
            sheet x, y, y_bar;
            set_up(&b, precisions[p], 0, 1, kind, NULL, 16);
            b.linear.bias = -1;
            make_sheet(&b, &x, 0, STRAIGHT, 0);
            make_sheet(&b, &y, 1, STRAIGHT, 0);
            make_sheet(&b, &y_bar, 1, STRAIGHT, 0);
            y.tile.rows = y_bar.tile.rows = 16;
            for (int32_t r = 0; r < 11; r++) put(&b, y.memory, r, far[r]);
            put(&b, y.memory, 11, NAN);
            for (int32_t r = 0; r < 16; r++) put(&b, y_bar.memory, r, 1);
            cr_assert_eq(weir__linear_forward(&b.frame, 0, 0, -1, &x.tile, &y.tile, WEIR_LINEAR_ADD),
                         WEIR_OK);
            cr_assert_eq(weir__linear_vjp_activation(&b.frame, 0, 0, -1, &y.tile, &y_bar.tile), WEIR_OK);
            for (int32_t r = 0; r < 11; r++) {
                const double want =
                    far[r] > 50 && kind == WEIR_ACTIVATION_SOFTPLUS ? far[r] : activation(kind, far[r]);
                cr_assert(fabs(get(&b, y.memory, r) - want) <= 1e-6 * fabs(want) + 1e-30,
                          "activation %d of %g is %g, not %g", (int)kind, far[r], get(&b, y.memory, r), want);
                const double slope = get(&b, y_bar.memory, r);
                cr_assert(slope >= 0 && slope <= 1, "activation %d has slope %g at %g", (int)kind, slope,
                          far[r]);
            }
            cr_assert(isnan(get(&b, y.memory, 11)), "activation %d hides NaN", (int)kind);
            drop_sheet(&x);
            drop_sheet(&y);
            drop_sheet(&y_bar);
            tear_down(&b);
        }
    }
}

Test(linear, tiles_that_do_not_fit_are_refused)
{
    bench b;
    sheet three, four;
    set_up(&b, WEIR_F32, 3, 4, WEIR_ACTIVATION_RELU, NULL, 8);
    make_sheet(&b, &three, 3, STRAIGHT, 0);
    make_sheet(&b, &four, 4, STRAIGHT, 0);
    const weir_tile *const x = &three.tile, *const y = &four.tile;
    const weir_status refused[] = {weir__linear_forward(&b.frame, 0, 0, -1, y, y, 0),
                                   weir__linear_forward(&b.frame, 0, 0, -1, x, x, 0),
                                   weir__linear_forward(&b.frame, 0, 2, 3, x, y, 0),
                                   weir__linear_forward(&b.frame, 0, -1, 2, x, y, 0),
                                   weir__linear_forward(&b.frame, 0, 1, INT32_MAX, x, y, 0),
                                   weir__linear_forward(&b.frame, 0, 5, -1, x, y, 0),
                                   weir__linear_vjp_activation(&b.frame, 0, 0, -1, x, y),
                                   weir__linear_vjp_activation(&b.frame, 0, 0, -1, y, x),
                                   weir__linear_vjp_activation(&b.frame, 0, 4, 1, y, y),
                                   weir__linear_vjp_input(&b.frame, 0, 0, -1, x, x, 0),
                                   weir__linear_vjp_input(&b.frame, 0, 0, -1, y, y, 0),
                                   weir__linear_vjp_input(&b.frame, 0, 0, 4, y, x, 0),
                                   weir__linear_vjp_weights(&b.frame, 0, y, y),
                                   weir__linear_vjp_weights(&b.frame, 0, x, x)};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        cr_assert_eq(refused[i], WEIR_INVALID, "call %d was served", (int)i);
    cr_assert(strstr(refusal, "linear_vjp_weights"), "the reason is \"%s\"", refusal);
    check_untouched(&b, &three, 0, 0, "a refused call");
    check_untouched(&b, &four, 0, 0, "a refused call");
    drop_sheet(&three);
    drop_sheet(&four);
    tear_down(&b);
}

Test(linear, no_rows_are_no_work)
{
    bench b;
    set_up(&b, WEIR_F32, 3, 4, WEIR_ACTIVATION_TANH, NULL, 8);
    const weir_tile x = {.struct_size = sizeof x, .features = 3, .data = arena, .stride = 16};
    const weir_tile y = {.struct_size = sizeof y, .features = 4, .data = arena, .stride = 16};
    cr_assert_eq(weir__linear_forward(&b.frame, 0, 0, -1, &x, &y, 0), WEIR_OK);
    cr_assert_eq(weir__linear_vjp_activation(&b.frame, 0, 0, -1, &y, &y), WEIR_OK);
    cr_assert_eq(weir__linear_vjp_input(&b.frame, 0, 0, -1, &y, &x, 0), WEIR_OK);
    cr_assert_eq(weir__linear_vjp_weights(&b.frame, 0, &x, &y), WEIR_OK);
    tear_down(&b);
}

Test(linear, exhausted_scratch_is_an_error)
{
    bench b;
    sheet x, y;
    set_up(&b, WEIR_F64, 9, 9, WEIR_ACTIVATION_NONE, NULL, 8);
    make_sheet(&b, &x, 9, SHUFFLED, 0);
    make_sheet(&b, &y, 9, STRAIGHT, 0);
    arena_used = ARENA - 64;
    cr_assert_eq(weir__linear_forward(&b.frame, 0, 0, -1, &x.tile, &y.tile, 0), WEIR_ERROR);
    cr_assert_eq(arena_used, ARENA - 64);
    arena_used = 0;
    drop_sheet(&x);
    drop_sheet(&y);
    tear_down(&b);
}

Test(linear, bad_descriptions_are_refused)
{
    const int32_t too_far[] = {0, 3, 4}, negative[] = {0, -1, 2};
    const weir_linear_spec specs[] = {{.name = "a", .in = -1, .out = 3},
                                      {.name = "a", .in = 3, .out = -1},
                                      {.name = "a", .in = 3, .out = 3, .activation = 7},
                                      {.name = "a", .in = 3, .out = 3, .activation = -1},
                                      {.name = "a", .in = 3, .out = 3, .extent = too_far},
                                      {.name = "a", .in = 3, .out = 3, .extent = negative}};
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        weir__linear linear;
        weir_error error = {0};
        cr_assert_eq(weir__linear_init(&linear, &specs[i], &error), WEIR_INVALID, "description %d was taken",
                     (int)i);
        cr_assert_null(strchr(error.message, '\n'));
        weir__linear_clear(&linear);
    }
}

/* Blocks tile the outputs, cover every extent, and on a staircase leave out most of what is hidden. */
Test(linear, blocks_skip_what_is_hidden)
{
    int32_t extent[512];
    for (int32_t o = 0; o < 512; o++) extent[o] = o / 8 * 8;
    const weir_linear_spec spec = {
        .struct_size = sizeof spec, .name = "a", .in = 512, .out = 512, .extent = extent};
    weir__linear linear;
    cr_assert_eq(weir__linear_init(&linear, &spec, NULL), WEIR_OK);
    int64_t multiplied = 0, visible = 0;
    cr_assert_eq(linear.block_first[0], 0);
    cr_assert_eq(linear.block_first[linear.blocks], 512);
    for (int32_t b = 0; b < linear.blocks; b++) {
        const int32_t size = linear.block_first[b + 1] - linear.block_first[b];
        cr_assert(size > 0);
        multiplied += (int64_t)size * linear.block_extent[b];
        for (int32_t o = linear.block_first[b]; o < linear.block_first[b + 1]; o++) {
            cr_assert_leq(extent[o], linear.block_extent[b]);
            visible += extent[o];
        }
    }
    cr_assert_lt(multiplied, visible + visible / 8, "%d of %d entries are multiplied", (int)multiplied,
                 (int)visible);
    cr_assert_lt(linear.blocks, 64);
    weir__linear_clear(&linear);
}
