/* peer.c - see peer.h. */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Longer than the slowest request may take: one call of the slowest operation. */
#define PATIENCE_MS 600000

struct peer {
    pid_t process;
    int to, from;
    char kept[4096]; /* what came after the line that was read */
    size_t kept_count;
};

/* ---- the child's environment ---------------------------------------------------------------------------------------- */

static const char *const owned[] = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS",
                                    "MKL_NUM_THREADS", "LD_LIBRARY_PATH"};
#define OWNED (sizeof owned / sizeof *owned)

typedef struct settings {
    char **list;
    char text[OWNED][512];
} settings;

static int is_owned(const char *entry)
{
    for (size_t i = 0; i < OWNED; i++) {
        const size_t length = strlen(owned[i]);
        if (strncmp(entry, owned[i], length) == 0 && entry[length] == '=') return 1;
    }
    return 0;
}

/* The parent's, but for how many threads every library may start and which BLAS is found first. */
static int make_settings(settings *s, const peer_setup *setup)
{
    size_t count = 0, used = 0;
    while (environ[count]) count++;
    s->list = calloc(count + OWNED + 1, sizeof *s->list);
    if (!s->list) return 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_owned(environ[i])) s->list[used++] = environ[i];
    }
    for (size_t i = 0; i + 1 < OWNED; i++) {
        snprintf(s->text[i], sizeof s->text[i], "%s=%d", owned[i], setup->threads);
        s->list[used++] = s->text[i];
    }
    if (!setup->libraries) return 1;
    const int length =
        snprintf(s->text[OWNED - 1], sizeof s->text[0], "LD_LIBRARY_PATH=%s", setup->libraries);
    s->list[used] = s->text[OWNED - 1];
    return length > 0 && (size_t)length < sizeof s->text[0];
}

/* ---- the process ---------------------------------------------------------------------------------------------------- */

static int spawn(peer *p, const peer_setup *setup, const settings *s)
{
    int down[2], up[2];
    if (pipe2(down, O_CLOEXEC)) return errno;
    if (pipe2(up, O_CLOEXEC)) {
        const int failed = errno;
        close(down[0]);
        close(down[1]);
        return failed;
    }
    char threads[16];
    snprintf(threads, sizeof threads, "%d", setup->threads);
    char *const words[] = {(char *)setup->program, (char *)setup->script, threads, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, down[0], 0);
    posix_spawn_file_actions_adddup2(&actions, up[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    const int failed = posix_spawnp(&p->process, setup->program, &actions, NULL, words, s->list);
    posix_spawn_file_actions_destroy(&actions);
    close(down[0]);
    close(up[1]);
    p->to = down[1];
    p->from = up[0];
    if (failed) p->process = 0;
    return failed;
}

static void send_line(const peer *p, const char *line)
{
    size_t left = strlen(line);
    while (left > 0) {
        const ssize_t sent = write(p->to, line, left);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return;
        line += sent;
        left -= (size_t)sent;
    }
}

/* One line without its end; 0 when the child closes, is silent for too long or writes lines without end. */
static int read_line(peer *p, char *line, size_t size)
{
    for (;;) {
        char *const end = memchr(p->kept, '\n', p->kept_count);
        if (end) {
            const size_t length = (size_t)(end - p->kept);
            snprintf(line, size, "%.*s", (int)length, p->kept);
            p->kept_count -= length + 1;
            memmove(p->kept, end + 1, p->kept_count);
            return 1;
        }
        struct pollfd ready = {.fd = p->from, .events = POLLIN};
        const int count = poll(&ready, 1, PATIENCE_MS);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0 || p->kept_count == sizeof p->kept) return 0;
        const ssize_t got = read(p->from, p->kept + p->kept_count, sizeof p->kept - p->kept_count);
        if (got <= 0) return 0;
        p->kept_count += (size_t)got;
    }
}

static int answer_of(const char *line, char *answer, size_t size)
{
    if (strncmp(line, "ok", 2) == 0) {
        snprintf(answer, size, "%s", line[2] == ' ' ? line + 3 : "");
        return 1;
    }
    snprintf(answer, size, "%s", strncmp(line, "error ", 6) == 0 ? line + 6 : line);
    return 0;
}

int peer_ask(peer *p, char *answer, size_t size, const char *format, ...)
{
    char line[4096];
    va_list list;
    va_start(list, format);
    const int length = vsnprintf(line, sizeof line - 1, format, list);
    va_end(list);
    if (length < 0 || (size_t)length >= sizeof line - 1)
        return snprintf(answer, size, "the request is too long"), 0;
    line[length] = '\n';
    line[length + 1] = 0;
    send_line(p, line); /* a child that is gone already may have said why */
    if (!read_line(p, line, sizeof line)) {
        snprintf(answer, size, "the peer process is gone or does not answer");
        return 0;
    }
    return answer_of(line, answer, size);
}

peer *peer_start(const peer_setup *setup, char *name, size_t name_size, char *message, size_t message_size)
{
    settings s = {0};
    signal(SIGPIPE, SIG_IGN); /* a child that dies is an answer, not our end */
    peer *const p = calloc(1, sizeof *p);
    if (!p || !make_settings(&s, setup)) {
        snprintf(message, message_size, "out of memory");
        goto fail;
    }
    const int failed = spawn(p, setup, &s);
    if (failed) {
        snprintf(message, message_size, "cannot run %s: %s", setup->program, strerror(failed));
        goto fail;
    }
    free(s.list);
    s.list = NULL;
    if (peer_ask(p, name, name_size, "hello")) return p;
    snprintf(message, message_size, "%s", name);
fail:
    free(s.list);
    peer_stop(p);
    return NULL;
}

void peer_stop(peer *p)
{
    if (!p) return;
    if (p->to > 0) close(p->to); /* end of input ends it */
    if (p->from > 0) close(p->from);
    if (p->process > 0) {
        kill(p->process, SIGTERM);
        waitpid(p->process, NULL, 0);
    }
    free(p);
}
