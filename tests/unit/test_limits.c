/* test_limits.c - the limits of core/LIMITS.md that no other test reaches: one beyond is refused, and at each, where it is cheap
 * to get there, all is well.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sandbox.h"

#include "file/parsers.h"
#include "file/safetensors.h"
#include "plugin/lock.h"
#include "plugin/sha256.h"
#include "plugin/vouch.h"

#include <math.h>
#include <weir.h>

TestSuite(limits, .init = sandbox_open, .fini = sandbox_close);

static weir_error error;

static void expect(weir_status status, const char *why)
{
    cr_assert_eq(status, WEIR_INVALID);
    cr_assert(strstr(error.message, why) && !strpbrk(error.message, "\n\r"), "\"%s\" does not say \"%s\"",
              error.message, why);
}

/* A file of that size, of zeros that take no room on the disk. */
static const char *hollow(const char *name, int64_t size)
{
    const char *const path = in_root(name);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    cr_assert(fd >= 0 && ftruncate(fd, size) == 0, "cannot make %s", path);
    close(fd);
    return path;
}

/* ---- files of numbers ------------------------------------------------------------------------------ */

/* The header holds more than the text, whose length is the limit. */
Test(limits, header_that_is_written)
{
    enum { MOST = 100000000 };
    const float value = 1;
    const weir__st_tensor t = {"x", WEIR_DTYPE_F32, 0, {0}, 1, (const unsigned char *)&value};
    char *const text = calloc(1, MOST + 1);
    memset(text, 'a', MOST);
    json_t *const metadata = json_pack("{s:s}", "k", text);
    expect(weir__st_write(in_root("m.safetensors"), metadata, &t, 1, &error), "the 100 MB a header may have");
    free(text);
    json_decref(metadata);
}

/* An archive with nothing in it, then a comment of that many bytes; its length has two bytes. */
static weir_status read_commented(size_t comment)
{
    const size_t size = 22 + comment;
    unsigned char *const zip = calloc(1, size);
    weir_array *array = NULL;
    memcpy(zip, "PK\5\6", 4);
    zip[20] = (unsigned char)comment;
    zip[21] = (unsigned char)(comment >> 8);
    const weir_status status = weir__npz_parse(zip, (int64_t)size, "f.npz", NULL, &array, &error);
    free(zip);
    return status;
}

Test(limits, comment_of_an_archive)
{
    expect(read_commented(65535), "no array");
    expect(read_commented(65536), "has no directory at its end");
}

static weir_status read_text(const char *text, double *first)
{
    weir_array *array = NULL;
    const weir_status status =
        weir__csv_parse((const unsigned char *)text, (int64_t)strlen(text), "f.csv", &array, &error);
    if (!status) *first = *(double *)weir_array_data(array);
    weir_array_free(array);
    return status;
}

Test(limits, exponents)
{
    static const char *const zeros[] = {"0e99999",  "0e100001",  "0e99999999999999999999",
                                        "1e-99999", "1e-100001", "9e-99999999999999999999"};
    double first = 1;
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++) {
        cr_assert_eq(read_text(zeros[i], &first), WEIR_OK, "%s: %s", zeros[i], error.message);
        cr_assert_eq(first, 0, "%s gives %g", zeros[i], first);
    }
    expect(read_text("1,2\n1e100001,3\n", &first), "too large");
    expect(read_text("1,2\n1e99999999999999999999,3\n", &first), "too large");
}

Test(limits, cells_that_are_quoted)
{
    char text[200];
    double first;
    snprintf(text, sizeof text, "1,2\n%040dx,3\n", 0);
    expect(read_text(text, &first), "line 2");
    cr_assert(strstr(error.message, "0000000000") && !strchr(error.message, 'x'), "%s", error.message);
    snprintf(text, sizeof text, "1,2\n%039dx,3\n", 0);
    expect(read_text(text, &first), "00000x");
}

/* ---- plugins ------------------------------------------------------------------------------------------ */

Test(limits, file_of_a_plugin)
{
    hollow("plugins/broken.so", (INT64_C(1) << 30) + 1);
    weir__registry *const r = open_registry(box.plugins);
    cr_assert(logged("broken.so", "more than the 1073741824"), "%s", box.log);
    weir__registry_close(r);
}

Test(limits, modules_of_a_plugin)
{
    put_fixture("too_many", "plugins/broken.so");
    weir__registry *const r = open_registry(box.plugins);
    cr_assert(logged("broken.so", "module_count gives 4097, 1 to 4096 are possible"), "%s", box.log);
    weir__registry_close(r);
}

/* A manifest's words on a plugin of that many modules, with needs of that many letters. */
static weir__listing *listing_of(int count, size_t needs)
{
    json_t *const modules = json_array();
    char *const text = calloc(1, needs + 1);
    memset(text, 'a', needs);
    for (int i = 0; i < count; i++)
        json_array_append_new(modules,
                              json_pack("{s:s, s:s, s:[i]}", "id", "a", "kind", "layer", "precisions", 64));
    json_t *const object = json_pack("{s:s, s:s, s:s, s:o}", "plugin", "p", "version", "1.0.0", "needs", text,
                                     "modules", modules);
    weir__listing *const listing = weir__listing_parse(object, &error);
    json_decref(object);
    free(text);
    return listing;
}

Test(limits, what_a_manifest_says)
{
    weir__listing_free(listing_of(4096, 4096));
    cr_assert_eq(error.message[0], 0, "%s", error.message);
    cr_assert_null(listing_of(4097, 0));
    cr_assert_null(listing_of(1, 4097));
}

Test(limits, what_the_probe_says)
{
    static const char flood[] = "#!/bin/sh\nhead -c 3000000 /dev/zero | tr '\\0' a >&3\n";
    put_fixture("good", "plugins/good.so");
    write_all(in_root("probe"), flood, sizeof flood - 1);
    setenv("WEIR_PROBE", in_root("probe"), 1);
    weir__registry *const r = open_registry(box.plugins);
    cr_assert(logged("weir-probe", "without being tried"), "%s", box.log);
    must_find(r, "fixture.good");
    weir__registry_close(r);
}

/* ---- locks and memories ------------------------------------------------------------------------------- */

Test(limits, lock_file)
{
    weir__lock *lock = NULL;
    expect(weir__lock_open(hollow("large.lock", (16 << 20) + 1), &lock, &error), "more than the 16777216");
    expect(weir__lock_open(hollow("full.lock", 16 << 20), &lock, &error), "line 1");
}

Test(limits, file_that_a_lock_names)
{
    char digest[WEIR__SHA256_TEXT];
    expect(weir__lock_digest(hollow("large.so", (INT64_C(1) << 30) + 1), digest, &error),
           "more than the 1073741824");
}

/* The memory of one file, followed by blanks: it is whole, and as long as is wanted. */
static weir__vouch *remembered(const char *abi, size_t size)
{
    const char *const path = in_root("probe.json");
    char *const text = malloc(size);
    memset(text, ' ', size);
    const int length =
        snprintf(text, size,
                 "{\"format\": 1, \"abi\": \"%s\", \"files\": {\"/a.so\": {\"size\": 1, \"mtime_ns\": 0, "
                 "\"inode\": 0, \"plugin\": \"p\", \"version\": \"1.0.0\", \"modules\": [{\"id\": \"a\", "
                 "\"kind\": \"layer\", \"precisions\": [64]}]}}}",
                 abi);
    text[length] = ' ';
    write_all(path, text, size);
    cr_assert(chmod(path, 0644) == 0);
    free(text);
    return weir__vouch_open(path, 1);
}

Test(limits, remembered_contents)
{
    const struct stat st = {.st_size = 1};
    char abi[40];
    snprintf(abi, sizeof abi, "%d.%d.%d", WEIR_ABI_MAJOR, WEIR_ABI_MINOR, WEIR_ABI_DRAFT);
    for (size_t beyond = 0; beyond < 2; beyond++) {
        weir__vouch *const v = remembered(abi, (16 << 20) + beyond);
        weir__listing *const listing = weir__vouch_find(v, "/a.so", &st);
        cr_assert_eq(!listing, beyond);
        weir__listing_free(listing);
        weir__vouch_close(v);
    }
}

/* Remembers so many links to one file, and counts what is left of them. */
static int left_of(int files, const weir__listing *listing)
{
    struct stat st;
    int left = 0;
    weir__vouch *v = weir__vouch_open(in_root("many.json"), 1);
    cr_assert(stat(in_root("plugins/good.so"), &st) == 0);
    for (int i = 0; i < files; i++) {
        char name[20];
        snprintf(name, sizeof name, "link%d", i);
        if (access(in_root(name), F_OK)) cr_assert(symlink(in_root("plugins/good.so"), in_root(name)) == 0);
        weir__vouch_put(v, in_root(name), &st, listing);
    }
    cr_assert_eq(weir__vouch_save(v, &error), WEIR_OK, "%s", error.message);
    for (int i = 0; i < files; i++) {
        char name[20];
        snprintf(name, sizeof name, "link%d", i);
        weir__listing *const found = weir__vouch_find(v, in_root(name), &st);
        left += found != NULL;
        weir__listing_free(found);
    }
    weir__vouch_close(v);
    return left;
}

/* A cache that grew too large begins anew. */
Test(limits, plugins_remembered)
{
    put_fixture("good", "plugins/good.so");
    weir__listing *const listing = listing_of(1, 0);
    cr_assert(listing, "%s", error.message);
    cr_assert_eq(left_of(2000, listing), 2000);
    cr_assert_eq(left_of(2001, listing), 0);
    weir__listing_free(listing);
}
