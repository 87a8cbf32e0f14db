/* lock.c - libFuzzer on lock files: refused in one line, or a lock that can be asked.
 *
 * SPDX-License-Identifier: MIT
 */
#include "plugin/lock.h"
#include "installed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const weir__lock *lock, const char *path)
{
    char text[80];
    struct stat st;
    weir_error error = {.message = ""};
    MUST(!weir__lock_wants(lock, "affine", text, sizeof text) || strlen(text) < sizeof text);
    if (stat(path, &st)) abort();
    MUST(!weir__lock_check(lock, path, &st, &error) || !strpbrk(error.message, "\n\r\033"));
    weir__lock_check(lock, "/nowhere/affine.so", &st, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    weir__lock *lock = NULL;
    weir_error error = {.message = ""};
    const int fd = memory_file(data, size, path, sizeof path);
    if (weir__lock_open(path, &lock, &error)) {
        MUST(error.message[0] && !strpbrk(error.message, "\n\r\033"));
    } else {
        ask(lock, path);
        weir__lock_close(lock);
    }
    close(fd);
    return 0;
}
