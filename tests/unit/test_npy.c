/* test_npy.c - .npy files: what NumPy writes is read, whatever else is refused with a reason.
 *
 * SPDX-License-Identifier: MIT
 */
#include "file/parsers.h"
#include "file_fixture.h"

#include <math.h>

TestSuite(npy, .init = make_folder, .fini = remove_folder);

static void add_npy(bytes *b, int version, const char *header, const void *body, size_t size)
{
    add(b, "\x93NUMPY", 6);
    add(b, (unsigned char[]){(unsigned char)version, 0}, 2);
    add_le(b, strlen(header), version == 1 ? 2 : 4);
    add_text(b, header);
    add(b, body, size);
}

static weir_status parse(const bytes *b, weir_array **array, weir_error *error)
{
    unsigned char *const block = exact_binary(b->data, b->size);
    const weir_status status = weir__npy_parse(block, (int64_t)b->size, "file.npy", array, error);
    free(block);
    return status;
}

static weir_array *read_ok(int version, const char *header, const void *body, size_t size)
{
    bytes b = {.size = 0};
    weir_array *array = NULL;
    weir_error error = {0};
    add_npy(&b, version, header, body, size);
    cr_assert_eq(parse(&b, &array, &error), WEIR_OK, "%s", error.message);
    return array;
}

static void refuse(const char *header, size_t size, const char *fragment)
{
    static const unsigned char body[4096];
    bytes b = {.size = 0};
    weir_array *array = NULL;
    weir_error error = {0};
    add_npy(&b, 1, header, body, size);
    assert_refused(parse(&b, &array, &error), &error, "file.npy", fragment);
    cr_assert_null(array, "out pointers are written on success only");
}

Test(npy, row_major_floats_in_every_version)
{
    const float values[6] = {1, -2.5f, 3, 4, 5e30f, 0};
    for (int version = 1; version <= 3; version++) {
        weir_array *const a =
            read_ok(version, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }     \n", values,
                    sizeof values);
        cr_assert_eq(weir_array_dtype(a), WEIR_DTYPE_F32);
        cr_assert_eq(weir_array_rank(a), 2);
        cr_assert_eq(weir_array_dim(a, 0), 2);
        cr_assert_eq(weir_array_dim(a, 1), 3);
        cr_assert_eq(weir_array_dim(a, 2), -1);
        cr_assert_null(weir_array_column(a, 0));
        cr_assert_arr_eq(weir_array_data(a), values, sizeof values);
        weir_array_free(a);
    }
}

Test(npy, header_freedoms)
{
    const double value = 7;
    static const char *const headers[] = {
        "{\"shape\":(1,),\"descr\":\"<f8\",\"fortran_order\":False}",
        "{'fortran_order': True, 'shape': (1L,), 'descr': '=f8',}\n",
        "  { 'shape' : ( 1 , ) , 'descr' : '<f8' , 'fortran_order' : False , }  \n",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1, 1, 1), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (), }",
    };
    static const int32_t ranks[] = {1, 1, 1, 2, 4, 0};
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        weir_array *const a = read_ok(1, headers[i], &value, sizeof value);
        cr_assert_eq(weir_array_rank(a), ranks[i], "%s", headers[i]);
        cr_assert_eq(*(double *)weir_array_data(a), 7);
        weir_array_free(a);
    }
}

/* Element (i, j, k) holds 100 i + 10 j + k; Fortran's order stores i fastest. */
Test(npy, fortran_order)
{
    int16_t values[2 * 3 * 4];
    int64_t n = 0;
    for (int k = 0; k < 4; k++)
        for (int j = 0; j < 3; j++)
            for (int i = 0; i < 2; i++) values[n++] = (int16_t)(100 * i + 10 * j + k);
    weir_array *const a =
        read_ok(1, "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3, 4), }", values, sizeof values);
    const int16_t *const got = weir_array_data(a);
    cr_assert_eq(weir_array_dtype(a), WEIR_DTYPE_I16);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 4; k++) cr_assert_eq(got[(i * 3 + j) * 4 + k], 100 * i + 10 * j + k);
    weir_array_free(a);
}

Test(npy, big_endian)
{
    const unsigned char f4[] = {0x3f, 0x80, 0, 0}, f8[] = {0xc0, 0x04, 0, 0, 0, 0, 0, 0},
                        i4[] = {0xff, 0xff, 0xff, 0xfe};
    const unsigned char u2[] = {0x12, 0x34, 0xff, 0xfe};
    weir_array *a = read_ok(1, "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", f4, 4);
    cr_assert_eq(*(float *)weir_array_data(a), 1.0f);
    weir_array_free(a);
    a = read_ok(1, "{'descr': '>f8', 'fortran_order': False, 'shape': (1,), }", f8, 8);
    cr_assert_eq(*(double *)weir_array_data(a), -2.5);
    weir_array_free(a);
    a = read_ok(1, "{'descr': '>i4', 'fortran_order': False, 'shape': (1,), }", i4, 4);
    cr_assert_eq(*(int32_t *)weir_array_data(a), -2);
    weir_array_free(a);
    a = read_ok(1, "{'descr': '>u2', 'fortran_order': True, 'shape': (2, 1), }", u2, 4);
    cr_assert_eq(((uint16_t *)weir_array_data(a))[0], 0x1234);
    cr_assert_eq(((uint16_t *)weir_array_data(a))[1], 0xfffe);
    weir_array_free(a);
}

Test(npy, every_dtype)
{
    static const struct {
        const char *descr;
        int32_t dtype;
        size_t item;
    } cases[] = {{"<f2", WEIR_DTYPE_F32, 2}, {"<f4", WEIR_DTYPE_F32, 4}, {"<f8", WEIR_DTYPE_F64, 8},
                 {"|u1", WEIR_DTYPE_U8, 1},  {"|i1", WEIR_DTYPE_I8, 1},  {"<u2", WEIR_DTYPE_U16, 2},
                 {"<i2", WEIR_DTYPE_I16, 2}, {"<u4", WEIR_DTYPE_U32, 4}, {"<i4", WEIR_DTYPE_I32, 4},
                 {"<i8", WEIR_DTYPE_I64, 8}, {"<u8", WEIR_DTYPE_I64, 8}, {"|b1", WEIR_DTYPE_BOOL, 1}};
    const unsigned char zeros[24] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char header[100];
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (3,), }",
                 cases[i].descr);
        weir_array *const a = read_ok(1, header, zeros, 3 * cases[i].item);
        cr_assert_eq(weir_array_dtype(a), cases[i].dtype, "%s", cases[i].descr);
        cr_assert_arr_eq(weir_array_data(a), zeros, (size_t)weir__dtype_bytes(cases[i].dtype) * 3);
        weir_array_free(a);
    }
}

Test(npy, halves_become_floats)
{
    const uint16_t halves[] = {0x3c00, 0xc000, 0x0001, 0x8000, 0x7bff,
                               0x7c00, 0xfc00, 0x7e00, 0x03ff, 0x0400};
    const float expected[] = {1, -2, 0x1p-24f, -0.0f, 65504, INFINITY, -INFINITY, NAN, 0x3ffp-24f, 0x1p-14f};
    weir_array *const a =
        read_ok(1, "{'descr': '<f2', 'fortran_order': False, 'shape': (10,), }", halves, sizeof halves);
    const float *const got = weir_array_data(a);
    for (int i = 0; i < 10; i++)
        cr_assert(isnan(expected[i]) ? isnan(got[i])
                                     : got[i] == expected[i] && !signbit(got[i]) == !signbit(expected[i]),
                  "half %d is %g", i, (double)got[i]);
    weir_array_free(a);
}

Test(npy, unsigned_64_bits)
{
    uint64_t values[2] = {5, INT64_MAX};
    weir_error error = {0};
    weir_array *a =
        read_ok(1, "{'descr': '<u8', 'fortran_order': False, 'shape': (2,), }", values, sizeof values);
    cr_assert_eq(((int64_t *)weir_array_data(a))[1], INT64_MAX);
    weir_array_free(a);
    bytes b = {.size = 0};
    values[1]++;
    add_npy(&b, 1, "{'descr': '<u8', 'fortran_order': False, 'shape': (2,), }", values, sizeof values);
    assert_refused(parse(&b, &a, &error), &error, "file.npy", "element 1 is 2^63 or more");
    b.size = 0;
    values[0] = UINT64_MAX;
    add_npy(&b, 1, "{'descr': '<u8', 'fortran_order': False, 'shape': (2,), }", values, sizeof values);
    assert_refused(parse(&b, &a, &error), &error, "file.npy", "element 0 is 2^63 or more");
}

Test(npy, booleans_are_zero_or_one)
{
    const unsigned char values[] = {0, 1, 2, 255};
    weir_array *const a = read_ok(1, "{'descr': '|b1', 'fortran_order': False, 'shape': (4,), }", values, 4);
    cr_assert_arr_eq(weir_array_data(a), ((unsigned char[]){0, 1, 1, 1}), 4);
    weir_array_free(a);
}

Test(npy, empty_arrays)
{
    weir_array *const a = read_ok(1, "{'descr': '<f4', 'fortran_order': True, 'shape': (0, 5), }", "", 0);
    cr_assert_eq(weir_array_dim(a, 0), 0);
    cr_assert_eq(weir_array_dim(a, 1), 5);
    cr_assert_not_null(weir_array_data(a));
    weir_array_free(a);
}

Test(npy, bad_headers)
{
    refuse("", 4, "expected '{'");
    refuse("{}", 4, "is missing");
    refuse("{'descr': '<f4', 'fortran_order': False, }", 4, "is missing");
    refuse("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 4, "twice");
    refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", 4, "none of descr");
    refuse("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }", 4, "neither True nor False");
    refuse("{'descr': '<f4', 'fortran_order': False, 'shape': [1], }", 4, "not a tuple");
    refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (1), }", 4, "comma");
    refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1}", 4, "closing bracket");
    refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 4, "extent");
    refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (1.0,), }", 4, "comma");
    refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1), }", 4, "more than 4 axes");
    refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x", 4, "follows the dictionary");
    refuse("{'descr': '<f4' 'fortran_order': False, 'shape': (1,), }", 4, "expected ',' or '}'");
    refuse("{'descr' '<f4', 'fortran_order': False, 'shape': (1,), }", 4, "expected ':'");
    refuse("{'de\\x73cr': '<f4', 'fortran_order': False, 'shape': (1,), }", 4, "expected a key");
}

Test(npy, refused_dtypes)
{
    static const char *const descrs[] = {"<c8", "|O",  "<U5", "|S4", "<M8[ns]", "<f16", "<i3", "|f4", "f4",
                                         "<f",  "f44", "",    "<V8", "|b2",     "<b8",  "!f4", "<f9", "<g8"};
    for (size_t i = 0; i < sizeof descrs / sizeof *descrs; i++) {
        char header[120];
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (1,), }",
                 descrs[i]);
        refuse(header, 16, "the dtype is not one that is read");
    }
    refuse("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4, "the dtype is not one");
}

Test(npy, shapes_that_overflow)
{
    refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 4, "63 bits");
    refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,), }", 0, "more memory");
    refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 0, "more memory");
    refuse("{'descr': '<f4', 'fortran_order': True, 'shape': (0, 4294967296, 4294967296), }", 0,
           "more memory");
    refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1000000), }", 4,
           "the file is cut");
    refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 12, "needs 8 bytes of data, but 12");
}

Test(npy, not_npy)
{
    weir_array *a = NULL;
    weir_error error = {0};
    bytes b = {.size = 0};
    add_npy(&b, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "\0\0\0\0", 4);
    b.data[6] = 4;
    assert_refused(parse(&b, &a, &error), &error, "file.npy", "version 4.0");
    b.data[6] = 1;
    b.data[7] = 1;
    assert_refused(parse(&b, &a, &error), &error, "file.npy", "version 1.1");
    b.data[7] = 0;
    b.data[9] = 0xff;
    assert_refused(parse(&b, &a, &error), &error, "file.npy", "ends within its header of 65");
    b.data[0] = 'x';
    assert_refused(parse(&b, &a, &error), &error, "file.npy", "does not begin");
}

Test(npy, cut_at_every_byte)
{
    const float values[] = {1, 2, 3, 4};
    bytes b = {.size = 0};
    add_npy(&b, 2, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }   \n", values, sizeof values);
    weir_array *a = NULL;
    weir_error error = {0};
    cr_assert_eq(parse(&b, &a, &error), WEIR_OK);
    weir_array_free(a);
    while (b.size-- > 0) {
        a = NULL;
        assert_refused(parse(&b, &a, &error), &error, "file.npy", " ");
        cr_assert_null(a);
    }
}

Test(npy, mutations_never_crash)
{
    const uint64_t values[] = {1, 2, 3, 4};
    bytes original = {.size = 0};
    add_npy(&original, 1, "{'descr': '>u8', 'fortran_order': True, 'shape': (2, 2), }  \n", values,
            sizeof values);
    uint64_t state = 20240607;
    int64_t accepted = 0;
    for (int i = 0; i < 20000; i++) {
        bytes b = original;
        weir_array *a = NULL;
        weir_error error = {0};
        b.size = mutate(b.data, b.size, &state);
        if (parse(&b, &a, &error)) {
            assert_refused(error.status, &error, "file.npy", " ");
            continue;
        }
        accepted++;
        cr_assert_eq(weir__dims_bytes(a->rank, a->dims, 1), a->count);
        weir_array_free(a);
    }
    cr_assert_gt(accepted, 100, "the mutations are too wild to reach far");
    cr_assert_lt(accepted, 19000, "the mutations are too tame");
}

/* ---- through the file system -------------------------------------------------------------------- */

Test(npy, files)
{
    const double values[] = {1.5, 2.5};
    bytes b = {.size = 0};
    weir_array *a = NULL;
    weir_error error = {0};
    add_npy(&b, 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", values, sizeof values);
    const char *const path = in_folder("odd ending.bin");
    write_file(path, b.data, b.size);
    cr_assert_eq(weir_array_read(path, NULL, &a, &error), WEIR_OK, "%s", error.message);
    cr_assert_arr_eq(weir_array_data(a), values, sizeof values);
    weir_array_free(a);
    assert_refused(weir_array_read(path, "x", &a, &error), &error, path, "not an .npz");
    write_file(in_folder("empty.npy"), "", 0);
    assert_refused(weir_array_read(in_folder("empty.npy"), NULL, &a, &error), &error, "empty.npy",
                   "does not begin");
    write_file(in_folder("cut.npy"), b.data, 4);
    assert_refused(weir_array_read(in_folder("cut.npy"), NULL, &a, &error), &error, "cut.npy",
                   "does not begin");
}

Test(npy, what_is_no_file)
{
    weir_array *a = NULL;
    weir_error error = {0};
    assert_refused(weir_array_read(in_folder("missing.npy"), NULL, &a, &error), &error, "missing.npy",
                   "No such file or directory");
    assert_refused(weir_array_read(folder, NULL, &a, &error), &error, folder, "it is a folder");
    assert_refused(weir_array_read("/dev/zero", NULL, &a, &error), &error, "/dev/zero", "not a regular file");
    cr_assert_eq(mkfifo(in_folder("pipe"), 0600), 0);
    assert_refused(weir_array_read(in_folder("pipe"), NULL, &a, &error), &error, "pipe",
                   "not a regular file");
    assert_refused(weir_array_read(in_folder("line\nbreak\033[31m"), NULL, &a, &error), &error,
                   "line?break?[31m", "cannot read");
    write_file(in_folder("noise"), "\1\0\2\0\3", 5);
    assert_refused(weir_array_read(in_folder("noise"), NULL, &a, &error), &error, "noise",
                   "none of the formats");
    cr_assert_eq(weir_array_read(in_folder("missing.npy"), NULL, &a, NULL), WEIR_INVALID,
                 "error may be NULL");
    weir_array_free(NULL);
}
