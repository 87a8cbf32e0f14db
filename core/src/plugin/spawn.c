/* spawn.c - see spawn.h.
 *
 * SPDX-License-Identifier: MIT
 *
 * posix_spawn and not fork: an embedder has threads, locks held by them and memory that a copy would duplicate. The
 * helper gets a process group of its own, so that what it, or a stranger's code in it, started is ended with it.
 */
#include "plugin/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FIRST_CAPACITY 4096
#define GLANCE         100 /* milliseconds between two questions whether to go on */

extern char **environ;

static int64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- starting ----------------------------------------------------------------------------------- */

static int set_files(posix_spawn_file_actions_t *files, const weir__errand *errand, int writer)
{
    int failed = 0;
    for (int fd = 0; fd <= 2; fd++) {
        if (fd == 0 && errand->input >= 0)
            failed |= posix_spawn_file_actions_adddup2(files, errand->input, 0);
        else if (fd < 2 || !errand->heard)
            failed |= posix_spawn_file_actions_addopen(files, fd, "/dev/null", fd ? O_WRONLY : O_RDONLY, 0);
    }
    failed |= posix_spawn_file_actions_adddup2(files, writer, WEIR__HELPER_FD);
#if defined(__GLIBC__)
    failed |= posix_spawn_file_actions_addclosefrom_np(files, WEIR__HELPER_FD + 1);
#endif
    return failed;
}

static int set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int failed = posix_spawnattr_setsigmask(attributes, &none);
    failed |= posix_spawnattr_setsigdefault(attributes, &all);
    failed |= posix_spawnattr_setpgroup(attributes, 0);
    failed |= posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                       POSIX_SPAWN_SETPGROUP);
    return failed;
}

/* The process, or -1 with errno. */
static pid_t start(const weir__errand *errand, int writer)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    pid_t pid = -1;
    if (posix_spawn_file_actions_init(&files) != 0) return -1;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&files);
        return -1;
    }
    int failed = set_files(&files, errand, writer) | set_signals(&attributes);
    if (!failed)
        failed = posix_spawn(&pid, errand->arguments[0], &files, &attributes,
                             (char *const *)(uintptr_t)errand->arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (!failed) return pid;
    errno = failed;
    return -1;
}

/* ---- listening ---------------------------------------------------------------------------------- */

static void find_line(weir__answer *a, int64_t from)
{
    const char *const end = memchr(a->text, '\n', (size_t)a->length);
    if (!end || a->line) return;
    const int64_t second = end + 1 - a->text;
    if (from < second) from = second;
    if (memchr(a->text + from, '\n', (size_t)(a->length - from))) a->line = end + 1;
}

static int make_room(weir__answer *a, int64_t most)
{
    if (a->capacity - a->length > 1) return 1;
    int64_t capacity = a->capacity ? 4 * a->capacity : FIRST_CAPACITY;
    if (capacity > most + 1) capacity = most + 1;
    if (capacity <= a->capacity) return 0;
    char *const grown = realloc(a->text, (size_t)capacity);
    if (!grown) return 0;
    a->text = grown;
    a->capacity = capacity;
    return 1;
}

/* How long poll may wait: to the deadline, and not longer than until the next glance at `interrupted`. */
static int patience(const weir__errand *errand, int64_t deadline)
{
    const int64_t left = errand->timeout ? deadline - milliseconds() : GLANCE;
    if (left <= 0) return 0;
    return (int)(errand->interrupted && left > GLANCE ? GLANCE : left);
}

/* False when there is nothing more to hear. */
static int hear(int reader, const weir__errand *errand, int64_t deadline, weir__answer *a)
{
    struct pollfd ready = {.fd = reader, .events = POLLIN, .revents = 0};
    const int n = poll(&ready, 1, patience(errand, deadline));
    if (errand->interrupted && errand->interrupted(errand->user)) {
        a->interrupted = 1;
        return 0;
    }
    if (n < 0) return errno == EINTR;
    if (n == 0) return !errand->timeout || milliseconds() < deadline;
    if (!make_room(a, errand->most)) return 0;
    const ssize_t got = read(reader, a->text + a->length, (size_t)(a->capacity - a->length - 1));
    if (got < 0) return errno == EINTR;
    if (got == 0) return 0;
    a->length += got;
    a->text[a->length] = '\0';
    find_line(a, a->length - got);
    return 1;
}

/* Waits for the end until the deadline; a helper whose answer is whole is not waited for. */
static void collect(pid_t pid, const weir__errand *errand, int64_t deadline, weir__answer *a)
{
    static const struct timespec moment = {.tv_sec = 0, .tv_nsec = 500000};
    int status = 0;
    pid_t got = 0;
    while (!a->line && !a->interrupted && got == 0 && (!errand->timeout || milliseconds() < deadline)) {
        got = waitpid(pid, &status, WNOHANG);
        if (got == 0) nanosleep(&moment, NULL);
    }
    kill(-pid, SIGKILL); /* also what a constructor left running */
    if (got == 0) {
        a->timed_out = !a->line && !a->interrupted;
        while ((got = waitpid(pid, &status, 0)) < 0 && errno == EINTR) {
        }
    }
    a->ended = got == pid ? status : -1;
}

static weir_status listen_and_collect(const weir__errand *errand, const int pipe_ends[2], weir__answer *a,
                                      weir_error *error)
{
    const int64_t deadline = milliseconds() + errand->timeout;
    const pid_t pid = start(errand, pipe_ends[1]);
    const int why = errno;
    close(pipe_ends[1]);
    if (pid >= 0) {
        while (!a->line && hear(pipe_ends[0], errand, deadline, a)) {
        }
        collect(pid, errand, deadline, a);
    }
    close(pipe_ends[0]);
    if (pid >= 0) return WEIR_OK;
    return weir__fail(error, WEIR_UNSUPPORTED, "%s cannot be started: %s", errand->arguments[0],
                      strerror(why));
}

static int is_greeted(const weir__answer *a, const char *greeting)
{
    const size_t n = strlen(greeting);
    return a->length > (int64_t)n && memcmp(a->text, greeting, n) == 0 && a->text[n] == '\n';
}

weir_status weir__helper_ask(const weir__errand *errand, weir__answer *answer, weir_error *error)
{
    int pipe_ends[2];
    memset(answer, 0, sizeof *answer);
    if (pipe2(pipe_ends, O_CLOEXEC) != 0)
        return weir__fail(error, WEIR_UNSUPPORTED, "no pipe to %s: %s", errand->name, strerror(errno));
    const weir_status status = listen_and_collect(errand, pipe_ends, answer, error);
    if (status || answer->interrupted || is_greeted(answer, errand->greeting)) return status;
    return weir__fail(error, WEIR_UNSUPPORTED, "%s did not answer; install the one of this Weir",
                      errand->name);
}

void weir__answer_clear(weir__answer *answer)
{
    free(answer->text);
    memset(answer, 0, sizeof *answer);
}
