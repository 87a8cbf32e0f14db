/* replay.c - in builds without libFuzzer: gives a fuzzer every file of the folders on the command line, whole and cut off at
 * some lengths. The last line names the input that it died of.
 *
 * SPDX-License-Identifier: MIT
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PREFIXES 4

static char name[4096];

/* In memory of just that size, so that a sanitizer sees the first byte beyond. */
static void give(const uint8_t *data, size_t size)
{
    uint8_t *const exact = malloc(size ? size : 1);
    if (!exact) abort();
    memcpy(exact, data, size);
    printf("%s, %zu bytes\n", name, size);
    fflush(stdout);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static int replay(const char *path)
{
    static uint8_t data[1 << 20];
    FILE *const file = fopen(path, "rb");
    if (!file) return 0;
    const size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    for (size_t i = 0; i < PREFIXES; i++) give(data, size * i / PREFIXES);
    give(data, size);
    return 1;
}

int main(int argc, char **argv)
{
    int files = 0;
    for (int i = 1; i < argc; i++) {
        DIR *const folder = opendir(argv[i]);
        for (const struct dirent *entry; folder && (entry = readdir(folder));) {
            if (entry->d_name[0] == '.') continue;
            snprintf(name, sizeof name, "%s/%s", argv[i], entry->d_name);
            files += replay(name);
        }
        if (folder) closedir(folder);
    }
    printf("%d files\n", files);
    return files ? 0 : 1;
}
