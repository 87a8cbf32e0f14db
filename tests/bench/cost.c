/* cost.c - see cost.h. */
#include "cost.h"

#include "clock.h"
#include "subject.h"

#include <math.h>
#include <stdio.h>

/* ---- the machine --------------------------------------------------------------------------------------------------- */

/* Of several short turns the best counts: whatever disturbs one makes it slower. */
#define TURNS 5

/* Of what is read and written together: a copy takes half of it. */
static const int64_t copy_bytes[COST_COPIES] = {32 << 10, 512 << 10, 8 << 20, 32 << 20, 128 << 20};

void cost_machine_measure(cost_machine *m, int most_threads, double seconds)
{
    *m = (cost_machine){.seconds = seconds};
    clock_by_processor(1);
    for (int i = 0; i < COST_COPIES; i++) {
        for (int turn = 0; turn < TURNS; turn++)
            m->copy[i] = fmax(m->copy[i], limit_copy(1, copy_bytes[i] / 2, seconds / TURNS));
    }
    clock_by_processor(0);
    double alone = 0;
    for (int threads = 1; threads <= most_threads && threads <= COST_THREADS; threads++) {
        double best = 0;
        for (int turn = 0; turn < TURNS; turn++) best = fmax(best, limit_peak(threads, seconds / TURNS));
        if (threads == 1) alone = best;
        m->share[threads] = fmin(1, best / (threads * alone));
    }
}

/* Seconds a byte for data of this size: between two of those measured, by the logarithm of the size. */
static double byte_seconds(const cost_machine *m, double bytes)
{
    int i = 0;
    if (bytes <= (double)copy_bytes[0]) return 1 / m->copy[0];
    while (i < COST_COPIES && bytes > (double)copy_bytes[i]) i++;
    if (i == COST_COPIES) return 1 / m->copy[COST_COPIES - 1];
    const double lower = (double)copy_bytes[i - 1], upper = (double)copy_bytes[i];
    const double part = log(bytes / lower) / log(upper / lower);
    return (1 - part) / m->copy[i - 1] + part / m->copy[i];
}

static double rate_of(cost_machine *m, int32_t out, int32_t in, int32_t rows, product which)
{
    for (int i = 0; i < m->count; i++) {
        const cost_product *const known = &m->products[i];
        if (known->out == out && known->in == in && known->rows == rows && known->which == which)
            return known->rate;
    }
    const dense layer = {out, in, 1, 1};
    cost_product *const p = &m->products[m->count < COST_PRODUCTS ? m->count++ : COST_PRODUCTS - 1];
    *p = (cost_product){out, in, rows, which, 0};
    clock_by_processor(1);
    for (int turn = 0; turn < TURNS; turn++)
        p->rate = fmax(p->rate, limit_gemm(&layer, which, rows, 1, m->seconds / TURNS).own);
    clock_by_processor(0);
    return p->rate;
}

/* ---- the formula --------------------------------------------------------------------------------------------------- */

#define TILE_ROWS  64
#define TILE_MOST  256
#define LANES_MOST 16
#define OUTGROWN   (2 << 20) /* bytes of parameters from which tiles of a training step are wider */

/* Rows of a tile as it is computed: the padding too. */
static int32_t padded(int64_t rows, int32_t tile)
{
    if (rows >= tile) return tile;
    return (int32_t)((rows + 7) / 8 * 8);
}

static int64_t tiles_of(int64_t rows, int32_t tile)
{
    return (rows + tile - 1) / tile;
}

/* Gradients of a training step. */
static int64_t lanes_of(int64_t rows)
{
    const int64_t tiles = tiles_of(rows, TILE_ROWS), lanes = tiles / 2 > 2 ? tiles / 2 : tiles;
    return lanes < LANES_MOST ? lanes : LANES_MOST;
}

static int32_t tile_of(int64_t rows, operation op, int64_t parameters)
{
    if (op != TRAIN || 4 * parameters <= OUTGROWN) return TILE_ROWS;
    const int64_t tiles = tiles_of(rows, TILE_ROWS), lanes = lanes_of(rows);
    const int64_t share = (tiles + lanes - 1) / lanes * TILE_ROWS,
                  parts = (share + TILE_MOST - 1) / TILE_MOST;
    return (int32_t)((share + parts - 1) / parts);
}

/* Tiles that the busiest thread takes. Training gives a thread whole lanes, the same for any number of threads. */
static int64_t tiles_in_turn(int64_t rows, int32_t tile, operation op, int threads)
{
    const int64_t tiles = tiles_of(rows, tile), lanes = op == TRAIN ? lanes_of(rows) : tiles;
    const int64_t mine = ((lanes + threads - 1) / threads) * ((tiles + lanes - 1) / lanes);
    return mine < tiles ? mine : tiles;
}

/* ---- products ---- */

/* Few samples are multiplied as so many columns. */
#define ROWS_FEW 4

/* What one call of a product computes, and the share of the layer that all calls of it do. */
typedef struct piece {
    int32_t out, in, columns;
    double share;
} piece;

static int32_t within(int32_t least, int32_t value, int32_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* A masked layer is multiplied in blocks: of 12 to 48 outputs forwards, the fewer the sooner they differ in what they see; of
 * 24 inputs backwards; of 32 for its weights. A block computes what any of its members sees: half of its own square is in
 * vain. */
static piece cut(const dense *layer, product which, int32_t rows, int32_t width)
{
    piece p = {layer->out, layer->in, width, layer->share};
    /* Only the sums of a forward product leave padding out, and those over rows. */
    if (which == PULL_WEIGHT || (which == FORWARD && rows <= ROWS_FEW)) p.columns = rows;
    if (layer->share == 1) return p;
    int32_t *const length = which == FORWARD ? &p.out : &p.in;
    int32_t *const other = which == FORWARD ? &p.in : &p.out;
    const int32_t block = which == FORWARD ? within(12, *other / 16, 48) : which == PULL_INPUT ? 24 : 32;
    p.share = fmin(1, layer->share + fmin(block, *length) / (2.0 * *length));
    *other = (int32_t)fmax(1, *other * p.share);
    if (*length > block) *length = block;
    return p;
}

static double product_seconds(cost_machine *m, const dense *layer, product which, int32_t rows, int32_t width)
{
    const piece p = cut(layer, which, rows, width);
    const double flops = 2.0 * layer->out * layer->in * p.share * p.columns;
    return flops / rate_of(m, p.out, p.in, p.columns, which);
}

/* Products of one tile, and beside those of a gradient what its activations move in the nearest cache: a hidden number is
 * read with its cotangent, which is written, and read once more for the bias. */
static double tile_products(cost_machine *m, const work *w, operation op, int32_t rows, int32_t width)
{
    dense list[6];
    const int count = work_dense(w, list, 6);
    double seconds = 0;
    for (int i = 0; i < count; i++) {
        for (int which = FORWARD; which < (op == TRAIN ? PRODUCTS : FORWARD + 1); which++)
            seconds += list[i].count * product_seconds(m, &list[i], (product)which, rows, width);
        if (op == TRAIN) seconds += 16.0 * list[i].out * list[i].count * width * byte_seconds(m, 0);
    }
    return seconds;
}

/* Numbers that a layer moves. */
static double moved(const work *w)
{
    return w->shape == COUPLING ? w->features / 2.0 : w->features;
}

/* Weights that do not stay in the second-level cache come from further off for every tile; a gradient reads them twice, and
 * reads and writes its own. The rates of products have what comes from the second level. */
static double tile_weights(const cost_machine *m, operation op, int64_t parameters)
{
    const double bytes = 4.0 * (double)parameters;
    return (op == TRAIN ? 4 : 1) * bytes * fmax(0, byte_seconds(m, bytes) - 1 / m->copy[1]);
}

/* Once a step: gradients added up, one for each run of tiles, at most sixteen; then squares, then Adam, which reads parameter,
 * gradient and two moments and writes all but the gradient. */
static double step_bytes(int64_t rows, int64_t parameters)
{
    return (double)parameters * (double)(12 * (lanes_of(rows) - 1) + 4 + 28);
}

double cost_predict(cost_machine *m, const cost_constants *k, const work *w, operation op, int64_t rows,
                    int threads, int64_t parameters)
{
    const int32_t rows_of_tile = tile_of(rows, op, parameters), width = padded(rows, rows_of_tile);
    const int64_t tiles = tiles_in_turn(rows, rows_of_tile, op, threads);
    const int helped = threads > 1 && rows > TILE_ROWS;
    const int32_t real = rows < rows_of_tile ? (int32_t)rows : rows_of_tile;
    const double tile = w->layers * (k->layer + moved(w) * (k->feature + width * k->element)) +
                        tile_products(m, w, op, real, width) + tile_weights(m, op, parameters);
    double seconds = k->call + (helped ? k->wake : 0) + (double)tiles * tile / m->share[helped ? threads : 1];
    if (op == TRAIN)
        seconds += step_bytes(rows, parameters) * byte_seconds(m, 16.0 * (double)parameters) /
                   (helped ? threads * m->share[threads] : 1);
    return seconds;
}

/* ---- measuring ----------------------------------------------------------------------------------------------------- */

typedef struct series {
    cost_machine machine;
    weir_runtime *const *runtimes;
    const int *threads;
    int thread_count;
    double seconds;
    weir_error *error;
} series;

static weir_runtime *runtime_for(const series *s, int threads)
{
    for (int i = 0; i < s->thread_count; i++) {
        if (s->threads[i] == threads) return s->runtimes[i];
    }
    return NULL;
}

/* Seconds of a call; negative when it failed. One thread is timed by the processor it used, so that what else runs on the
 * machine hardly counts. */
static double measure(const series *s, const work *w, operation op, int64_t rows, int threads,
                      int64_t *parameters)
{
    subject one;
    double best = 0;
    weir_status status = subject_build(&one, runtime_for(s, threads), w, rows, s->error);
    clock_by_processor(threads == 1);
    for (int turn = 0; turn <= TURNS && !status; turn++) { /* the first warms up */
        const double rate = subject_rate(&one, op, rows, s->seconds / TURNS, s->error);
        if (rate <= 0) status = WEIR_ERROR;
        if (turn > 0) best = fmax(best, rate);
    }
    clock_by_processor(0);
    if (!status) *parameters = weir_model_get(one.model, WEIR_MODEL_PARAMETERS);
    subject_close(&one);
    return status ? -1 : (double)rows / best;
}

/* Four flows with small networks give four constants: a deeper one the cost of a layer, fewer rows what of it comes anew with
 * every row, more features what comes with each of them, and what is left of the first is the call. Each differs from the
 * first by known products. */
static int calibrate(series *s, const work *kind, operation op, cost_constants *k)
{
    static const struct {
        int32_t features, layers, rows;
    } flows[4] = {{4, 2, TILE_ROWS}, {4, 16, TILE_ROWS}, {4, 16, 8}, {64, 8, TILE_ROWS}};
    const cost_constants none = {0, 0, 0, 0, 0};
    double rest[4];
    *k = none;
    for (int i = 0; i < 4; i++) {
        work w = *kind;
        int64_t parameters;
        w.features = flows[i].features;
        w.layers = flows[i].layers;
        w.width = 32;
        rest[i] = measure(s, &w, op, flows[i].rows, 1, &parameters);
        if (rest[i] < 0) return 0;
        rest[i] -= cost_predict(&s->machine, &none, &w, op, flows[i].rows, 1, parameters);
    }
    const double few = kind->shape == COUPLING ? 2 : 4, many = 16 * few; /* numbers of a layer */
    const double layer = fmax(0, (rest[1] - rest[0]) / 14);
    k->call = fmax(0, rest[0] - 2 * layer);
    k->element = fmax(0, (rest[1] - rest[2]) / (16 * few * (TILE_ROWS - 8)));
    const double wide = fmax(0, (rest[3] - k->call) / 8);
    k->feature = fmax(0, (wide - layer) / (many - few) - TILE_ROWS * k->element);
    k->layer = fmax(0, layer - few * (k->feature + TILE_ROWS * k->element));
    return 1;
}

static int calibrate_wake(series *s, const work *kind, operation op, cost_constants *k)
{
    work w = *kind;
    int64_t parameters;
    w.features = 4;
    w.layers = 2;
    w.width = 32;
    if (s->thread_count < 2) return 1;
    const double seconds = measure(s, &w, op, 4 * TILE_ROWS, s->threads[1], &parameters);
    if (seconds < 0) return 0;
    k->wake =
        fmax(0, seconds - cost_predict(&s->machine, k, &w, op, 4 * TILE_ROWS, s->threads[1], parameters));
    return 1;
}

static int point(series *s, const cost_constants *k, const work *w, operation op, int64_t rows, int threads)
{
    int64_t parameters;
    const double measured = measure(s, w, op, rows, threads, &parameters);
    if (measured < 0) return 0;
    const double predicted = cost_predict(&s->machine, k, w, op, rows, threads, parameters);
    printf(
        "{\"kind\":\"model\",\"layer\":\"%s\",\"op\":\"%s\",\"depth\":%d,\"width\":%d,\"features\":%d,\"rows\":%lld,"
        "\"threads\":%d,\"measured\":%.4g,\"predicted\":%.4g}\n",
        w->id, operation_names[op], (int)w->layers, (int)w->width, (int)w->features, (long long)rows, threads,
        measured * 1e6, predicted * 1e6);
    fflush(stdout);
    return 1;
}

/* One quantity at a time is varied around the middle. */
static int sweep(series *s, const cost_constants *k, const work *kind, operation op)
{
    static const int32_t depths[] = {2, 4, 8, 16, 32}, widths[] = {32, 64, 256, 512}, features[] = {4, 64};
    static const int64_t rows[] = {1, 8, 64, 8192};
    work w = *kind;
    int fine = 1;
    for (size_t i = 0; i < sizeof depths / sizeof *depths && fine; i++) {
        w.layers = depths[i];
        fine = point(s, k, &w, op, 512, 1);
    }
    w = *kind;
    for (size_t i = 0; i < sizeof widths / sizeof *widths && fine; i++) {
        w.width = widths[i];
        fine = point(s, k, &w, op, 512, 1);
    }
    w = *kind;
    for (size_t i = 0; i < sizeof features / sizeof *features && fine; i++) {
        w.features = features[i];
        fine = point(s, k, &w, op, 512, 1);
    }
    w = *kind;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && fine; i++) fine = point(s, k, &w, op, rows[i], 1);
    for (int t = 1; t < s->thread_count && fine; t++) {
        fine = point(s, k, &w, op, 512, s->threads[t]) && point(s, k, &w, op, 8192, s->threads[t]);
    }
    return fine;
}

static const work kinds[] = {
    {"affine coupling", "", COUPLING, 16, 8, 128, 0},
    {"spline coupling", "", COUPLING, 16, 8, 128, 8},
    {"affine masked", "", AUTOREGRESSIVE, 16, 8, 128, 0},
};

int cost_series(weir_runtime *const *runtimes, const int *threads, int thread_count, const operation *ops,
                int op_count, double seconds, weir_error *error)
{
    static series s;
    s = (series){.runtimes = runtimes,
                 .threads = threads,
                 .thread_count = thread_count,
                 .seconds = seconds,
                 .error = error};
    cost_machine_measure(&s.machine, threads[thread_count - 1], seconds);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        for (int o = 0; o < op_count; o++) {
            cost_constants k;
            /* Samples of masked flows come feature by feature: another formula. */
            if (ops[o] == SAMPLE && kinds[i].shape == AUTOREGRESSIVE) continue;
            if (!calibrate(&s, &kinds[i], ops[o], &k) || !calibrate_wake(&s, &kinds[i], ops[o], &k) ||
                !sweep(&s, &k, &kinds[i], ops[o]))
                return 0;
        }
    }
    return 1;
}
