/* main.c - weir-bench: measures the workloads, beside a peer if asked, and prints a JSON object a line as results come.
 *
 *     weir-bench [--work W1,...] [--op train,...] [--batch 1,...] [--threads 1,...] [--seconds S] [--rounds N]
 *                [--peer SCRIPT] [--python PROGRAM] [--only cases,limits,startup,accuracy,model,memory]
 *     weir-bench --first MODEL DATA | --first-train MODEL DATA     (what startup.h runs)
 *     weir-bench --memory LAYERS ROWS RECOMPUTE                    (what memory.h runs)
 *     weir-bench --steady WORK OP BATCH SECONDS                    (what profile.sh runs)
 *
 * Kinds of lines: machine, limit, gemm, accuracy, check, case, startup, model, memory. `weir bench` makes tables of them.
 * Errors: one line on stderr, status 1, or 2 for bad usage. */
#include "accuracy.h"
#include "clock.h"
#include "contest.h"
#include "cost.h"
#include "limit.h"
#include "memory.h"
#include "plan.h"
#include "startup.h"
#include "steady.h"

#include <libgen.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct session {
    plan plan;
    char folder[64], model[96], data[96], answers[96];
    char program[PATH_MAX];
    rivals rivals;
    weir_runtime *runtimes[PLAN_MOST]; /* one for each number of threads */
    double *expected, *exact;          /* log_prob of the rows to check on, in f32 and in f64 */
    char message[1200];
} session;

#define CHECK_ROWS 2048

/* Set by Ctrl-C: the case ends, and files are removed as always. */
static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* ---- what every work needs ----------------------------------------------------------------------------------------- */

static int fail(session *s, const weir_error *error)
{
    snprintf(s->message, sizeof s->message, "%s", error->message);
    return 0;
}

static int open_runtimes(session *s)
{
    weir_error error;
    for (int i = 0; i < s->plan.thread_count; i++) {
        const weir_settings settings = {.struct_size = (uint32_t)sizeof settings,
                                        .threads = s->plan.threads[i]};
        if (weir_open(&settings, &s->runtimes[i], &error)) return fail(s, &error);
    }
    return 1;
}

/* The model file, rows to check on and what the library says of them. */
static int write_files(session *s, const work *w)
{
    weir_error error;
    subject one;
    if (subject_make(s->runtimes[0], w, s->model, &error)) return fail(s, &error);
    weir_status status = subject_open(&one, s->runtimes[0], w, s->model, CHECK_ROWS, &error);
    if (!status) {
        const weir_matrix x = subject_rows(&one, 0, CHECK_ROWS);
        status = weir_matrix_write(s->data, &x, NULL, &error);
        if (!status) status = weir_log_prob(one.model, &x, NULL, s->expected, &error);
        if (!status) status = accuracy_exact(s->runtimes[0], w, one.model, &x, s->exact, &error);
    }
    subject_close(&one);
    return status ? fail(s, &error) : 1;
}

/* ---- limits -------------------------------------------------------------------------------------------------------- */

static void print_limit(const char *name, int threads, double figure, const char *unit)
{
    printf("{\"kind\":\"limit\",\"name\":\"%s\",\"threads\":%d,\"figure\":%.5g,\"unit\":\"%s\"}\n", name,
           threads, figure, unit);
    fflush(stdout);
}

static void print_machine(const session *s)
{
    printf(
        "{\"kind\":\"machine\",\"version\":\"%s\",\"kernels\":\"%s\",\"processors\":%ld,\"cases\":%d,\"rounds\":%d,"
        "\"seconds\":%g,\"peer\":",
        weir_version(), limit_kernels(), sysconf(_SC_NPROCESSORS_ONLN), plan_cases(&s->plan), s->plan.rounds,
        s->plan.seconds);
    if (s->plan.peer)
        printf("\"%s\"}\n", s->rivals.name);
    else
        printf("null}\n");
    fflush(stdout);
}

/* A ceiling is the best of several short turns: whatever disturbs one makes it lower. */
#define TURNS 5

static double best_peak(int threads, double seconds)
{
    double best = 0;
    for (int turn = 0; turn < TURNS; turn++) best = fmax(best, limit_peak(threads, seconds / TURNS));
    return best;
}

static double best_copy(int threads, int64_t bytes, double seconds)
{
    double best = 0;
    for (int turn = 0; turn < TURNS; turn++) best = fmax(best, limit_copy(threads, bytes, seconds / TURNS));
    return best;
}

static double best_function(int which, double seconds)
{
    double best = HUGE_VAL;
    for (int turn = 0; turn < TURNS; turn++) best = fmin(best, limit_function(which, seconds / TURNS));
    return best;
}

static void run_limits(const session *s)
{
    const double seconds = s->plan.seconds;
    for (int i = 0; i < s->plan.thread_count; i++) {
        const int threads = s->plan.threads[i];
        print_limit("multiply-add", threads, best_peak(threads, seconds) / 1e9, "GFLOP/s");
        print_limit("copy 16 KiB", threads, best_copy(threads, 16 << 10, seconds) / 1e9, "GB/s");
        print_limit("copy 256 KiB", threads, best_copy(threads, 256 << 10, seconds) / 1e9, "GB/s");
        print_limit("copy 64 MiB", threads, best_copy(threads, 64 << 20, seconds) / 1e9, "GB/s");
    }
    for (int f = 0; f < FUNCTIONS; f++)
        print_limit(limit_function_names[f], 1, best_function(f, seconds), "ns a number");
}

#define TILE_ROWS 64

static void print_gemm(const work *w, const dense *layer, product which, int threads, double peak,
                       gemm_figure figure)
{
    printf(
        "{\"kind\":\"gemm\",\"work\":\"%s\",\"out\":%d,\"in\":%d,\"rows\":%d,\"product\":\"%s\",\"threads\":%d,"
        "\"own\":%.5g,\"blis\":%.5g,\"own_fraction\":%.4g,\"blis_fraction\":%.4g}\n",
        w->id, (int)layer->out, (int)layer->in, TILE_ROWS, product_names[which], threads, figure.own / 1e9,
        figure.blis / 1e9, figure.own / peak, figure.blis / peak);
    fflush(stdout);
}

static gemm_figure best_gemm(const dense *layer, product which, int threads, double seconds, double *peak)
{
    gemm_figure best = {0, 0};
    *peak = 0;
    for (int turn = 0; turn < TURNS; turn++) {
        const double fma = limit_peak(threads, seconds / TURNS);
        const gemm_figure now = limit_gemm(layer, which, TILE_ROWS, threads, seconds / TURNS);
        if (fma > *peak) *peak = fma;
        if (now.own > best.own) best.own = now.own;
        if (now.blis > best.blis) best.blis = now.blis;
    }
    return best;
}

typedef struct ceilings {
    double of_peak[OPERATIONS];
} ceilings;

/* What products alone reach, as fractions of a peak measured beside each. */
static ceilings gemm_ceilings(const session *s, const work *w, int threads)
{
    dense list[6];
    gemm_figure table[6][PRODUCTS];
    ceilings out = {{0}};
    const int count = work_dense(w, list, 6);
    for (int i = 0; i < count; i++) {
        for (int p = 0; p < PRODUCTS; p++) {
            double peak;
            const gemm_figure figure = best_gemm(&list[i], (product)p, threads, s->plan.seconds / 4, &peak);
            if (s->plan.limits) print_gemm(w, &list[i], (product)p, threads, peak, figure);
            table[i][p] = (gemm_figure){figure.own / peak, figure.blis / peak};
        }
    }
    for (int op = 0; op < OPERATIONS && count; op++) out.of_peak[op] = limit_of(w, (operation)op, table);
    return out;
}

/* ---- cases --------------------------------------------------------------------------------------------------------- */

static int run_threads(session *s, const work *w, int index)
{
    const plan *const p = &s->plan;
    subject one;
    weir_error error;
    int fine = 1;
    if (!p->cases && !p->limits) return 1;
    const ceilings ceiling = gemm_ceilings(s, w, p->threads[index]);
    if (!p->cases) return 1;
    if (subject_open(&one, s->runtimes[index], w, s->model, plan_largest_batch(p), &error))
        fine = fail(s, &error);
    for (int o = 0; o < p->op_count && fine; o++) {
        for (int b = 0; b < p->batch_count && fine; b++) {
            const contest c = {.subject = &one,
                               .rivals = p->peer ? &s->rivals : NULL,
                               .op = p->ops[o],
                               .batch = p->batches[b],
                               .threads = p->threads[index],
                               .rounds = p->rounds,
                               .seconds = p->seconds,
                               .gemm_ceiling = ceiling.of_peak[p->ops[o]]};
            if (!plan_has(p, c.op, c.batch, c.threads)) continue;
            fine = contest_run(&c, s->message, sizeof s->message) && !interrupted;
        }
    }
    subject_close(&one);
    return fine;
}

/* In units of features + |log p|. */
static void print_accuracy(const work *w, const char *who, const deviation *off)
{
    printf(
        "{\"kind\":\"accuracy\",\"work\":\"%s\",\"who\":\"%s\",\"rows\":%d,\"usual\":%.3g,\"worst\":%.3g}\n",
        w->id, who, CHECK_ROWS, off->usual, off->worst);
    fflush(stdout);
}

static int check_accuracy(session *s, const work *w)
{
    deviation off;
    if (!accuracy_compare(s->expected, s->exact, CHECK_ROWS, w->features, &off))
        return snprintf(s->message, sizeof s->message, "out of memory"), 0;
    if (!(off.usual < HUGE_VAL))
        return snprintf(s->message, sizeof s->message, "%s: log_prob is not finite in f32 or in f64", w->id),
               0;
    print_accuracy(w, "weir", &off);
    return 1;
}

/* ---- start-up ------------------------------------------------------------------------------------------------------ */

static int time_program(session *s, const work *w, const char *who, const char *const *words)
{
    startup figure;
    if (!startup_measure((char *const *)(uintptr_t)words, &figure))
        return snprintf(s->message, sizeof s->message, "start-up: %s failed", words[0]), 0;
    printf("{\"kind\":\"startup\",\"work\":\"%s\",\"who\":\"%s\",\"milliseconds\":%.4g,\"megabytes\":", w->id,
           who, figure.milliseconds);
    if (figure.megabytes > 0)
        printf("%.4g}\n", figure.megabytes);
    else
        printf("null}\n");
    fflush(stdout);
    return 1;
}

/* With the model file of the work at hand. */
static int run_startup(session *s, const work *w)
{
    char command[PATH_MAX + 16], copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", s->program);
    snprintf(command, sizeof command, "%s/weir", dirname(copy));
    const char *const own[] = {s->program, "--first", s->model, s->data, NULL};
    const char *const training[] = {s->program, "--first-train", s->model, s->data, NULL};
    const char *const eval[] = {command, "eval", s->model, s->data, NULL};
    const char *const python[] = {s->plan.python, s->plan.peer, "1", "first", w->id, s->model, s->data, NULL};
    if (!time_program(s, w, "library", own) || !time_program(s, w, "library, and a training step", training))
        return 0;
    if (access(command, X_OK) == 0 && !time_program(s, w, "weir eval", eval)) return 0;
    return s->plan.peer ? time_program(s, w, "peer", python) : 1;
}

static int run_work(session *s, const work *w)
{
    if (!write_files(s, w)) return 0;
    if (s->plan.accuracy && !check_accuracy(s, w)) return 0;
    if (s->plan.peer)
        rivals_set(&s->rivals, w, s->model, s->data, s->answers, s->expected, s->exact, CHECK_ROWS);
    for (int i = 0; i < s->plan.thread_count; i++) {
        if (!run_threads(s, w, i)) return 0;
    }
    if (s->plan.peer && s->plan.cases) {
        printf("{\"kind\":\"check\",\"work\":\"%s\",\"rows\":%d,\"worst\":%.3g}\n", w->id, CHECK_ROWS,
               s->rivals.worst);
        print_accuracy(w, "peer", &s->rivals.exact_by);
    }
    return s->plan.startup ? run_startup(s, w) : 1;
}

/* ---- the model of cost --------------------------------------------------------------------------------------------- */

static int run_model(session *s)
{
    const plan *const p = &s->plan;
    weir_error error;
    if (p->threads[0] != 1)
        return snprintf(s->message, sizeof s->message, "the model of cost begins with one thread"), 0;
    if (!cost_series(s->runtimes, p->threads, p->thread_count, p->ops, p->op_count, p->seconds, &error))
        return fail(s, &error);
    return 1;
}

static int run_memory(session *s)
{
    if (memory_series(s->program)) return 1;
    return snprintf(s->message, sizeof s->message, "memory: a process of its own failed"), 0;
}

/* ---- the whole ----------------------------------------------------------------------------------------------------- */

static int prepare(session *s)
{
    const ssize_t length = readlink("/proc/self/exe", s->program, sizeof s->program - 1);
    if (length <= 0) return snprintf(s->message, sizeof s->message, "cannot tell where this program is"), 0;
    const char *const temporary = getenv("TMPDIR");
    snprintf(s->folder, sizeof s->folder, "%s/weir-bench-XXXXXX",
             temporary && strlen(temporary) < 40 ? temporary : "/tmp");
    s->expected = malloc(CHECK_ROWS * sizeof *s->expected);
    s->exact = malloc(CHECK_ROWS * sizeof *s->exact);
    if (!s->expected || !s->exact || !mkdtemp(s->folder))
        return snprintf(s->message, sizeof s->message, "%s: cannot make a folder for files", s->folder), 0;
    snprintf(s->model, sizeof s->model, "%s/model.safetensors", s->folder);
    snprintf(s->data, sizeof s->data, "%s/data.npy", s->folder);
    snprintf(s->answers, sizeof s->answers, "%s/answers.npy", s->folder);
    return open_runtimes(s);
}

static int run(session *s)
{
    const plan *const p = &s->plan;
    if (!prepare(s)) return 0;
    if (p->peer &&
        !rivals_open(&s->rivals, p->python, p->peer, plan_most_threads(p), s->message, sizeof s->message))
        return 0;
    print_machine(s);
    if (p->limits) run_limits(s);
    if (p->model && !run_model(s)) return 0;
    if (p->memory && !run_memory(s)) return 0;
    if (!p->cases && !p->limits && !p->startup && !p->accuracy) return 1;
    for (int i = 0; i < p->work_count; i++) {
        if (!run_work(s, p->works[i])) return 0;
    }
    return 1;
}

static void finish(session *s)
{
    rivals_close(&s->rivals);
    for (int i = 0; i < s->plan.thread_count; i++) weir_close(s->runtimes[i]);
    if (*s->model) unlink(s->model);
    if (*s->data) unlink(s->data);
    if (*s->answers) unlink(s->answers);
    if (*s->folder) rmdir(s->folder);
    free(s->expected);
    free(s->exact);
}

static int usage(const char *what, const char *word)
{
    fprintf(stderr, "weir-bench: %s: %s is not understood; weir bench --help says what is\n", what, word);
    return 2;
}

int main(int count, char **words)
{
    static session s;
    if (count == 4 && strcmp(words[1], "--first") == 0) return startup_first(words[2], words[3], 0);
    if (count == 4 && strcmp(words[1], "--first-train") == 0) return startup_first(words[2], words[3], 1);
    if (count == 5 && strcmp(words[1], "--memory") == 0) return memory_first(words[2], words[3], words[4]);
    if (count == 6 && strcmp(words[1], "--steady") == 0) return steady_run(words + 2);
    plan_default(&s.plan);
    for (int i = 1; i < count; i += 2) {
        if (i + 1 == count) return usage(words[i], "a missing value");
        if (!plan_read(&s.plan, words[i], words[i + 1])) return usage(words[i], words[i + 1]);
    }
    signal(SIGINT, interrupt);
    const int fine = run(&s);
    if (interrupted) snprintf(s.message, sizeof s.message, "interrupted");
    if (!fine) fprintf(stderr, "weir-bench: %s\n", s.message);
    finish(&s);
    return fine ? 0 : 1;
}
