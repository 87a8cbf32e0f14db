/* file.c - reading whole files.
 *
 * SPDX-License-Identifier: MIT
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static weir_status cannot_read(const char *path, int code, weir_error *error)
{
    return weir__fail(error, WEIR_INVALID, "%s: cannot read: %s; check the name and your rights to it", path,
                      strerror(code));
}

/* Without O_NONBLOCK, opening a named pipe would wait for a writer for ever. */
static weir_status open_regular(const char *path, int *fd, struct stat *info, weir_error *error)
{
    const int f = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (f < 0) return cannot_read(path, errno, error);
    weir_status status = WEIR_OK;
    if (fstat(f, info))
        status = cannot_read(path, errno, error);
    else if (S_ISDIR(info->st_mode))
        status = weir__fail(error, WEIR_INVALID, "%s: cannot read: it is a folder; name a file in it", path);
    else if (!S_ISREG(info->st_mode))
        status = weir__fail(error, WEIR_INVALID,
                            "%s: cannot read: it is not a regular file; save its contents to one", path);
    if (status)
        close(f);
    else
        *fd = f;
    return status;
}

/* Less than `size` when the file is shorter than it was a moment ago; -1 on an error. */
static int64_t read_up_to(int fd, unsigned char *data, int64_t size)
{
    int64_t done = 0;
    while (done < size) {
        const ssize_t n = read(fd, data + done, (size_t)(size - done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        if (n == 0) break;
        done += n;
    }
    return done;
}

weir_status weir__file_read(const char *path, int64_t limit, unsigned char **data, int64_t *size,
                            weir_error *error)
{
    int fd = -1;
    struct stat info = {0};
    unsigned char *block = NULL;
    weir_status status = open_regular(path, &fd, &info, error);
    if (status) return status;
    const int64_t expected = info.st_size;
    if (expected > limit) {
        status = weir__fail(error, WEIR_INVALID,
                            "%s: is %lld bytes long, more than the %lld that can be read; split it", path,
                            (long long)expected, (long long)limit);
        goto fail;
    }
    if (!(block = malloc((size_t)expected + 1))) {
        status = weir__no_memory(error, path);
        goto fail;
    }
    const int64_t done = read_up_to(fd, block, expected);
    if (done != expected) {
        status = done < 0 ? cannot_read(path, errno, error)
                          : weir__fail(error, WEIR_INVALID, "%s: became shorter while it was read; try again",
                                       path);
        goto fail;
    }
    close(fd);
    block[done] = 0;
    *data = block;
    *size = done;
    return WEIR_OK;
fail:
    free(block);
    close(fd);
    return status;
}
