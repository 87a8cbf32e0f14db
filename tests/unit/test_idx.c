/* test_idx.c - IDX files, plain and gzip'ed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "file/parsers.h"
#include "file_fixture.h"

#include <zlib.h>

TestSuite(idx, .init = make_folder, .fini = remove_folder);

static weir_status parse(const void *data, size_t size, weir_array **array, weir_error *error)
{
    unsigned char *const block = exact_binary(data, size);
    const weir_status status = weir__idx_parse(block, (int64_t)size, "x-ubyte", array, error);
    free(block);
    return status;
}

static weir_array *read_ok(const void *data, size_t size)
{
    weir_array *a = NULL;
    weir_error error = {0};
    cr_assert_eq(parse(data, size, &a, &error), WEIR_OK, "%s", error.message);
    return a;
}

#define refuse(data_, fragment_)                                                                             \
    do {                                                                                                     \
        weir_array *a_ = NULL;                                                                               \
        weir_error e_ = {0};                                                                                 \
        assert_refused(parse(data_, sizeof data_ - 1, &a_, &e_), &e_, "x-ubyte", fragment_);                 \
        cr_assert_null(a_);                                                                                  \
    } while (0)

Test(idx, images)
{
    static const char file[] = "\0\0\x08\3\0\0\0\2\0\0\0\2\0\0\0\3abcdefghijkl";
    weir_array *const a = read_ok(file, sizeof file - 1);
    cr_assert_eq(weir_array_dtype(a), WEIR_DTYPE_U8);
    cr_assert_eq(weir_array_rank(a), 3);
    cr_assert_eq(weir_array_dim(a, 0), 2);
    cr_assert_eq(weir_array_dim(a, 2), 3);
    cr_assert_arr_eq(weir_array_data(a), "abcdefghijkl", 12);
    weir_array_free(a);
}

Test(idx, other_types_are_big_endian)
{
    weir_array *a = read_ok("\0\0\x09\1\0\0\0\1\xff", 9);
    cr_assert_eq(*(int8_t *)weir_array_data(a), -1);
    weir_array_free(a);
    a = read_ok("\0\0\x0b\1\0\0\0\1\xff\xfe", 10);
    cr_assert_eq(*(int16_t *)weir_array_data(a), -2);
    weir_array_free(a);
    a = read_ok("\0\0\x0c\1\0\0\0\1\0\1\0\2", 12);
    cr_assert_eq(*(int32_t *)weir_array_data(a), 65538);
    weir_array_free(a);
    a = read_ok("\0\0\x0d\1\0\0\0\1\x3f\x80\0\0", 12);
    cr_assert_eq(*(float *)weir_array_data(a), 1.0f);
    weir_array_free(a);
    a = read_ok("\0\0\x0e\1\0\0\0\1\xc0\x04\0\0\0\0\0\0", 16);
    cr_assert_eq(*(double *)weir_array_data(a), -2.5);
    weir_array_free(a);
}

Test(idx, bad_files)
{
    refuse("", "does not begin");
    refuse("\0\1\x08\1\0\0\0\1a", "does not begin");
    refuse("\0\0\x0a\1\0\0\0\1a", "no element type 0x0a");
    refuse("\0\0\x08\0a", "has 0 axes");
    refuse("\0\0\x08\5\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1a", "has 5 axes");
    refuse("\0\0\x08\1\0\0\0\2a", "do not match the 1 bytes");
    refuse("\0\0\x08\1\0\0\0\2abc", "do not match the 3 bytes");
    refuse("\0\0\x08\4\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
           "do not match the 0 bytes");
    refuse("\0\0\x0e\2\xff\xff\xff\xff\xff\xff\xff\xff", "do not match");
}

Test(idx, cut_at_every_byte)
{
    static const char file[] = "\0\0\x0c\2\0\0\0\2\0\0\0\1abcdefgh";
    for (size_t size = 0; size < sizeof file - 1; size++) {
        weir_array *a = NULL;
        weir_error error = {0};
        assert_refused(parse(file, size, &a, &error), &error, "x-ubyte", " ");
    }
}

Test(idx, mutations_never_crash)
{
    static const char file[] = "\0\0\x0b\3\0\0\0\2\0\0\0\1\0\0\0\2abcdefgh";
    uint64_t state = 99;
    int64_t accepted = 0;
    for (int i = 0; i < 20000; i++) {
        unsigned char data[64];
        weir_array *a = NULL;
        weir_error error = {0};
        memcpy(data, file, sizeof file);
        if (parse(data, mutate(data, sizeof file - 1, &state), &a, &error)) {
            assert_refused(error.status, &error, "x-ubyte", " ");
            continue;
        }
        accepted++;
        weir_array_free(a);
    }
    cr_assert_gt(accepted, 100);
}

Test(idx, gzip_file_with_any_name)
{
    static const char file[] = "\0\0\x08\2\0\0\0\1\0\0\0\2ab";
    const char *const path = in_folder("t10k-images-idx3-ubyte.gz");
    const gzFile gz = gzopen(path, "wb");
    weir_array *a = NULL;
    weir_error error = {0};
    cr_assert(gz && gzwrite(gz, file, sizeof file - 1) == sizeof file - 1 && gzclose(gz) == Z_OK);
    cr_assert_eq(weir_array_read(path, NULL, &a, &error), WEIR_OK, "%s", error.message);
    cr_assert_eq(weir_array_dim(a, 1), 2);
    weir_array_free(a);

    write_file(in_folder("plain"), file, sizeof file - 1);
    cr_assert_eq(weir_array_read(in_folder("plain"), NULL, &a, &error), WEIR_OK, "%s", error.message);
    weir_array_free(a);

    char packed[200];
    const size_t size = read_file(path, packed, sizeof packed);
    for (size_t cut = 2; cut < size; cut++) {
        write_file(in_folder("cut.gz"), packed, cut);
        assert_refused(weir_array_read(in_folder("cut.gz"), NULL, &a, &error), &error, "cut.gz",
                       "copy or download");
    }
}
