/* limit.c - see limit.h. The one file here that reaches into the host: its kernels are measured where no layer is around. */
#include "limit.h"

#include "clock.h"

#include "math/tables.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- several threads at once --------------------------------------------------------------------------------------- */

#define MOST_THREADS 64

typedef struct member {
    pthread_t thread;
    double (*measure)(const void *user, double seconds);
    const void *user;
    double seconds, rate;
} member;

static void *member_main(void *user)
{
    member *const m = user;
    m->rate = m->measure(m->user, m->seconds);
    return NULL;
}

/* The sum of what all threads reach while the others work too. */
static double together(int threads, double (*measure)(const void *, double), const void *user, double seconds)
{
    member members[MOST_THREADS];
    double sum = 0;
    int started = 1;
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    for (int i = 0; i < threads; i++)
        members[i] = (member){.measure = measure, .user = user, .seconds = seconds};
    while (started < threads &&
           pthread_create(&members[started].thread, NULL, member_main, &members[started]) == 0)
        started++;
    member_main(&members[0]);
    for (int i = 1; i < started; i++) pthread_join(members[i].thread, NULL);
    for (int i = 0; i < started; i++) sum += members[i].rate;
    return sum;
}

/* ---- multiply-adds ------------------------------------------------------------------------------------------------- */

#define CHAINS 16 /* more than latency times units, and registers enough */
#define STEPS  2000

/* The sums converge to a number far from the edges of float; the sink keeps them from being optimised away. */
static volatile float sink;

#if WEIR__X86_64
#include <immintrin.h>

#define PEAK(name, instructions, vector, chains, set, fma, first)                                            \
    __attribute__((target(instructions))) static int name(void *user)                                        \
    {                                                                                                        \
        (void)user;                                                                                          \
        vector sum[chains];                                                                                  \
        const vector a = set(0.5F), b = set(sink);                                                           \
        _Pragma("GCC unroll 32") for (int i = 0; i < (chains); i++) sum[i] = set((float)i);                  \
        for (int step = 0; step < STEPS; step++) {                                                           \
            _Pragma("GCC unroll 32") for (int i = 0; i < (chains); i++) sum[i] = fma(sum[i], a, b);          \
        }                                                                                                    \
        for (int i = 1; i < (chains); i++) sum[0] = fma(sum[i], a, sum[0]);                                  \
        sink = first(sum[0]) * 0;                                                                            \
        return 0;                                                                                            \
    }
PEAK(peak_avx512, "avx512f", __m512, CHAINS, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_cvtss_f32)
PEAK(peak_avx2, "avx2,fma", __m256, 12, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_cvtss_f32)
#endif

/* Where no fused instruction is known: a product and a sum, vectorised as the compiler likes. */
static int peak_plain(void *user)
{
    (void)user;
    typedef float quad __attribute__((vector_size(16)));
    quad sum[8], b = {sink, sink, sink, sink};
    for (int i = 0; i < 8; i++) sum[i] = b;
    for (int step = 0; step < STEPS; step++) {
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) sum[i] = sum[i] * 0.5F + b;
    }
    for (int i = 1; i < 8; i++) sum[0] += sum[i];
    sink = sum[0][0] * 0;
    return 0;
}

typedef struct loop {
    int (*run)(void *);
    double flops; /* of one run */
} loop;

static double measure_loop(const void *user, double seconds)
{
    const loop *const l = user;
    return clock_rate(l->run, NULL, seconds) * l->flops;
}

static double chain_flops(int chains, int lanes)
{
    return 2.0 * chains * lanes * STEPS;
}

double limit_peak(int threads, double seconds)
{
    const loop plain = {peak_plain, chain_flops(8, 4)};
#if WEIR__X86_64
    double best = 0;
    __builtin_cpu_init();
    const loop wide = {peak_avx512, chain_flops(CHAINS, 16)}, narrow = {peak_avx2, chain_flops(12, 8)};
    const int has_narrow = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const int has_wide = __builtin_cpu_supports("avx512f");
    if (has_wide) best = together(threads, measure_loop, &wide, seconds / 2);
    if (has_narrow) {
        const double other = together(threads, measure_loop, &narrow, seconds / 2);
        return other > best ? other : best;
    }
    if (best > 0) return best;
#endif
    return together(threads, measure_loop, &plain, seconds);
}

/* ---- memory -------------------------------------------------------------------------------------------------------- */

typedef struct copy {
    char *from, *to;
    size_t bytes;
} copy;

static int copy_once(void *user)
{
    const copy *const c = user;
    memcpy(c->to, c->from, c->bytes);
    return 0;
}

static double measure_copy(const void *user, double seconds)
{
    const size_t bytes = *(const size_t *)user;
    copy c = {aligned_alloc(64, bytes), aligned_alloc(64, bytes), bytes};
    double rate = 0;
    if (c.from && c.to) {
        memset(c.from, 1, bytes);
        memset(c.to, 1, bytes);
        rate = 2 * (double)bytes * clock_rate(copy_once, &c, seconds);
    }
    free(c.from);
    free(c.to);
    return rate;
}

double limit_copy(int threads, int64_t bytes, double seconds)
{
    const size_t size = ((size_t)bytes + 63) / 64 * 64;
    return together(threads, measure_copy, &size, seconds);
}

/* ---- vector functions ---------------------------------------------------------------------------------------------- */

const char *const limit_function_names[FUNCTIONS] = {"exp", "log", "tanh"};

#define NUMBERS 1024 /* two arrays of them fit the first-level cache beside everything else */

typedef struct lanes {
    void (*function)(int64_t n, const void *x, void *y);
    float x[NUMBERS], y[NUMBERS];
} lanes;

static int lanes_once(void *user)
{
    lanes *const l = user;
    for (int i = 0; i < NUMBERS; i += 64) l->function(64, l->x + i, l->y + i);
    return 0;
}

double limit_function(int which, double seconds)
{
    const weir_math *const math = weir__math(WEIR_F32);
    lanes l = {.function = which == 0 ? math->exp : which == 1 ? math->log : math->tanh};
    for (int i = 0; i < NUMBERS; i++) l.x[i] = 0.1F + (float)i / 300;
    return 1e9 / (clock_rate(lanes_once, &l, seconds) * NUMBERS);
}

const char *limit_kernels(void)
{
    return weir__math_name();
}

/* ---- products ------------------------------------------------------------------------------------------------------ */

const char *const product_names[PRODUCTS] = {"forward", "input gradient", "weight gradient"};

typedef void (*gemm)(int64_t m, int64_t n, int64_t k, double alpha, const void *a, int64_t a_row,
                     int64_t a_col, const void *b, int64_t b_row, int64_t b_col, double beta, void *c,
                     int64_t c_row, int64_t c_col);

typedef struct layer_job {
    int64_t out, in, rows, stride;
    product which;
    gemm multiply;
    float *weight, *x, *y;
} layer_job;

static int multiply_once(void *user)
{
    const layer_job *const j = user;
    if (j->which == FORWARD)
        j->multiply(j->out, j->rows, j->in, 1, j->weight, j->in, 1, j->x, j->stride, 1, 0, j->y, j->stride,
                    1);
    else if (j->which == PULL_INPUT)
        j->multiply(j->in, j->rows, j->out, 1, j->weight, 1, j->in, j->y, j->stride, 1, 0, j->x, j->stride,
                    1);
    else
        j->multiply(j->out, j->in, j->rows, 1, j->y, j->stride, 1, j->x, 1, j->stride, 1, j->weight, j->in,
                    1);
    return 0;
}

static float *zeros(int64_t count)
{
    const size_t bytes = ((size_t)count * sizeof(float) + 63) / 64 * 64;
    float *const data = aligned_alloc(64, bytes);
    if (data) memset(data, 0, bytes);
    return data;
}

static double measure_layer(const void *user, double seconds)
{
    layer_job j = *(const layer_job *)user;
    j.weight = zeros(j.out * j.in);
    j.x = zeros(j.in * j.stride);
    j.y = zeros(j.out * j.stride);
    double rate = 0;
    if (j.weight && j.x && j.y) {
        multiply_once(&j);
        rate = 2.0 * (double)(j.out * j.in * j.rows) * clock_rate(multiply_once, &j, seconds);
    }
    free(j.weight);
    free(j.x);
    free(j.y);
    return rate;
}

gemm_figure limit_gemm(const dense *layer, product which, int32_t rows, int threads, double seconds)
{
    layer_job j = {.out = layer->out, .in = layer->in, .rows = rows, .stride = rows + 16, .which = which};
    gemm_figure figure;
    j.multiply = weir__math(WEIR_F32)->gemm;
    figure.own = together(threads, measure_layer, &j, seconds);
    j.multiply = weir__gemm_blis_f32;
    figure.blis = together(threads, measure_layer, &j, seconds);
    return figure;
}

double limit_of(const work *w, operation op, gemm_figure (*table)[PRODUCTS])
{
    dense list[6];
    const int count = work_dense(w, list, 6);
    double flops = 0, seconds = 0;
    for (int i = 0; i < count; i++) {
        for (int p = FORWARD; p < (op == TRAIN ? PRODUCTS : FORWARD + 1); p++) {
            const double best = table[i][p].own > table[i][p].blis ? table[i][p].own : table[i][p].blis;
            const double own = 2.0 * list[i].out * list[i].in * list[i].count * list[i].share;
            flops += own;
            seconds += best > 0 ? own / best : 0;
        }
    }
    return seconds > 0 ? flops / seconds : 0;
}
