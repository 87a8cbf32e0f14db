/* test_allocations.c - once everything has its size, steps and evaluations allocate nothing.
 *
 * SPDX-License-Identifier: MIT
 *
 * The functions below take the place of the C library's for the whole process, plugins included. A sanitizer does the
 * same for its own purpose, so that under one there is nothing to count.
 */
#include "models.h"
#include "valgrind.h"

#include <errno.h>
#include <stdatomic.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define COUNTING 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTING 0
#endif
#endif
#ifndef COUNTING
#define COUNTING 1
#endif

TestSuite(allocations);

static atomic_int watching;
static atomic_llong counted;

#if COUNTING
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static void note(void)
{
    if (atomic_load_explicit(&watching, memory_order_relaxed)) atomic_fetch_add(&counted, 1);
}

WEIR_EXPORT void *malloc(size_t size)
{
    note();
    return __libc_malloc(size);
}

WEIR_EXPORT void *calloc(size_t count, size_t size)
{
    note();
    return __libc_calloc(count, size);
}

WEIR_EXPORT void *realloc(void *memory, size_t size)
{
    note();
    return __libc_realloc(memory, size);
}

WEIR_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    note();
    return __libc_memalign(alignment, size);
}

WEIR_EXPORT void *memalign(size_t alignment, size_t size)
{
    note();
    return __libc_memalign(alignment, size);
}

WEIR_EXPORT int posix_memalign(void **memory, size_t alignment, size_t size)
{
    note();
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}
#endif

static long long counted_while(void (*work)(void *), void *of)
{
    atomic_store(&counted, 0);
    atomic_store(&watching, 1);
    work(of);
    atomic_store(&watching, 0);
    return atomic_load(&counted);
}

typedef struct subject {
    weir_model *model;
    weir_trainer *trainer;
    weir_matrix x, out;
    double *log_p;
    weir_step step;
} subject;

static void train(void *of)
{
    subject *const s = of;
    weir_step_result r = no_result();
    MUST(weir_trainer_step(s->trainer, &s->step, &r, &error));
    cr_assert_eq(r.applied, 1);
}

static void evaluate(void *of)
{
    subject *const s = of;
    weir_call call = {.struct_size = (uint32_t)sizeof call, .seed = 4};
    MUST(weir_log_prob(s->model, &s->x, &call, s->log_p, &error));
    MUST(weir_forward(s->model, &s->x, &call, &s->out, s->log_p, &error));
    MUST(weir_score(s->model, &s->x, &call, &s->out, s->log_p, &error));
}

static void sample(void *of)
{
    subject *const s = of;
    weir_call call = {.struct_size = (uint32_t)sizeof call, .seed = 4};
    MUST(weir_sample(s->model, &call, &s->out, s->log_p, &error));
    MUST(weir_inverse(s->model, &s->x, &call, &s->out, s->log_p, &error));
}

static int32_t bowl(void *user, int64_t rows, int64_t columns, const double *x, double *log_p,
                    double *gradient)
{
    (void)user;
    for (int64_t i = 0; i < rows; i++) {
        log_p[i] = 0;
        for (int64_t j = 0; j < columns; j++) gradient[i * columns + j] = -x[i * columns + j];
    }
    return 0;
}

/* With several threads, which of them runs first is chance, and each worker has to reach its size once: so it is asked
 * for a long run of rounds without an allocation, which one allocation in every round would never give. */
static void expect_quiet(const char *what, void (*work)(void *), subject *s, int32_t threads)
{
    const int wanted = threads > 1 ? 30 : 5, most = threads > 1 ? 3000 : 3 + wanted;
    int quiet = 0;
    long long last = 0;
    for (int i = 0; i < most && quiet < wanted; i++) {
        const long long n = counted_while(work, s);
        if (n) last = n;
        quiet = n ? 0 : quiet + 1;
    }
    cr_assert_geq(quiet, wanted, "%s with %d threads: %lld allocations a round, and no end", what,
                  (int)threads, last);
}

static void expect_all_quiet(const char *json, int32_t threads)
{
    weir_runtime *const rt = open_weir(threads);
    subject s = {.model = must_build(rt, json), .x = some_data(300, 5, 1), .out = some_data(300, 5, 2)};
    s.log_p = malloc(300 * sizeof(double));
    MUST(weir_model_initialize(s.model, &s.x, NULL, 0, &error));
    s.trainer = must_train(s.model, "{\"clip\":10}");
    s.step = data_step(&s.x);
    expect_quiet("forward KL", train, &s, threads);
    s.step = (weir_step){.struct_size = (uint32_t)sizeof(weir_step), .learning_rate = 1e-4, .samples = 100};
    s.step.target = bowl;
    expect_quiet("reverse KL", train, &s, threads);
    s.step.target = NULL;
    s.step.target_json = "{\"type\":\"normal\"}";
    expect_quiet("reverse KL against a density", train, &s, threads);
    expect_quiet("evaluation", evaluate, &s, threads);
    expect_quiet("sampling", sample, &s, threads);
    weir_trainer_close(s.trainer);
    weir_model_close(s.model);
    weir_close(rt);
    free(s.log_p);
}

/* Through pointers, or a compiler that knows these functions moves the calls out of the way. */
static void *(*volatile plain)(size_t) = malloc, *(*volatile aligned)(size_t, size_t) = aligned_alloc;
static char *(*volatile copy)(const char *) = strdup;

static void allocate_three_times(void *of)
{
    void **const made = of;
    made[0] = plain(10);
    made[1] = aligned(64, 64);
    made[2] = copy("inside the C library");
}

Test(allocations, the_count_sees_allocations)
{
    SKIP_UNDER_VALGRIND("counts allocations itself");
    if (!COUNTING) cr_skip_test("a sanitizer counts allocations itself");
    void *made[3];
    const long long n = counted_while(allocate_three_times, made);
    cr_assert_eq(n, 3, "%lld", n);
    for (int i = 0; i < 3; i++) free(made[i]);
}

Test(allocations, one_thread)
{
    if (!COUNTING) cr_skip_test("a sanitizer counts allocations itself");
    expect_all_quiet(MODEL("f32", 5, 0, MIXED), 1);
    expect_all_quiet(MODEL("f64", 5, 0, MIXED), 1);
}

#define COUPLED                                                                                              \
    COUPLING("half", "affine")                                                                               \
    ",{\"type\":\"batch_norm\"},{\"type\":\"lu_linear\"},{\"type\":\"batch_norm\"},{\"type\":\"actnorm\"}"

Test(allocations, batch_coupled_layers)
{
    if (!COUNTING) cr_skip_test("a sanitizer counts allocations itself");
    expect_all_quiet(MODEL("f32", 5, 0, COUPLED), 1);
    expect_all_quiet(MODEL("f64", 5, 0, COUPLED), 3);
}

Test(allocations, several_threads)
{
    if (!COUNTING) cr_skip_test("a sanitizer counts allocations itself");
    expect_all_quiet(MODEL("f32", 5, 0, MIXED), 3);
}
