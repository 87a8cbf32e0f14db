/* ending.c - what is to be made of a process that did not come to its end. */
#include "checker/job.h"

#include "checker/symbols.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The last line that it printed: an abort mostly says why. */
static void last_words(int output, char *text, size_t size)
{
    char tail[2048];
    const off_t end = lseek(output, 0, SEEK_END);
    const off_t from = end > (off_t)sizeof tail - 1 ? end - (off_t)sizeof tail + 1 : 0;
    const ssize_t got = end > 0 ? pread(output, tail, sizeof tail - 1, from) : 0;
    text[0] = '\0';
    if (got <= 0) return;
    ssize_t length = got;
    while (length > 0 && (tail[length - 1] == '\n' || tail[length - 1] == ' ')) length--;
    tail[length] = '\0';
    const char *const line = strrchr(tail, '\n');
    snprintf(text, size, "%.*s", (int)size - 1, line ? line + 1 : tail);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f) *c = '?';
}

static void describe(const weir__job *job, const weir__ending *ending, weir__finding *finding)
{
    char words[100];
    const int status = ending->status;
    const weir__scene *const scene = &job->board->scene;
    char *const text = finding->ending;
    const size_t size = sizeof finding->ending;
    last_words(job->output, words, sizeof words);
    if (ending->not_begun)
        snprintf(text, size, "no process for it: %s", strerror(ending->not_begun));
    else if (ending->hung)
        snprintf(text, size, "no end after %g seconds", job->patience);
    else if (WIFSIGNALED(status))
        snprintf(text, size, "%s%s%.80s%s%s", strsignal(WTERMSIG(status)), *scene->fault ? ": " : "",
                 scene->fault, *words && !*scene->fault ? ": " : "", *scene->fault ? "" : words);
    else if (scene->exiting)
        snprintf(text, size, "it called exit(%d)", WEXITSTATUS(status));
    else
        snprintf(text, size, "it ended the process with status %d%s%s", WEXITSTATUS(status),
                 *words ? ": " : "", words);
}

/* Which promise that breaks: loading does no harm (4), memory that is not the module's is left alone (19), inputs are not
 * written (23), nothing is read behind a struct (8), every call returns (49), and none ends the process (48). */
static const char *promise_of(const weir__job *job, const weir__ending *ending)
{
    const weir__scene *const scene = &job->board->scene;
    if (job->promise) return "4";
    if (strstr(scene->fault, "read-only")) return "23";
    if (strstr(scene->fault, "descriptor")) return "8";
    if (*scene->fault) return "19";
    return ending->hung ? "49" : "48";
}

static int is_named(const char *file, const char *start)
{
    return strncmp(file, start, strlen(start)) == 0;
}

/* The frames up to the last that is not this program's own, or the C library's. */
static int32_t frames_of_interest(const weir__scene *scene)
{
    int32_t depth = scene->depth < 0 || scene->depth > WEIR__STACK_MOST ? 0 : scene->depth;
    while (depth > 0 && (is_named(scene->stack[depth - 1].file, "weir-checker") ||
                         is_named(scene->stack[depth - 1].file, "libc.so")))
        depth--;
    return depth;
}

/* The plugin's functions are named by its table for debuggers, where it has one: it exports hardly any. All but the first
 * frame say where a call returns to, which may be behind the end of a function that was not meant to go on. */
static void name_frame(const weir__job *job, weir__scene *scene, int32_t i)
{
    const char *const path = job->path ? job->path : job->loading->path;
    const char *const slash = path ? strrchr(path, '/') : NULL;
    const uint64_t offset = scene->stack[i].offset - (i > 0 && scene->stack[i].offset > 0);
    char *const name = scene->stack[i].name, other[sizeof scene->stack[i].name];
    name[sizeof scene->stack[i].name - 1] = '\0';
    scene->stack[i].file[sizeof scene->stack[i].file - 1] = '\0';
    if (!slash || strncmp(slash + 1, scene->stack[i].file, sizeof scene->stack[i].file - 1) != 0) return;
    weir__symbol_at(job->loading->data, job->loading->size, offset, other, sizeof other);
    if (*other) memcpy(name, other, sizeof other);
}

static void take_stack(const weir__job *job, weir__finding *finding)
{
    weir__scene *const scene = &job->board->scene;
    const int32_t depth = frames_of_interest(scene);
    for (int32_t i = 0; i < depth; i++) {
        name_frame(job, scene, i);
        if (finding->depth == 0 && is_named(scene->stack[i].file, "weir-checker")) continue;
        snprintf(finding->stack[finding->depth++], WEIR__FRAME_TEXT, "%s%s%s+0x%llx", scene->stack[i].name,
                 *scene->stack[i].name ? " in " : "", scene->stack[i].file,
                 (unsigned long long)scene->stack[i].offset);
    }
}

void weir__ending_take(const weir__job *job, const weir__ending *ending, weir__finding *finding)
{
    weir__scene *const scene = &job->board->scene;
    scene->setting[sizeof scene->setting - 1] = '\0';
    scene->fault[sizeof scene->fault - 1] = '\0';
    finding->worst.figure = INFINITY;
    describe(job, ending, finding);
    snprintf(finding->call, sizeof finding->call, "%s", weir__call_name(scene->call));
    snprintf(finding->worst.note, sizeof finding->worst.note, "%.130s%s%.30s%s%.60s%s", finding->ending,
             *finding->call ? " in " : "", finding->call, *scene->setting ? " (" : "", scene->setting,
             *scene->setting ? ")" : "");
    if (ending->not_begun) return;
    snprintf(finding->rule, sizeof finding->rule, "%s", promise_of(job, ending));
    take_stack(job, finding);
}
