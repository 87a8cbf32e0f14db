/* probe.c - starting weir-probe and understanding its end.
 *
 * SPDX-License-Identifier: MIT
 *
 * posix_spawn and not fork: an embedder has threads, locks held by them and memory that a copy would duplicate. The
 * answer is the greeting, a line feed and one line of JSON: a listing, or {"error": TEXT}. A process that ends without
 * the second line was ended by the plugin. The helper gets a process group of its own, so that what a constructor
 * started is ended with it.
 */
#include "plugin/probe.h"

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

#define ANSWER_MAX (1 << 20)

extern char **environ;

typedef struct answer {
    char *text; /* ANSWER_MAX + 1 bytes, terminated */
    size_t length;
    int timed_out;
} answer;

static int64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- starting ----------------------------------------------------------------------------------- */

static int set_files(posix_spawn_file_actions_t *files, int writer)
{
    int failed = 0;
    for (int fd = 0; fd <= 2; fd++)
        failed |= posix_spawn_file_actions_addopen(files, fd, "/dev/null", fd ? O_WRONLY : O_RDONLY, 0);
    failed |= posix_spawn_file_actions_adddup2(files, writer, WEIR__PROBE_FD);
#if defined(__GLIBC__)
    failed |= posix_spawn_file_actions_addclosefrom_np(files, WEIR__PROBE_FD + 1);
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
static pid_t start(const char *helper, const char *file, int writer)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    pid_t pid = -1;
    char *const arguments[] = {(char *)(uintptr_t)helper, (char *)(uintptr_t)file, NULL};
    if (posix_spawn_file_actions_init(&files) != 0) return -1;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&files);
        return -1;
    }
    int failed = set_files(&files, writer) | set_signals(&attributes);
    if (!failed) failed = posix_spawn(&pid, helper, &files, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (!failed) return pid;
    errno = failed;
    return -1;
}

/* ---- listening ---------------------------------------------------------------------------------- */

static int is_complete(const answer *a)
{
    const char *const greeting_end = strchr(a->text, '\n');
    return greeting_end && strchr(greeting_end + 1, '\n');
}

/* Until the second line is whole, the helper is gone, or time is over. */
static void listen_to(int reader, int64_t deadline, answer *a)
{
    while (!is_complete(a) && a->length < ANSWER_MAX) {
        const int64_t left = deadline - milliseconds();
        struct pollfd ready = {.fd = reader, .events = POLLIN, .revents = 0};
        const int n = left > 0 ? poll(&ready, 1, (int)left) : 0;
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        const ssize_t got = read(reader, a->text + a->length, ANSWER_MAX - a->length);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return;
        a->length += (size_t)got;
        a->text[a->length] = '\0';
    }
}

/* Waits for the end until the deadline; a helper whose answer is whole is not waited for. Returns how it ended, or -1
 * when somebody else of this process collected it (SIGCHLD ignored). */
static int collect(pid_t pid, int64_t deadline, answer *a)
{
    static const struct timespec moment = {.tv_sec = 0, .tv_nsec = 500000};
    int status = 0;
    pid_t got = 0;
    while (!is_complete(a) && got == 0 && milliseconds() < deadline) {
        got = waitpid(pid, &status, WNOHANG);
        if (got == 0) nanosleep(&moment, NULL);
    }
    kill(-pid, SIGKILL); /* also what a constructor left running */
    if (got != 0) return got == pid ? status : -1;
    a->timed_out = !is_complete(a);
    while ((got = waitpid(pid, &status, 0)) < 0 && errno == EINTR) {
    }
    return got == pid ? status : -1;
}

/* ---- understanding ------------------------------------------------------------------------------ */

static weir_status how_it_ended(const answer *a, int32_t timeout, int status, weir_error *error)
{
    if (a->timed_out)
        return weir__fail(error, WEIR_INVALID, "did not finish loading within %d ms", (int)timeout);
    if (status != -1 && WIFSIGNALED(status))
        return weir__fail(error, WEIR_INVALID, "crashed while loading: %s", strsignal(WTERMSIG(status)));
    if (status != -1 && WIFEXITED(status))
        return weir__fail(error, WEIR_INVALID, "called exit(%d) while loading", WEXITSTATUS(status));
    return weir__fail(error, WEIR_INVALID, "ended the process that was loading it");
}

static weir_status parse_line(const char *line, weir__listing **listing, weir_error *error)
{
    json_t *const object = json_loadb(line, strcspn(line, "\n"), JSON_REJECT_DUPLICATES, NULL);
    const char *const refusal = json_string_value(json_object_get(object, "error"));
    weir_status status = WEIR_OK;
    if (refusal)
        status = weir__fail(error, WEIR_INVALID, "%s", refusal);
    else if (!(*listing = weir__listing_parse(object, error))) {
        weir__fail_in(error, "weir-probe gave no usable answer");
        status = WEIR_UNSUPPORTED;
    }
    json_decref(object);
    return status;
}

static weir_status understand(const answer *a, int32_t timeout, int ended, weir__listing **listing,
                              weir_error *error)
{
    static const char greeting[] = WEIR__PROBE_GREETING "\n";
    const size_t n = sizeof greeting - 1;
    if (a->length < n || memcmp(a->text, greeting, n) != 0)
        return weir__fail(error, WEIR_UNSUPPORTED, "weir-probe did not answer; install the one of this Weir");
    if (!is_complete(a)) return how_it_ended(a, timeout, ended, error);
    return parse_line(a->text + n, listing, error);
}

static weir_status ask(const char *helper, const char *file, int32_t timeout, const int pipe_ends[2],
                       answer *a, int *ended, weir_error *error)
{
    const int64_t deadline = milliseconds() + timeout;
    const pid_t pid = start(helper, file, pipe_ends[1]);
    const int why = errno;
    close(pipe_ends[1]);
    if (pid >= 0) {
        listen_to(pipe_ends[0], deadline, a);
        *ended = collect(pid, deadline, a);
    }
    close(pipe_ends[0]);
    if (pid >= 0) return WEIR_OK;
    return weir__fail(error, WEIR_UNSUPPORTED, "%s cannot be started: %s", helper, strerror(why));
}

weir_status weir__probe(const char *helper, const char *file, int32_t timeout, weir__listing **listing,
                        weir_error *error)
{
    answer a = {.text = calloc(1, ANSWER_MAX + 1)};
    int pipe_ends[2], ended = -1;
    if (!a.text) return weir__no_memory(error, "an answer of weir-probe");
    if (pipe2(pipe_ends, O_CLOEXEC) != 0) {
        free(a.text);
        return weir__fail(error, WEIR_UNSUPPORTED, "no pipe to weir-probe: %s", strerror(errno));
    }
    weir_status status = ask(helper, file, timeout, pipe_ends, &a, &ended, error);
    if (!status) status = understand(&a, timeout, ended, listing, error);
    free(a.text);
    return status;
}
