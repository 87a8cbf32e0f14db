/* test_npz.c - .npz archives, put together byte by byte, and gzip.
 *
 * SPDX-License-Identifier: MIT
 */
#include "file/inflate.h"
#include "file/parsers.h"
#include "file_fixture.h"

#include <zlib.h>

TestSuite(npz, .init = make_folder, .fini = remove_folder);

/* ---- a small zip writer ------------------------------------------------------------------------- */

typedef struct member {
    const char *name;
    int method; /* 0 stored, 8 deflate */
    bool wide;  /* sizes and offset in the 64-bit extra field */
    float values[3];
    /* lies, added to what is true */
    uint32_t crc_error;
    int64_t size_error, packed_error;
    int flags;
} member;

typedef struct placed {
    uint64_t size, packed, offset;
    uint32_t crc;
} placed;

static size_t deflate_all(const unsigned char *data, size_t size, unsigned char *out, size_t room)
{
    z_stream z = {0};
    cr_assert_eq(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (z_const Bytef *)data;
    z.avail_in = (uInt)size;
    z.next_out = out;
    z.avail_out = (uInt)room;
    cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return room - z.avail_out;
}

static void npy_of(bytes *b, const float *values)
{
    static const char header[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }         \n";
    add(b, "\x93NUMPY\1\0", 8);
    add_le(b, sizeof header - 1, 2);
    add_text(b, header);
    add(b, values, 12);
}

static placed add_member(bytes *zip, const member *m)
{
    bytes npy = {.size = 0};
    unsigned char packed[1024];
    npy_of(&npy, m->values);
    placed p = {.size = npy.size, .packed = npy.size, .offset = zip->size};
    p.crc = (uint32_t)crc32(0, npy.data, (uInt)npy.size) + m->crc_error;
    if (m->method == 8) p.packed = deflate_all(npy.data, npy.size, packed, sizeof packed);
    add_le(zip, 0x04034b50, 4);
    add_le(zip, 45, 2);
    add_le(zip, (uint64_t)m->flags, 2);
    add_le(zip, (uint64_t)m->method, 2);
    add_le(zip, 0, 4);
    add_le(zip, p.crc, 4);
    add_le(zip, m->wide ? UINT32_MAX : p.packed, 4);
    add_le(zip, m->wide ? UINT32_MAX : p.size, 4);
    add_le(zip, strlen(m->name), 2);
    add_le(zip, m->wide ? 20 : 0, 2);
    add_text(zip, m->name);
    if (m->wide) {
        add_le(zip, 1, 2);
        add_le(zip, 16, 2);
        add_le(zip, p.size, 8);
        add_le(zip, p.packed, 8);
    }
    add(zip, m->method == 8 ? packed : npy.data, p.packed);
    p.size += (uint64_t)m->size_error;
    p.packed += (uint64_t)m->packed_error;
    return p;
}

static void add_entry(bytes *zip, const member *m, const placed *p)
{
    add_le(zip, 0x02014b50, 4);
    add_le(zip, 45, 2);
    add_le(zip, 45, 2);
    add_le(zip, (uint64_t)m->flags, 2);
    add_le(zip, (uint64_t)m->method, 2);
    add_le(zip, 0, 4);
    add_le(zip, p->crc, 4);
    add_le(zip, m->wide ? UINT32_MAX : p->packed, 4);
    add_le(zip, m->wide ? UINT32_MAX : p->size, 4);
    add_le(zip, strlen(m->name), 2);
    add_le(zip, m->wide ? 34 : 0, 2);
    add_le(zip, 0, 2);
    add_le(zip, 0, 2);
    add_le(zip, 0, 2);
    add_le(zip, 0, 4);
    add_le(zip, m->wide ? UINT32_MAX : p->offset, 4);
    add_text(zip, m->name);
    if (!m->wide) return;
    add(zip, "\x55\x54\2\0xy", 6); /* another field first, to be skipped */
    add_le(zip, 1, 2);
    add_le(zip, 24, 2);
    add_le(zip, p->size, 8);
    add_le(zip, p->packed, 8);
    add_le(zip, p->offset, 8);
}

static void add_end(bytes *zip, uint64_t entries, uint64_t start, bool wide, const char *comment)
{
    const uint64_t size = zip->size - start, end64 = zip->size;
    if (wide) {
        add_le(zip, 0x06064b50, 4);
        add_le(zip, 44, 8);
        add_le(zip, 45, 2);
        add_le(zip, 45, 2);
        add_le(zip, 0, 8);
        add_le(zip, entries, 8);
        add_le(zip, entries, 8);
        add_le(zip, size, 8);
        add_le(zip, start, 8);
        add_le(zip, 0x07064b50, 4);
        add_le(zip, 0, 4);
        add_le(zip, end64, 8);
        add_le(zip, 1, 4);
    }
    add_le(zip, 0x06054b50, 4);
    add_le(zip, 0, 4);
    add_le(zip, wide ? UINT16_MAX : entries, 2);
    add_le(zip, wide ? UINT16_MAX : entries, 2);
    add_le(zip, wide ? UINT32_MAX : size, 4);
    add_le(zip, wide ? UINT32_MAX : start, 4);
    add_le(zip, strlen(comment), 2);
    add_text(zip, comment);
}

static void make_zip(bytes *zip, const member *members, size_t count, bool wide_end, const char *comment)
{
    placed places[8];
    zip->size = 0;
    for (size_t i = 0; i < count; i++) places[i] = add_member(zip, &members[i]);
    const uint64_t start = zip->size;
    for (size_t i = 0; i < count; i++) add_entry(zip, &members[i], &places[i]);
    add_end(zip, count, start, wide_end, comment);
}

/* ---- reading ------------------------------------------------------------------------------------ */

static weir_status parse(const bytes *zip, const char *name, weir_array **array, weir_error *error)
{
    unsigned char *const block = exact_binary(zip->data, zip->size);
    const weir_status status = weir__npz_parse(block, (int64_t)zip->size, "file.npz", name, array, error);
    free(block);
    return status;
}

static void assert_first_value(const bytes *zip, const char *name, float value)
{
    weir_array *a = NULL;
    weir_error error = {0};
    cr_assert_eq(parse(zip, name, &a, &error), WEIR_OK, "%s", error.message);
    cr_assert_eq(weir_array_dim(a, 0), 3);
    cr_assert_eq(((float *)weir_array_data(a))[0], value);
    weir_array_free(a);
}

static void refuse(const member *members, size_t count, const char *name, const char *fragment)
{
    static bytes zip;
    weir_array *a = NULL;
    weir_error error = {0};
    make_zip(&zip, members, count, false, "");
    assert_refused(parse(&zip, name, &a, &error), &error, "file.npz", fragment);
    cr_assert_null(a);
}

Test(npz, members_by_name)
{
    static bytes zip;
    const member members[] = {{.name = "x.npy", .method = 0, .values = {1, 2, 3}},
                              {.name = "long name.npy", .method = 8, .values = {4, 5, 6}},
                              {.name = "notes.txt", .method = 8},
                              {.name = "wide.npy", .method = 8, .wide = true, .values = {7, 8, 9}}};
    for (int wide = 0; wide < 2; wide++) {
        make_zip(&zip, members, 4, wide, wide ? "a comment" : "");
        assert_first_value(&zip, "x", 1);
        assert_first_value(&zip, "x.npy", 1);
        assert_first_value(&zip, "long name", 4);
        assert_first_value(&zip, "wide", 7);
    }
}

Test(npz, the_only_one_needs_no_name)
{
    static bytes zip;
    make_zip(&zip, (member[]){{.name = "data.npy", .method = 8, .values = {5}}, {.name = "readme"}}, 2, false,
             "");
    assert_first_value(&zip, NULL, 5);
    assert_first_value(&zip, "data", 5);
}

Test(npz, which_member)
{
    const member two[] = {{.name = "x.npy"}, {.name = "y.npy"}, {.name = "folder/"}};
    refuse(two, 3, NULL, "holds 2 arrays; name one of them: x, y");
    refuse(two, 3, "z", "holds no array named 'z'; it holds x, y");
    refuse(two, 3, "folder/", "holds no array named");
    refuse(two + 2, 1, NULL, "holds no arrays");
    refuse(two, 0, NULL, "holds no arrays");
    const member twins[] = {{.name = "x.npy"}, {.name = "x.npy"}};
    refuse(twins, 2, "x", "holds 2 arrays named 'x'");
}

Test(npz, long_lists_of_names_are_cut)
{
    static bytes zip;
    static char names[8][100];
    member members[8] = {{0}};
    weir_array *a = NULL;
    weir_error error = {0};
    for (int i = 0; i < 8; i++) {
        snprintf(names[i], sizeof names[i], "%d%080d.npy", i, 0);
        members[i].name = names[i];
    }
    make_zip(&zip, members, 8, false, "");
    assert_refused(parse(&zip, NULL, &a, &error), &error, "file.npz", ", ...");
}

Test(npz, damaged_members)
{
    refuse(&(member){.name = "x.npy", .crc_error = 1}, 1, NULL, "wrong checksum");
    refuse(&(member){.name = "x.npy", .method = 8, .crc_error = 1}, 1, NULL, "wrong checksum");
    refuse(&(member){.name = "x.npy", .size_error = 1}, 1, NULL, "two different sizes");
    refuse(&(member){.name = "x.npy", .method = 8, .size_error = 1}, 1, NULL, "compressed data");
    refuse(&(member){.name = "x.npy", .method = 8, .size_error = -1}, 1, NULL, "compressed data");
    refuse(&(member){.name = "x.npy", .method = 8, .packed_error = -1}, 1, NULL, "compressed data");
    refuse(&(member){.name = "x.npy", .method = 8, .packed_error = 1}, 1, NULL, "compressed data");
    refuse(&(member){.name = "x.npy", .packed_error = 60, .size_error = 60}, 1, NULL, "wrong checksum");
    refuse(&(member){.name = "x.npy", .packed_error = 90, .size_error = 90}, 1, NULL, "lies outside");
    refuse(&(member){.name = "x.npy", .method = 12}, 1, NULL, "packed by method 12");
    refuse(&(member){.name = "x.npy", .flags = 1}, 1, NULL, "encrypted");
    refuse(&(member){.name = "x.npy", .method = 8, .size_error = 1 << 17}, 1, NULL,
           "claims an impossible size");
    refuse(&(member){.name = "x.npy", .method = 8, .wide = true, .size_error = INT64_MAX - 1000}, 1, NULL,
           "impossible size");
    refuse(&(member){.name = "x.npy", .wide = true, .packed_error = -1000}, 1, NULL, "impossible size");
}

Test(npz, cut_at_every_byte)
{
    static bytes zip;
    const member members[] = {{.name = "x.npy", .method = 8}, {.name = "w.npy", .wide = true}};
    for (int wide = 0; wide < 2; wide++) {
        make_zip(&zip, members, 2, wide, "");
        for (zip.size--; zip.size > 0; zip.size--) {
            weir_array *a = NULL;
            weir_error error = {0};
            assert_refused(parse(&zip, "x", &a, &error), &error, "file.npz", " ");
        }
    }
}

Test(npz, mutations_never_crash)
{
    static bytes original, zip;
    const member members[] = {{.name = "x.npy", .method = 8, .values = {1, 2, 3}},
                              {.name = "w.npy", .wide = true, .values = {4, 5, 6}}};
    uint64_t state = 7;
    int64_t accepted = 0;
    for (int i = 0; i < 20000; i++) {
        make_zip(&original, members, 2, i % 2, "");
        zip.size = original.size;
        memcpy(zip.data, original.data, original.size);
        zip.size = mutate(zip.data, zip.size, &state);
        weir_array *a = NULL;
        weir_error error = {0};
        if (parse(&zip, i % 3 ? "x" : "w", &a, &error)) {
            assert_refused(error.status, &error, "file.npz", " ");
            continue;
        }
        accepted++;
        /* The checksum vouches for the values. */
        cr_assert_eq(((float *)weir_array_data(a))[2], i % 3 ? 3 : 6);
        weir_array_free(a);
    }
    cr_assert_gt(accepted, 100);
}

Test(npz, files)
{
    static bytes zip;
    weir_array *a = NULL;
    weir_error error = {0};
    make_zip(&zip, (member[]){{.name = "a.npy", .method = 8, .values = {5, 6}}, {.name = "b.npy"}}, 2, false,
             "");
    const char *const path = in_folder("two.npz");
    write_file(path, zip.data, zip.size);
    cr_assert_eq(weir_array_read(path, "a", &a, &error), WEIR_OK, "%s", error.message);
    cr_assert_eq(((float *)weir_array_data(a))[1], 6);
    weir_array_free(a);
    assert_refused(weir_array_read(path, "c", &a, &error), &error, path, "it holds a, b");
    write_file(in_folder("cut.npz"), zip.data, 3);
    assert_refused(weir_array_read(in_folder("cut.npz"), NULL, &a, &error), &error, "cut.npz",
                   "no directory");
}

/* ---- gzip --------------------------------------------------------------------------------------- */

static size_t gzip_all(const void *data, size_t size, unsigned char *out, size_t room)
{
    z_stream z = {0};
    cr_assert_eq(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (z_const Bytef *)data;
    z.avail_in = (uInt)size;
    z.next_out = out;
    z.avail_out = (uInt)room;
    cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return room - z.avail_out;
}

Test(npz, gzip_of_several_members_grows)
{
    static unsigned char plain[300000], packed[100000];
    for (size_t i = 0; i < sizeof plain; i++) plain[i] = (unsigned char)(i * i >> 7);
    const size_t half = gzip_all(plain, 150000, packed, sizeof packed);
    const size_t all = half + gzip_all(plain + 150000, 150000, packed + half, sizeof packed - half);
    unsigned char *out = NULL;
    int64_t size = 0;
    weir_error error = {0};
    cr_assert_eq(weir__gunzip(packed, (int64_t)all, 300000, "x.gz", &out, &size, &error), WEIR_OK, "%s",
                 error.message);
    cr_assert_eq(size, 300000);
    cr_assert_arr_eq(out, plain, sizeof plain);
    cr_assert_eq(out[size], 0);
    free(out);
    assert_refused(weir__gunzip(packed, (int64_t)all, 299999, "x.gz", &out, &size, &error), &error, "x.gz",
                   "holds more");
    packed[all] = 'x';
    assert_refused(weir__gunzip(packed, (int64_t)all + 1, 300000, "x.gz", &out, &size, &error), &error,
                   "x.gz", "compressed");
}

Test(npz, gzip_cut_or_changed_at_every_byte)
{
    unsigned char packed[200];
    int harmless = 0;
    weir_error error = {0};
    const size_t size = gzip_all("some text, some more text", 25, packed, sizeof packed);
    for (size_t cut = 0; cut < size; cut++) {
        unsigned char *const block = exact_binary(packed, cut), *out = NULL;
        int64_t n;
        assert_refused(weir__gunzip(block, (int64_t)cut, 1000, "x.gz", &out, &n, &error), &error, "x.gz",
                       "compressed");
        free(block);
    }
    for (size_t i = 0; i < size * 8; i++) {
        unsigned char *const block = exact_binary(packed, size), *out = NULL;
        int64_t n = 0;
        block[i / 8] ^= (unsigned char)(1 << i % 8);
        if (!weir__gunzip(block, (int64_t)size, 1000, "x.gz", &out, &n, &error)) {
            /* Bits of the header, and those between the last symbol and the checksum, may not matter. */
            cr_assert(n == 25 && !memcmp(out, "some text, some more text", 25), "bit %zu", i);
            harmless++;
            free(out);
        }
        free(block);
    }
    cr_assert_lt(harmless, 80);
}

Test(npz, bomb)
{
    const size_t size = (size_t)64 << 20;
    unsigned char *const zeros = calloc(1, size), *const packed = malloc((size_t)1 << 20), *out = NULL;
    int64_t n;
    weir_error error = {0};
    const size_t small = gzip_all(zeros, size, packed, (size_t)1 << 20);
    assert_refused(weir__gunzip(packed, (int64_t)small, 1 << 20, "x.gz", &out, &n, &error), &error, "x.gz",
                   "more than 1 MiB");
    free(zeros);
    free(packed);
}

Test(npz, named_gz_but_plain)
{
    weir_array *a = NULL;
    weir_error error = {0};
    write_file(in_folder("x.csv.gz"), "1,2\n", 4);
    assert_refused(weir_array_read(in_folder("x.csv.gz"), NULL, &a, &error), &error, "x.csv.gz",
                   "no gzip file");
}

Test(npz, gzip_around_csv_and_npy)
{
    unsigned char packed[500];
    weir_array *a = NULL;
    weir_error error = {0};
    size_t size = gzip_all("a,b\n1,2\n", 8, packed, sizeof packed);
    write_file(in_folder("x.csv.gz"), packed, size);
    cr_assert_eq(weir_array_read(in_folder("x.csv.gz"), NULL, &a, &error), WEIR_OK, "%s", error.message);
    cr_assert_str_eq(weir_array_column(a, 1), "b");
    weir_array_free(a);
    bytes npy = {.size = 0};
    npy_of(&npy, (float[]){1, 2, 3});
    size = gzip_all(npy.data, npy.size, packed, sizeof packed);
    write_file(in_folder("x.npy.gz"), packed, size);
    cr_assert_eq(weir_array_read(in_folder("x.npy.gz"), NULL, &a, &error), WEIR_OK, "%s", error.message);
    cr_assert_eq(weir_array_dim(a, 0), 3);
    weir_array_free(a);
    size = gzip_all("a,b\n1,x\n", 8, packed, sizeof packed);
    write_file(in_folder("x.csv.gz"), packed, size);
    assert_refused(weir_array_read(in_folder("x.csv.gz"), NULL, &a, &error), &error,
                   "x.csv.gz: line 2, column 2 (b)", "\"x\" is not a number");
}
