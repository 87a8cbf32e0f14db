/* test_log.c - what modules say goes to whoever opened the runtime, whichever thread says it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sandbox.h"

#include "models.h"

#include <time.h>

TestSuite(log, .init = sandbox_open, .fini = sandbox_close);

typedef struct heard {
    int lines[3], others, inside, at_once;
    const weir_runtime *runtime;
} heard;

/* A listener may call the library, which may have something to say. */
static void listen(void *user, int32_t level, const char *line)
{
    heard *const h = user;
    if (h->inside++) h->at_once++;
    if (level >= 0 && level <= 2 && strstr(line, "from a call"))
        h->lines[level]++;
    else
        h->others++;
    if (strpbrk(line, "\n\033")) h->others++;
    if (h->runtime) {
        nanosleep(&(struct timespec){.tv_nsec = 20000},
                  NULL); /* long enough for another to come in between */
        weir_threads(h->runtime);
    }
    h->inside--;
}

static weir_runtime *open_with(heard *h, int32_t threads)
{
    weir_runtime *rt = NULL;
    put_fixture("talks", "plugins/talks.so");
    const weir_settings settings = {.struct_size = (uint32_t)sizeof settings,
                                    .threads = threads,
                                    .plugin_path = box.plugins,
                                    .log = listen,
                                    .user = h};
    MUST(weir_open(&settings, &rt, &error));
    return rt;
}

static void evaluate(weir_runtime *rt, int rows)
{
    weir_model *const m =
        must_build(rt, MODEL("f64", 2, 0,
                             "{\"type\":\"elementwise\",\"children\":{\"univariate\":{\"type\":"
                             "\"fixture.talks\"}}}"));
    const weir_matrix x = some_data(rows, 2, 1);
    double *const log_p = malloc((size_t)rows * sizeof *log_p);
    MUST(weir_log_prob(m, &x, NULL, log_p, &error));
    free(log_p);
    free(x.data);
    weir_model_close(m);
}

Test(log, lines_of_a_module_reach_the_listener_at_every_level)
{
    heard h = {.inside = 0};
    weir_runtime *const rt = open_with(&h, 1);
    memset(h.lines, 0, sizeof h.lines);
    h.others = 0;
    evaluate(rt, 3);
    for (int level = 0; level < 3; level++)
        cr_assert(h.lines[level] > 0 && h.lines[level] == h.lines[0], "level %d", level);
    cr_assert_eq(h.others, 0, "a line was changed");
    weir_close(rt);
}

/* Workers say theirs at the same time: the listener hears one line after the other. */
Test(log, one_line_at_a_time)
{
    heard h = {.inside = 0};
    weir_runtime *const rt = open_with(&h, 4);
    h.runtime = rt;
    memset(h.lines, 0, sizeof h.lines);
    for (int i = 0; i < 10; i++) evaluate(rt, 64 * 12);
    cr_assert(h.lines[2] >= 10 * 12 && h.lines[2] == h.lines[0], "%d lines", h.lines[2]);
    cr_assert_eq(h.at_once, 0);
    weir_close(rt);
}
