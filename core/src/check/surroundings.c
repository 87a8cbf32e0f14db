/* surroundings.c - see surroundings.h. */
#include "check/surroundings.h"

#include "plugin/fpstate.h"

#include <dirent.h>
#include <limits.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define FILES_MOST 1024

extern char **environ;

struct weir__surroundings {
    int32_t threads;
    int32_t file_count;
    int files[FILES_MOST];
    struct sigaction handlers[NSIG];
    sigset_t mask;
    stack_t signal_stack;
    char locale[512];
    int own_locale; /* of this thread: uselocale was called */
    char folder[PATH_MAX];
    mode_t umask;
    uint64_t environment;
    struct itimerval timer;
    struct rlimit stack_limit;
    weir__fpstate arithmetic;
};

/* ---- looking ---- */

static int32_t count_entries(const char *path)
{
    DIR *const folder = opendir(path);
    int32_t count = 0;
    while (folder && readdir(folder)) count++;
    if (folder) closedir(folder);
    return count;
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void list_files(weir__surroundings *s)
{
    DIR *const folder = opendir("/proc/self/fd");
    const struct dirent *entry;
    while (folder && s->file_count < FILES_MOST && (entry = readdir(folder)))
        if (entry->d_name[0] != '.' && strtol(entry->d_name, NULL, 10) != dirfd(folder))
            s->files[s->file_count++] = (int)strtol(entry->d_name, NULL, 10);
    if (folder) closedir(folder);
    qsort(s->files, (size_t)s->file_count, sizeof *s->files, by_number);
}

/* FNV-1a over all variables, in their order. */
static uint64_t environment_digest(void)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    for (char **variable = environ; variable && *variable; variable++)
        for (const char *c = *variable;; c++) {
            digest = (digest ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
            if (!*c) break;
        }
    return digest;
}

static mode_t umask_now(void)
{
    const mode_t mask = umask(077);
    umask(mask);
    return mask;
}

weir__surroundings *weir__surroundings_now(void)
{
    weir__surroundings *const s = calloc(1, sizeof *s);
    if (!s) return NULL;
    weir__fpstate_save(&s->arithmetic);
    s->threads = count_entries("/proc/self/task");
    list_files(s);
    for (int i = 1; i < NSIG; i++) sigaction(i, NULL, &s->handlers[i]);
    pthread_sigmask(SIG_SETMASK, NULL, &s->mask);
    sigaltstack(NULL, &s->signal_stack);
    const char *const name = setlocale(LC_ALL, NULL);
    snprintf(s->locale, sizeof s->locale, "%s", name ? name : "");
    s->own_locale = uselocale((locale_t)0) != LC_GLOBAL_LOCALE;
    if (!getcwd(s->folder, sizeof s->folder)) s->folder[0] = '\0';
    s->umask = umask_now();
    s->environment = environment_digest();
    getitimer(ITIMER_REAL, &s->timer);
    getrlimit(RLIMIT_STACK, &s->stack_limit);
    return s;
}

void weir__surroundings_free(weir__surroundings *surroundings)
{
    free(surroundings);
}

/* ---- comparing ---- */

static int same_handler(const struct sigaction *a, const struct sigaction *b)
{
    return a->sa_handler == b->sa_handler && a->sa_flags == b->sa_flags;
}

static void compare_signals(const weir__surroundings *before, const weir__surroundings *after,
                            weir__verdict *verdict)
{
    for (int i = 1; i < NSIG; i++) {
        if (!same_handler(&before->handlers[i], &after->handlers[i]))
            weir__object(verdict, "the handler of SIG%s was changed",
                         sigabbrev_np(i) ? sigabbrev_np(i) : "?");
        if (sigismember(&before->mask, i) != sigismember(&after->mask, i))
            weir__object(verdict, "SIG%s was blocked or let through",
                         sigabbrev_np(i) ? sigabbrev_np(i) : "?");
    }
    if (before->signal_stack.ss_sp != after->signal_stack.ss_sp)
        weir__object(verdict, "the stack of signal handlers was changed");
}

static void compare_files(const weir__surroundings *before, const weir__surroundings *after,
                          weir__verdict *verdict)
{
    const size_t bytes = (size_t)before->file_count * sizeof *before->files;
    if (before->file_count < after->file_count)
        weir__object(verdict, "%d files more are open", after->file_count - before->file_count);
    else if (before->file_count > after->file_count || memcmp(before->files, after->files, bytes) != 0)
        weir__object(verdict, "an open file was closed");
}

void weir__surroundings_compare(const weir__surroundings *before, const weir__surroundings *after,
                                weir__verdict *verdict)
{
    if (!weir__have(verdict, before, after)) return;
    const char *const changed = weir__fpstate_difference(&before->arithmetic, &after->arithmetic);
    if (changed) weir__object(verdict, "%s was changed", changed);
    if (before->threads < after->threads)
        weir__object(verdict, "%d threads more are running", after->threads - before->threads);
    compare_files(before, after, verdict);
    compare_signals(before, after, verdict);
    if (strcmp(before->locale, after->locale) != 0)
        weir__object(verdict, "the locale is now %.60s", after->locale);
    if (before->own_locale != after->own_locale) weir__object(verdict, "the thread's locale was changed");
    if (strcmp(before->folder, after->folder) != 0)
        weir__object(verdict, "the working directory was changed");
    if (before->umask != after->umask) weir__object(verdict, "the umask is now %03o", (unsigned)after->umask);
    if (before->environment != after->environment)
        weir__object(verdict, "the environment variables were changed");
    if (!before->timer.it_value.tv_sec && !before->timer.it_value.tv_usec &&
        (after->timer.it_value.tv_sec || after->timer.it_value.tv_usec))
        weir__object(verdict, "an alarm was set");
    if (before->stack_limit.rlim_cur != after->stack_limit.rlim_cur)
        weir__object(verdict, "a limit of the process was changed");
}
