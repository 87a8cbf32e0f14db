/* rivals.c - see rivals.h. */
#include "rivals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir.h>

/* Debian keeps every BLAS in a folder of its own. OpenBLAS with POSIX threads beside PyTorch's OpenMP is slower with two
 * threads than with one (each pool spins while the other works), so it and BLIS's are taken for one thread only, where
 * nothing better is installed. */
static const struct {
    const char *name;
    int alone; /* one thread only */
} libraries[] = {{"openblas-openmp", 0},
                 {"blis-openmp", 0},
                 {"openblas-serial", 1},
                 {"blis-pthread", 1},
                 {"openblas-pthread", 1}};
#define LIBRARIES (sizeof libraries / sizeof *libraries)

#define BLAS_FOLDER "/usr/lib/x86_64-linux-gnu"

static void add(rivals *all, const peer_setup *setup, const char *blas)
{
    if (all->count == MOST_RIVALS) return;
    rival *const r = &all->list[all->count++];
    *r = (rival){.setup = *setup, .blas = blas ? blas : "system"};
    if (!blas) return;
    snprintf(r->folder, sizeof r->folder, "%s/%s", BLAS_FOLDER, blas);
    r->setup.libraries = r->folder;
}

static int is_installed(const char *blas)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s/libblas.so.3", BLAS_FOLDER, blas);
    return access(path, R_OK) == 0;
}

/* The library under test, through Lua: no other BLAS is sought for it. */
static int is_own(const char *script)
{
    const size_t length = strlen(script);
    return length > 4 && strcmp(script + length - 4, ".lua") == 0;
}

static void add_all(rivals *all, const char *program, const char *script, int threads)
{
    const peer_setup setup = {.program = program, .script = script, .threads = threads};
    const int before = all->count;
    for (size_t i = 0; i < LIBRARIES && !is_own(script); i++) {
        const int fits = !libraries[i].alone || (threads == 1 && all->count == before);
        if (fits && is_installed(libraries[i].name)) add(all, &setup, libraries[i].name);
    }
    if (all->count == before) add(all, &setup, NULL);
}

static int start(rivals *all, rival *r, char *message, size_t size)
{
    if (!r->process) r->process = peer_start(&r->setup, all->name, sizeof all->name, message, size);
    return r->process != NULL;
}

int rivals_open(rivals *all, const char *program, const char *script, int most_threads, char *message,
                size_t size)
{
    char reason[800];
    *all = (rivals){0};
    add_all(all, program, script, 1);
    if (most_threads > 1) add_all(all, program, script, most_threads);
    if (start(all, &all->list[0], reason, sizeof reason)) return 1;
    snprintf(message, size, "no peer: %s; install it with scripts/setup.sh --bench", reason);
    return 0;
}

void rivals_close(rivals *all)
{
    for (int i = 0; i < all->count; i++) peer_stop(all->list[i].process);
    all->count = 0;
}

void rivals_set(rivals *all, const work *w, const char *model, const char *data, const char *answers,
                const double *expected, const double *exact, int64_t rows)
{
    all->work = w;
    all->model = model;
    all->data = data;
    all->answers = answers;
    all->expected = expected;
    all->exact = exact;
    all->rows = rows;
    all->worst = 0;
    all->exact_by = (deviation){HUGE_VAL, HUGE_VAL};
}

/* ---- the same densities? ------------------------------------------------------------------------------------------- */

/* Two evaluations in f32 may differ by rounding, a multiple of D + |log p|; different formulas differ by far more. A spline
 * has rows close to a knot where one ulp decides the bin, so a row in a hundred may be off by more, but not by much. */
#define USUAL_TOLERANCE 3e-6
#define WORST_FACTOR    30

static int agrees(rivals *all, const double *answers, char *message, size_t size)
{
    deviation ours, exact;
    const int32_t features = all->work->features;
    if (!accuracy_compare(answers, all->expected, all->rows, features, &ours) ||
        !accuracy_compare(answers, all->exact, all->rows, features, &exact))
        return snprintf(message, size, "out of memory"), 0;
    const double usual = ours.usual / USUAL_TOLERANCE, worst = ours.worst / USUAL_TOLERANCE;
    if (worst > all->worst) all->worst = worst;
    if (exact.usual < all->exact_by.usual) all->exact_by = exact;
    if (usual <= 1 && worst <= WORST_FACTOR) return 1;
    snprintf(message, size,
             "%s and the peer disagree about log_prob on the same weights: by %.3g times the tolerance at "
             "the 99th percentile of the rows",
             all->work->id, usual);
    return 0;
}

static int check_density(rivals *all, rival *r, const char *variant, char *message, size_t size)
{
    weir_error error;
    weir_array *array = NULL;
    if (!peer_ask(r->process, message, size, "check %s %s %s %s", all->work->id, variant, all->data,
                  all->answers))
        return 0;
    if (weir_array_read(all->answers, NULL, &array, &error))
        return snprintf(message, size, "%s", error.message), 0;
    int fine = weir_array_dtype(array) == WEIR_DTYPE_F64 && weir_array_dim(array, 0) == all->rows;
    if (!fine) snprintf(message, size, "the peer's answers are not %d float64", (int)all->rows);
    if (fine) fine = agrees(all, weir_array_data(array), message, size);
    weir_array_free(array);
    return fine;
}

static int check_inverse(rivals *all, rival *r, const char *variant, char *message, size_t size)
{
    if (!peer_ask(r->process, message, size, "invert %s %s", all->work->id, variant)) return 0;
    const double distance = strtod(message, NULL);
    if (distance < 0.02) return 1;
    snprintf(message, size, "%s: the peer's inverse (%s) misses by %g", all->work->id, variant, distance);
    return 0;
}

static int read_variants(rivals *all, rival *r, operation op, char *message, size_t size)
{
    char list[256];
    r->counts[op] = 0;
    if (!peer_ask(r->process, list, sizeof list, "variants %s %s", all->work->id, operation_names[op]))
        return snprintf(message, size, "%s", list), 0;
    char *rest = NULL;
    for (char *word = strtok_r(list, " ", &rest); word && r->counts[op] < MOST_VARIANTS;
         word = strtok_r(NULL, " ", &rest)) {
        snprintf(r->variants[op][r->counts[op]++], sizeof r->variants[op][0], "%s", word);
    }
    return 1;
}

/* A process that knows the current work, each of its variants checked before it is timed. */
static int ready(rivals *all, rival *r, char *message, size_t size)
{
    if (!start(all, r, message, size)) return 0;
    if (r->loaded == all->work) return 1;
    if (!peer_ask(r->process, message, size, "load %s %s", all->work->id, all->model)) return 0;
    memset(r->hopeless, 0, sizeof r->hopeless);
    for (int op = 0; op < OPERATIONS; op++) {
        if (!read_variants(all, r, (operation)op, message, size)) return 0;
    }
    for (int i = 0; i < r->counts[LOG_PROB]; i++) {
        if (!check_density(all, r, r->variants[LOG_PROB][i], message, size)) return 0;
    }
    for (int i = 0; i < r->counts[SAMPLE]; i++) {
        if (!check_inverse(all, r, r->variants[SAMPLE][i], message, size)) return 0;
    }
    r->loaded = all->work;
    return 1;
}

/* ---- the fastest --------------------------------------------------------------------------------------------------- */

/* Of the fastest; and seconds that one call may be expected to take. */
#define HOPELESS 6
#define TOO_LONG 5

double rivals_rate(rivals *all, const choice *who, operation op, int64_t batch, double seconds, char *message,
                   size_t size)
{
    char answer[512];
    if (!peer_ask(who->rival->process, answer, sizeof answer, "rate %s %s %s %lld %g", all->work->id,
                  operation_names[op], who->variant, (long long)batch, seconds)) {
        snprintf(message, size, "%s", answer);
        return -1;
    }
    return strtod(answer, NULL);
}

typedef struct trial {
    double rate[MOST_RIVALS][MOST_VARIANTS];
    double best;
} trial;

static int try_rival(rivals *all, int index, operation op, int64_t batch, double seconds, trial *t,
                     char *message, size_t size)
{
    rival *const r = &all->list[index];
    for (int v = 0; v < r->counts[op]; v++) {
        const choice candidate = {r, r->variants[op][v], 0};
        if (r->hopeless[op][v]) continue;
        const double rate = rivals_rate(all, &candidate, op, batch, seconds, message, size);
        if (rate <= 0) return 0;
        t->rate[index][v] = rate;
        if (rate > t->best) t->best = rate;
    }
    return 1;
}

static int is_incremental(const char *variant)
{
    return strcmp(variant, "incremental") == 0;
}

static double fastest_usual(const rivals *all, operation op, const trial *t)
{
    double usual = 0;
    for (int i = 0; i < all->count; i++) {
        for (int v = 0; v < all->list[i].counts[op]; v++) {
            if (!is_incremental(all->list[i].variants[op][v])) usual = fmax(usual, t->rate[i][v]);
        }
    }
    return usual;
}

/* What is asked at the next batch: all but those far behind, of which the fastest usual one stays for comparison while it
 * answers soon enough. Batches mostly grow by 8 or less. */
static void pick(rivals *all, operation op, int64_t batch, const trial *t, choice *best)
{
    const double usual = fastest_usual(all, op, t);
    *best = (choice){0};
    for (int i = 0; i < all->count; i++) {
        rival *const r = &all->list[i];
        for (int v = 0; v < r->counts[op]; v++) {
            const double rate = t->rate[i][v];
            if (rate <= 0) continue;
            if (rate == t->best) *best = (choice){r, r->variants[op][v], 0};
            r->hopeless[op][v] =
                t->best / rate > HOPELESS && (rate < usual || 8 * (double)batch / rate > TOO_LONG);
        }
    }
    if (best->variant && is_incremental(best->variant)) best->usual = usual;
}

/* With another number of threads all start anew. */
static void forget(rivals *all, int threads)
{
    if (all->threads == threads) return;
    all->threads = threads;
    for (int i = 0; i < all->count; i++) memset(all->list[i].hopeless, 0, sizeof all->list[i].hopeless);
}

int rivals_choose(rivals *all, operation op, int64_t batch, int threads, double seconds, choice *best,
                  char *message, size_t size)
{
    trial t = {0};
    forget(all, threads);
    for (int i = 0; i < all->count; i++) {
        if (all->list[i].setup.threads > threads) continue;
        if (!ready(all, &all->list[i], message, size)) return 0;
        if (!try_rival(all, i, op, batch, seconds, &t, message, size)) return 0;
    }
    *message = 0;
    pick(all, op, batch, &t, best);
    return best->rival != NULL;
}
