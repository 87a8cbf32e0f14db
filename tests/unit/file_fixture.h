/* file_fixture.h - what the tests of files share: a folder of their own, bytes in exactly sized blocks, and mutations.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FILE_FIXTURE_H
#define FILE_FIXTURE_H

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weir.h>

#define MAYBE_UNUSED __attribute__((unused))

static char folder[256];

MAYBE_UNUSED static void make_folder(void)
{
    const char *const base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/weir-test-XXXXXX", base && strlen(base) < 200 ? base : "/tmp");
    cr_assert(mkdtemp(folder), "no folder for the test's files");
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

MAYBE_UNUSED static void remove_folder(void)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/** A path in the folder; the memory is used again by the fourth call after this one. */
MAYBE_UNUSED static const char *in_folder(const char *name)
{
    static char paths[4][600];
    static int next;
    char *const path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

MAYBE_UNUSED static void write_file(const char *path, const void *data, size_t size)
{
    FILE *const f = fopen(path, "wb");
    cr_assert(f && fwrite(data, 1, size, f) == size && !fclose(f), "cannot write %s", path);
}

MAYBE_UNUSED static size_t read_file(const char *path, char *data, size_t size)
{
    FILE *const f = fopen(path, "rb");
    cr_assert(f, "cannot read %s", path);
    const size_t n = fread(data, 1, size - 1, f);
    fclose(f);
    data[n] = 0;
    return n;
}

/** Files and folders in the test's folder, hidden ones too. */
MAYBE_UNUSED static int64_t count_entries(void)
{
    char command[320], text[32] = "";
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", folder);
    FILE *const p = popen(command, "r");
    cr_assert(p && fgets(text, sizeof text, p));
    pclose(p);
    return atoll(text);
}

/** Bytes that are being put together. */
typedef struct bytes {
    unsigned char data[1 << 16];
    size_t size;
} bytes;

MAYBE_UNUSED static void add(bytes *b, const void *data, size_t size)
{
    cr_assert(b->size + size <= sizeof b->data);
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

MAYBE_UNUSED static void add_text(bytes *b, const char *text)
{
    add(b, text, strlen(text));
}

/** Little-endian integer of `size` bytes. */
MAYBE_UNUSED static void add_le(bytes *b, uint64_t value, int size)
{
    for (int i = 0; i < size; i++) add(b, &(unsigned char){(unsigned char)(value >> 8 * i)}, 1);
}

/** A block with nothing but these bytes and a zero behind them, so that reading further is caught by a sanitizer. */
MAYBE_UNUSED static unsigned char *exact(const void *data, size_t size)
{
    unsigned char *const block = malloc(size + 1);
    cr_assert(block);
    memcpy(block, data, size);
    block[size] = 0;
    return block;
}

/** The same without that zero, for the parsers of binary formats. */
MAYBE_UNUSED static unsigned char *exact_binary(const void *data, size_t size)
{
    unsigned char *const block = malloc(size ? size : 1);
    cr_assert(block);
    memcpy(block, data, size);
    return block;
}

/** One line that begins with the name of the file and contains `fragment`. */
#define assert_refused(status_, error_, name_, fragment_)                                                    \
    do {                                                                                                     \
        cr_assert_neq((status_), WEIR_OK, "accepted, but should say: %s", (fragment_));                      \
        cr_assert(strstr((error_)->message, (fragment_)), "'%s' does not say: %s", (error_)->message,        \
                  (fragment_));                                                                              \
        cr_assert(strstr((error_)->message, (name_)), "'%s' does not name %s", (error_)->message, (name_));  \
        cr_assert(!strpbrk((error_)->message, "\n\r\033"), "not one clean line: %s", (error_)->message);     \
        cr_assert_eq((error_)->status, (status_));                                                           \
    } while (0)

/** xorshift64 (Marsaglia 2003). */
MAYBE_UNUSED static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

/** Changes, removes or doubles a few bytes; the size may change by some bytes. `data` has room for 16 more. */
MAYBE_UNUSED static size_t mutate(unsigned char *data, size_t size, uint64_t *state)
{
    const uint64_t changes = 1 + next_random(state) % 4;
    for (uint64_t i = 0; i < changes && size > 1; i++) {
        const uint64_t r = next_random(state), place = (r >> 8) % size;
        switch (r % 6) {
        case 0:
            data[place] = (unsigned char)(r >> 40);
            break;
        case 1:
            data[place] ^= (unsigned char)(1 << (r >> 40) % 8);
            break;
        case 2:
            data[place] = 0xff;
            break;
        case 3:
            data[place] = 0;
            break;
        case 4:
            memmove(data + place, data + place + 1, size - place - 1);
            size--;
            break;
        default:
            memmove(data + place + 1, data + place, size - place);
            size++;
        }
    }
    return size;
}

#endif
