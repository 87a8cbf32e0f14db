/* sandbox.h - a folder of its own for each test that looks for plugins, and the host's log.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include "plugin/registry.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct sandbox {
    char root[200], plugins[220];
    char log[16000]; /* warnings, a line each */
} sandbox;

static sandbox box;

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st, (void)type, (void)walk;
    return remove(path);
}

/** An empty folder for plugins, an empty cache, no search path from outside. */
static inline void sandbox_open(void)
{
    const char *const tmp = getenv("TMPDIR");
    snprintf(box.root, sizeof box.root, "%.150s/weir-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    cr_assert(mkdtemp(box.root), "no temporary folder");
    snprintf(box.plugins, sizeof box.plugins, "%s/plugins", box.root);
    cr_assert(mkdir(box.plugins, 0755) == 0);
    box.log[0] = '\0';
    setenv("XDG_CACHE_HOME", box.root, 1);
    unsetenv("WEIR_PLUGIN_PATH");
    unsetenv("WEIR_LOCK");
    unsetenv("WEIR_PROBE");
}

static inline void sandbox_close(void)
{
    nftw(box.root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void sandbox_log(void *user, int32_t level, const char *line)
{
    const size_t used = strlen(box.log);
    (void)user;
    if (level >= 2) snprintf(box.log + used, sizeof box.log - used, "%s\n", line);
}

/** "ROOT/NAME", in one of a few static buffers. */
static inline const char *in_root(const char *name)
{
    static char paths[8][400];
    static int next;
    char *const path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", box.root, name);
    return path;
}

static inline size_t read_all(const char *path, unsigned char **bytes)
{
    struct stat st;
    const int fd = open(path, O_RDONLY);
    cr_assert(fd >= 0 && fstat(fd, &st) == 0, "%s is missing", path);
    *bytes = malloc((size_t)st.st_size + 1);
    cr_assert(read(fd, *bytes, (size_t)st.st_size) == st.st_size);
    close(fd);
    (*bytes)[st.st_size] = 0;
    return (size_t)st.st_size;
}

static inline void write_all(const char *path, const void *bytes, size_t size)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    cr_assert(fd >= 0 && write(fd, bytes, size) == (ssize_t)size, "cannot write %s", path);
    close(fd);
}

/** The bytes of a built fixture; the caller frees. */
static inline size_t fixture_bytes(const char *fixture, unsigned char **bytes)
{
    char from[600];
    snprintf(from, sizeof from, "%s/%s.so", WEIR_TEST_FIXTURES, fixture);
    return read_all(from, bytes);
}

/** Half of what a loader would map: half of the file may lack no more than debugging sections. */
static inline size_t half_of_image(const unsigned char *bytes)
{
    const Elf64_Ehdr *const head = (const Elf64_Ehdr *)(const void *)bytes;
    const Elf64_Phdr *const list = (const Elf64_Phdr *)(const void *)(bytes + head->e_phoff);
    size_t end = 0;
    for (int i = 0; i < head->e_phnum; i++)
        if (list[i].p_type == PT_LOAD && list[i].p_offset + list[i].p_filesz > end)
            end = list[i].p_offset + list[i].p_filesz;
    return end / 2;
}

/** Copies a built fixture to ROOT/TO. */
static inline void put_fixture(const char *fixture, const char *to)
{
    unsigned char *bytes;
    const size_t size = fixture_bytes(fixture, &bytes);
    write_all(in_root(to), bytes, size);
    free(bytes);
}

static inline weir__registry *open_registry(const char *plugin_path)
{
    weir__registry *registry = NULL;
    weir_error error;
    const weir_status status = weir__registry_open(plugin_path, NULL, sandbox_log, NULL, &registry, &error);
    cr_assert(status == WEIR_OK, "open: %s", error.message);
    return registry;
}

static inline int knows(weir__registry *registry, const char *id)
{
    for (int64_t i = 0; i < weir__registry_count(registry); i++)
        if (strcmp(weir__registry_id(registry, i), id) == 0) return 1;
    return 0;
}

static inline const weir__entry *must_find(weir__registry *registry, const char *id)
{
    const weir__entry *entry = NULL;
    weir_error error;
    const weir_status status = weir__registry_find(registry, id, &entry, &error);
    cr_assert(status == WEIR_OK, "find %s: %s; log: %s", id, error.message, box.log);
    return entry;
}

/** True when one line of the log holds both texts. */
static inline int logged(const char *first, const char *second)
{
    for (const char *line = box.log; *line; line += strcspn(line, "\n") + 1) {
        char text[1100];
        snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\n"), line);
        if (strstr(text, first) && strstr(text, second)) return 1;
    }
    return 0;
}

/** True when a file whose path holds `part` is mapped into this process. */
static inline int is_mapped(const char *part)
{
    char line[1000];
    int found = 0;
    FILE *const maps = fopen("/proc/self/maps", "r");
    cr_assert(maps);
    while (fgets(line, sizeof line, maps)) found |= strstr(line, part) != NULL;
    fclose(maps);
    return found;
}

/** Makes WEIR_PROBE a script that counts how often the real helper is asked about a file of the sandbox. */
static inline void count_probes(void)
{
    char script[1600];
    const int n = snprintf(
        script, sizeof script,
        "#!/bin/sh\ncase \"$1\" in '%s'/*) echo >>'%s/calls' ;; esac\nexec '%s/bin/weir-probe' \"$@\"\n",
        box.root, box.root, WEIR_TEST_BUILD);
    write_all(in_root("counting-probe"), script, (size_t)n);
    setenv("WEIR_PROBE", in_root("counting-probe"), 1);
}

static inline int64_t probes(void)
{
    struct stat st;
    return stat(in_root("calls"), &st) == 0 ? (int64_t)st.st_size : 0;
}

#endif
