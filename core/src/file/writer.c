/* writer.c - replacing a file so that a reader sees the old one or the new, never a part.
 *
 * SPDX-License-Identifier: MIT
 *
 * A replacement is written to a temporary in the folder of the file that it replaces (rename does not cross file
 * systems), synced, renamed over it, and the folder is synced, so that it survives a crash right after commit. The
 * folder is held open: a program that changes its working directory in between does no harm. Hard links to the old
 * file keep the old contents: that is the price of never showing half a file.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUFFER    ((size_t)1 << 18)
#define LINKS_MAX 40
#define TRIES     100

struct weir__writer {
    char *path;         /* as the caller named it, for messages */
    char *target;       /* what links lead to */
    const char *base;   /* last component of target */
    char temporary[40]; /* name in the folder; "" once there is none */
    int folder, fd;     /* -1: not open */
    bool replaces;      /* there is an old file */
    mode_t mode;        /* of the old file */
    int failed;         /* errno of the first failure, 0: none */
    size_t used;        /* bytes in buffer */
    unsigned char buffer[BUFFER];
};

static const char *fate_of_old(const weir__writer *w)
{
    return w->replaces ? "the old file is untouched" : "nothing was written";
}

static weir_status cannot_write(const weir__writer *w, int code, weir_error *error)
{
    return weir__fail(error, WEIR_ERROR, "%s: cannot write: %s; %s", w->path, strerror(code), fate_of_old(w));
}

/* Length of the folder part of a path, up to and including its last slash. */
static size_t folder_length(const char *path)
{
    const char *const slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* One link resolved: relative ones start from the folder of the link. NULL: no memory or too long. */
static char *follow(const char *link)
{
    char text[PATH_MAX];
    const ssize_t n = readlink(link, text, sizeof text);
    if (n <= 0 || (size_t)n == sizeof text) return NULL;
    const size_t head = text[0] == '/' ? 0 : folder_length(link);
    char *const path = malloc(head + (size_t)n + 1);
    if (!path) return NULL;
    memcpy(path, link, head);
    memcpy(path + head, text, (size_t)n);
    path[head + (size_t)n] = 0;
    return path;
}

/* A link stays a link: what it leads to is replaced, or made when it leads nowhere. Returns 0 or an errno. */
static int find_target(weir__writer *w)
{
    struct stat info;
    for (int links = 0; links < LINKS_MAX; links++) {
        if (lstat(w->target, &info)) return errno == ENOENT ? 0 : errno;
        if (!S_ISLNK(info.st_mode)) {
            w->replaces = true;
            w->mode = info.st_mode;
            return 0;
        }
        char *const next = follow(w->target);
        if (!next) return ELOOP;
        free(w->target);
        w->target = next;
    }
    return ELOOP;
}

/* A rename would succeed over all of these: what may not be written to in place must not be replaced either. */
static weir_status check_target(const weir__writer *w, weir_error *error)
{
    if (!w->base[0] || (w->replaces && S_ISDIR(w->mode)))
        return weir__fail(error, WEIR_INVALID, "%s: cannot write: it is a folder; add a file name", w->path);
    if (!w->replaces) return WEIR_OK;
    if (!S_ISREG(w->mode))
        return weir__fail(error, WEIR_INVALID,
                          "%s: cannot write: it is not a regular file; choose another name", w->path);
    return access(w->target, W_OK) ? cannot_write(w, errno, error) : WEIR_OK;
}

static int open_folder(weir__writer *w)
{
    const size_t length = folder_length(w->target);
    w->base = w->target + length;
    char *const folder = length ? strndup(w->target, length) : strdup(".");
    if (!folder) return ENOMEM;
    w->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const int code = w->folder < 0 ? errno : 0;
    free(folder);
    return code;
}

static uint64_t random_number(void)
{
    uint64_t number;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) == (ssize_t)sizeof number) return number;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 30 ^ (uint64_t)getpid() << 48;
}

/* Made with the mode that umask leaves; the old file's replaces it. O_EXCL: nobody's file or link is ever followed. */
static int open_temporary(weir__writer *w)
{
    for (int i = 0; i < TRIES; i++) {
        snprintf(w->temporary, sizeof w->temporary, ".weir-%016" PRIx64 ".tmp", random_number());
        w->fd = openat(w->folder, w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (w->fd >= 0) return !w->replaces || !fchmod(w->fd, w->mode & 0777) ? 0 : errno;
        if (errno != EEXIST) break;
    }
    w->temporary[0] = 0;
    return errno;
}

weir_status weir__writer_open(const char *path, weir__writer **writer, weir_error *error)
{
    if (!path || !path[0])
        return weir__fail(error, WEIR_INVALID, "cannot write: the name of the file is empty");
    weir__writer *const w = malloc(sizeof *w);
    if (!w) return weir__no_memory(error, path);
    memset(w, 0, offsetof(weir__writer, buffer));
    w->folder = w->fd = -1;
    w->path = strdup(path);
    w->target = strdup(path);
    weir_status status = w->path && w->target ? WEIR_OK : weir__no_memory(error, path);
    int code = 0;
    if (!status && ((code = find_target(w)) || (code = open_folder(w))))
        status = cannot_write(w, code, error);
    if (!status) status = check_target(w, error);
    if (!status && (code = open_temporary(w))) status = cannot_write(w, code, error);
    if (status)
        weir__writer_abandon(w);
    else
        *writer = w;
    return status;
}

/* ---- writing ---------------------------------------------------------------------------------- */

/* Passing RLIMIT_FSIZE sends SIGXFSZ, which by default ends the process: a library must turn it into an error, and
 * must not change how the process handles signals. The signal goes to the writing thread, so it is held back there
 * and taken off again. */
static void hold_back(int number, sigset_t *old, bool *was_pending)
{
    sigset_t set, pending;
    sigpending(&pending);
    *was_pending = sigismember(&pending, number);
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_BLOCK, &set, old);
}

static void let_go(int number, const sigset_t *old, bool was_pending)
{
    const struct timespec now = {0, 0};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    while (!was_pending && sigtimedwait(&set, NULL, &now) < 0 && errno == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, old, NULL);
}

static int write_all(int fd, const unsigned char *data, size_t size)
{
    while (size > 0) {
        const ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n ? errno : ENOSPC;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static void write_now(weir__writer *w, const unsigned char *data, size_t size)
{
    sigset_t old;
    bool was_pending;
    if (w->failed || !size) return;
    hold_back(SIGXFSZ, &old, &was_pending);
    w->failed = write_all(w->fd, data, size);
    let_go(SIGXFSZ, &old, was_pending);
}

static void flush(weir__writer *w)
{
    write_now(w, w->buffer, w->used);
    w->used = 0;
}

void weir__writer_put(weir__writer *w, const void *data, int64_t size)
{
    if (size <= 0 || w->failed) return;
    if ((size_t)size > BUFFER - w->used) flush(w);
    if ((size_t)size > BUFFER) {
        write_now(w, data, (size_t)size);
        return;
    }
    memcpy(w->buffer + w->used, data, (size_t)size);
    w->used += (size_t)size;
}

/* EINVAL: a file system that knows no such thing. */
static int sync_to_disk(int fd)
{
    return fsync(fd) && errno != EINVAL ? errno : 0;
}

/* EACCES: a folder that may be written to but not listed. */
static int sync_folder(const weir__writer *w)
{
    const int fd = openat(w->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno == EACCES ? 0 : errno;
    const int code = sync_to_disk(fd);
    close(fd);
    return code;
}

static int close_file(weir__writer *w)
{
    const int fd = w->fd;
    w->fd = -1;
    return close(fd) && errno != EINTR ? errno : 0;
}

weir_status weir__writer_commit(weir__writer *w, weir_error *error)
{
    weir_status status = WEIR_OK;
    flush(w);
    if (!w->failed) w->failed = sync_to_disk(w->fd);
    if (!w->failed) w->failed = close_file(w);
    if (!w->failed && renameat(w->folder, w->temporary, w->folder, w->base)) w->failed = errno;
    if (w->failed) {
        status = cannot_write(w, w->failed, error);
    } else {
        w->temporary[0] = 0;
        const int code = sync_folder(w);
        if (code)
            status = weir__fail(error, WEIR_ERROR,
                                "%s: was written, but may not survive a power cut: %s; check the disk",
                                w->path, strerror(code));
    }
    weir__writer_abandon(w);
    return status;
}

void weir__writer_abandon(weir__writer *w)
{
    if (!w) return;
    if (w->fd >= 0) close(w->fd);
    if (w->temporary[0]) unlinkat(w->folder, w->temporary, 0);
    if (w->folder >= 0) close(w->folder);
    free(w->target);
    free(w->path);
    free(w);
}
