/* test_safetensors.c - model files: the layout that every reader of safetensors expects, and hostile headers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "file/array.h"
#include "file/safetensors.h"
#include "file_fixture.h"

TestSuite(safetensors, .init = make_folder, .fini = remove_folder);

static void make(bytes *b, const char *header, size_t data_size)
{
    static const unsigned char zeros[4096];
    b->size = 0;
    add_le(b, strlen(header), 8);
    add_text(b, header);
    add(b, zeros, data_size);
}

/* The file is freed again: what matters is whether it was accepted. */
static weir_status parse(const bytes *b, weir_error *error)
{
    weir__st_file *f = NULL;
    unsigned char *const block = exact_binary(b->data, b->size);
    const weir_status status = weir__st_parse(block, (int64_t)b->size, "m.safetensors", &f, error);
    cr_assert_eq(!status, f != NULL, "out pointers are written on success only");
    for (int64_t i = 0; f && i < weir__st_count(f); i++) {
        const weir__st_tensor *const t = weir__st_at(f, i);
        const int64_t size = t->count * weir__dtype_bytes(t->dtype);
        cr_assert(t->data >= block && t->data + size <= block + b->size, "a tensor lies outside of its file");
        cr_assert_eq(weir__st_find(f, t->name), t);
    }
    weir__st_free(f);
    free(block);
    return status;
}

static void accept(const char *header, size_t data_size)
{
    static bytes b;
    weir_error error = {0};
    make(&b, header, data_size);
    cr_assert_eq(parse(&b, &error), WEIR_OK, "%s: %s", header, error.message);
}

static void refuse(const char *header, size_t data_size, const char *fragment)
{
    static bytes b;
    weir_error error = {0};
    make(&b, header, data_size);
    assert_refused(parse(&b, &error), &error, "m.safetensors", fragment);
}

#define T(name, dtype, shape, begin, end)                                                                    \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" begin "," end "]}"

/* ---- reading ------------------------------------------------------------------------------------ */

Test(safetensors, good_headers)
{
    accept("{}", 0);
    accept("{}     \n", 0);
    accept("{\"__metadata__\":{}}", 0);
    accept("{" T("x", "F32", "2, 3", "0", "24") "}", 24);
    accept("{" T("b", "F32", "1", "8", "12") "," T("a", "F64", "", "0", "8") "}", 12);
    accept("{" T("none", "F32", "0, 7", "4", "4") "," T("x", "F32", "1", "0", "4") "}", 4);
    accept("{" T("x", "F32", "1", "0", "4") "," T("none", "F64", "0", "0", "0") "}", 4);
    accept("{" T("x", "BOOL", "1,2,1,2", "0", "4") "}", 4);
    accept("{\"x\":{\"data_offsets\":[0,2],\"shape\":[2],\"dtype\":\"U8\"}}", 2);
}

Test(safetensors, values)
{
    static bytes b;
    weir_error error = {0};
    weir__st_file *f = NULL;
    make(&b,
         "{\"__metadata__\":{\"format\":\"weir\",\"k\":\"\\u00e9\"}," T("b", "I32", "1", "8", "12") "," T(
             "a", "F64", "1", "0", "8") "}",
         0);
    const double a = 2.5;
    add(&b, &a, 8);
    add_le(&b, 77, 4);
    cr_assert_eq(weir__st_parse(b.data, (int64_t)b.size, "m", &f, &error), WEIR_OK, "%s", error.message);
    cr_assert_eq(weir__st_count(f), 2);
    cr_assert_str_eq(weir__st_at(f, 0)->name, "b", "the header's order");
    cr_assert_null(weir__st_at(f, 2));
    cr_assert_null(weir__st_at(f, -1));
    const weir__st_tensor *const t = weir__st_find(f, "a");
    cr_assert(t && t->dtype == WEIR_DTYPE_F64 && t->rank == 1 && t->dims[0] == 1 && t->count == 1);
    cr_assert_arr_eq(t->data, &a, 8);
    cr_assert_eq(weir__st_find(f, "b")->data[0], 77);
    cr_assert_null(weir__st_find(f, "c"));
    cr_assert_null(weir__st_find(f, "__metadata__"));
    cr_assert_str_eq(weir__st_metadata(f, "format"), "weir");
    cr_assert_str_eq(weir__st_metadata(f, "k"), "\xc3\xa9");
    cr_assert_null(weir__st_metadata(f, "other"));
    weir__st_free(f);
    weir__st_free(NULL);
}

Test(safetensors, bad_lengths)
{
    static bytes b;
    weir_error error = {0};
    b.size = 0;
    assert_refused(parse(&b, &error), &error, "m.safetensors", "too short");
    add_le(&b, 0, 8);
    assert_refused(parse(&b, &error), &error, "m.safetensors", "not that of a safetensors");
    b.size = 0;
    add_le(&b, 3, 8);
    add_text(&b, "{}");
    assert_refused(parse(&b, &error), &error, "m.safetensors", "ends within its header of 3 bytes");
    b.size = 0;
    add_le(&b, UINT64_MAX, 8);
    add_text(&b, "{}");
    assert_refused(parse(&b, &error), &error, "m.safetensors", "no header length");
    b.size = 0;
    add_le(&b, (100 << 20) + 1, 8);
    add_text(&b, "{}");
    assert_refused(parse(&b, &error), &error, "m.safetensors", "no header length");
}

Test(safetensors, bad_json)
{
    refuse("[]", 0, "not that of a safetensors");
    refuse(" {}", 0, "not that of a safetensors");
    refuse("{", 0, "header, byte ");
    refuse("{}x", 0, "header, byte ");
    refuse("{\"a\":1,}", 0, "header, byte ");
    refuse("{\"\\u0000\":1}", 0, "header, byte ");
    refuse("{\"\xff\":1}", 0, "header, byte ");
    refuse("{" T("x", "U8", "0", "0", "0") "," T("x", "U8", "0", "0", "0") "}", 0, "duplicate");
    refuse("{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}", 0, "duplicate");
    refuse("{\"x\":{\"shape\":[[0]]}}", 0, "not that of a safetensors");
    refuse("{\"x\":\"[[[[[[\\\"[[[[[\"}", 0, "no more and no less");
    static char deep[50000];
    memset(deep, '[', sizeof deep - 1);
    memcpy(deep, "{\"x\":", 5);
    refuse(deep, 0, "not that of a safetensors");
    for (size_t i = 5; i + 5 < sizeof deep; i += 5) memcpy(deep + i, "{\"a\":", 5);
    refuse(deep, 0, "not that of a safetensors");
}

Test(safetensors, bad_metadata)
{
    refuse("{\"__metadata__\":[]}", 0, "__metadata__ is no object");
    refuse("{\"__metadata__\":null}", 0, "__metadata__ is no object");
    refuse("{\"__metadata__\":{\"a\":1}}", 0, "__metadata__ 'a' is no string");
    refuse("{\"__metadata__\":{\"a\":{}}}", 0, "__metadata__ 'a' is no string");
}

Test(safetensors, bad_tensors)
{
    refuse("{\"x\":1}", 0, "tensor 'x': needs dtype");
    refuse("{\"x\":{\"dtype\":\"U8\",\"shape\":[0]}}", 0, "tensor 'x': needs dtype");
    refuse("{\"x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0],\"y\":1}}", 0,
           "no more and no less");
    refuse("{\"x\":{\"dtype\":\"U8\",\"shape\":[0],\"offsets\":[0,0]}}", 0, "not two numbers");
    refuse("{" T("x", "BF16", "1", "0", "2") "}", 2, "dtype BF16 is not read");
    refuse("{\"x\":{\"dtype\":7,\"shape\":[0],\"data_offsets\":[0,0]}}", 0, "dtype (none) is not read");
    refuse("{\"x\":{\"dtype\":\"U8\",\"shape\":0,\"data_offsets\":[0,0]}}", 0, "has no shape");
    refuse("{" T("x", "U8", "1,1,1,1,1", "0", "1") "}", 1, "more than 4 axes");
    refuse("{" T("x", "U8", "-1", "0", "1") "}", 1, "extent that is no number");
    refuse("{" T("x", "U8", "1.0", "0", "1") "}", 1, "extent that is no number");
    refuse("{" T("x", "U8", "\"1\"", "0", "1") "}", 1, "extent that is no number");
    refuse("{" T("x", "U8", "99999999999999999999", "0", "1") "}", 1, "header, byte ");
    refuse("{" T("x", "U8", "4294967296,4294967296", "0", "0") "}", 0, "disagree");
    refuse("{" T("x", "F64", "2305843009213693952", "0", "0") "}", 0, "disagree");
    refuse("{" T("x", "U8", "0,4294967296,4294967296", "0", "0") "}", 0, "disagree");
    refuse("{" T("x", "U8", "1", "0", "1.0") "}", 1, "not two numbers");
    refuse("{" T("x", "U8", "1", "0", "1,1") "}", 1, "not two numbers");
    refuse("{" T("x", "U8", "1", "-1", "0") "}", 1, "impossible");
    refuse("{" T("x", "U8", "1", "2", "1") "}", 1, "impossible");
    refuse("{" T("x", "U8", "2", "0", "1") "}", 1, "disagree");
    refuse("{" T("x\\n\\u001b", "U8", "2", "0", "1") "}", 1, "tensor 'x?\?'");
}

Test(safetensors, bad_places)
{
    refuse("{" T("x", "U8", "2", "0", "2") "}", 1, "behind the end of the file");
    refuse("{" T("x", "U8", "9223372036854775807", "0", "9223372036854775807") "}", 1, "behind the end");
    refuse("{" T("x", "U8", "2", "0", "2") "}", 3, "1 bytes follow the last tensor");
    refuse("{}", 1, "1 bytes follow");
    refuse("{" T("x", "U8", "2", "1", "3") "}", 3, "leave a gap");
    refuse("{" T("x", "U8", "2", "0", "2") "," T("y", "U8", "2", "3", "5") "}", 5,
           "tensor 'y': data overlap another's or leave a gap");
    refuse("{" T("x", "U8", "2", "0", "2") "," T("y", "U8", "2", "1", "3") "}", 3, "overlap");
    refuse("{" T("x", "U8", "2", "0", "2") "," T("y", "U8", "2", "0", "2") "}", 2, "overlap");
    refuse("{" T("x", "U8", "2", "0", "2") "," T("y", "U8", "0", "1", "1") "}", 2, "overlap");
}

/* ---- writing ------------------------------------------------------------------------------------ */

static const float some_floats[6] = {1, 2, 3, 4, 5, 6};
static const double some_doubles[2] = {-1, 1e300};
static const unsigned char some_bytes[3] = {7, 8, 9};
static const int64_t some_integer = -5;

static const weir__st_tensor some_tensors[] = {
    {"flags", WEIR_DTYPE_U8, 1, {3}, 3, some_bytes},
    {"flow.0.weight", WEIR_DTYPE_F32, 2, {2, 3}, 6, (const unsigned char *)some_floats},
    {"scale", WEIR_DTYPE_F64, 1, {2}, 2, (const unsigned char *)some_doubles},
    {"empty", WEIR_DTYPE_F32, 2, {0, 4}, 0, NULL},
    {"step", WEIR_DTYPE_I64, 0, {0}, 1, (const unsigned char *)&some_integer},
};
#define SOME_COUNT ((int64_t)(sizeof some_tensors / sizeof *some_tensors))

static size_t write_some(const char *path, json_t *metadata, char *got, size_t room)
{
    weir_error error = {0};
    cr_assert_eq(weir__st_write(path, metadata, some_tensors, SOME_COUNT, &error), WEIR_OK, "%s",
                 error.message);
    json_decref(metadata);
    return read_file(path, got, room);
}

Test(safetensors, round_trip_keeps_order_and_alignment)
{
    char raw[4000];
    weir_error error = {0};
    weir__st_file *f = NULL;
    const char *const path = in_folder("m.safetensors");
    write_some(path, json_pack("{s:s}", "model", "{\"a\": 1}"), raw, sizeof raw);
    cr_assert_eq(weir__st_read(path, &f, &error), WEIR_OK, "%s", error.message);
    cr_assert_eq(weir__st_count(f), SOME_COUNT);
    cr_assert_str_eq(weir__st_metadata(f, "model"), "{\"a\": 1}");
    const unsigned char *base = weir__st_find(f, "scale")->data;
    for (int64_t i = 0; i < SOME_COUNT; i++) {
        const weir__st_tensor *const t = weir__st_at(f, i), *const s = &some_tensors[i];
        cr_assert_str_eq(t->name, s->name);
        cr_assert(t->dtype == s->dtype && t->rank == s->rank && t->count == s->count);
        cr_assert_arr_eq(t->dims, s->dims, sizeof s->dims[0] * (size_t)s->rank);
        const int64_t item = weir__dtype_bytes(s->dtype);
        if (s->count) cr_assert_arr_eq(t->data, s->data, (size_t)(item * s->count));
        cr_assert_eq((t->data - base) % item, 0, "%s is not aligned", t->name);
    }
    weir__st_free(f);
}

Test(safetensors, layout_of_the_file)
{
    char got[4000];
    const size_t size = write_some(in_folder("m"), json_pack("{s:s}", "k", "v"), got, sizeof got);
    static const char header[] = "{\"__metadata__\":{\"k\":\"v\"}," T("flags", "U8", "3", "48", "51") "," T(
        "flow.0.weight", "F32", "2,3", "24",
        "48") "," T("scale", "F64", "2", "0", "16") "," T("empty", "F32", "0,4", "48",
                                                          "48") "," T("step", "I64", "", "16", "24") "}";
    const size_t length = (sizeof header - 1 + 7) / 8 * 8;
    cr_assert_eq((unsigned char)got[0] + 256 * (unsigned char)got[1], (int)length);
    cr_assert_arr_eq(got + 2, "\0\0\0\0\0\0", 6);
    cr_assert_arr_eq(got + 8, header, sizeof header - 1, "%.*s", (int)length, got + 8);
    for (size_t i = 8 + sizeof header - 1; i < 8 + length; i++) cr_assert_eq(got[i], ' ');
    cr_assert_eq(size, 8 + length + 51);
    cr_assert_arr_eq(got + 8 + length, some_doubles, 16);
    cr_assert_arr_eq(got + 8 + length + 48, some_bytes, 3);
}

Test(safetensors, same_input_same_bytes)
{
    static char a[4000], b[4000];
    const size_t n =
        write_some(in_folder("a"), json_pack("{s:s, s:s, s:s}", "x", "1", "y", "2", "a", "3"), a, sizeof a);
    const size_t m =
        write_some(in_folder("b"), json_pack("{s:s, s:s, s:s}", "a", "3", "y", "2", "x", "1"), b, sizeof b);
    cr_assert_eq(n, m);
    cr_assert_arr_eq(a, b, n);
    cr_assert_eq(count_entries(), 2);
}

Test(safetensors, nothing_to_write)
{
    weir_error error = {0};
    weir__st_file *f = NULL;
    cr_assert_eq(weir__st_write(in_folder("m"), NULL, NULL, 0, &error), WEIR_OK, "%s", error.message);
    cr_assert_eq(weir__st_read(in_folder("m"), &f, &error), WEIR_OK, "%s", error.message);
    cr_assert_eq(weir__st_count(f), 0);
    cr_assert_null(weir__st_metadata(f, "x"));
    weir__st_free(f);
}

static void refuse_to_write(const json_t *metadata, const weir__st_tensor *tensors, int64_t count,
                            const char *fragment)
{
    weir_error error = {0};
    const char *const path = in_folder("m");
    write_file(path, "old", 3);
    assert_refused(weir__st_write(path, metadata, tensors, count, &error), &error, path, fragment);
    char got[10];
    read_file(path, got, sizeof got);
    cr_assert_str_eq(got, "old");
}

Test(safetensors, what_is_not_written)
{
    const weir__st_tensor twins[] = {some_tensors[0], some_tensors[0]};
    refuse_to_write(NULL, twins, 2, "'flags' is taken already");
    weir__st_tensor t = some_tensors[0];
    t.name = "__metadata__";
    refuse_to_write(NULL, &t, 1, "is taken already");
    t.name = "\xff";
    refuse_to_write(NULL, &t, 1, "not UTF-8");
    t = some_tensors[0];
    t.dtype = 42;
    refuse_to_write(NULL, &t, 1, "impossible dtype or shape");
    t = some_tensors[0];
    t.count = 4;
    refuse_to_write(NULL, &t, 1, "impossible dtype or shape");
    t.dims[0] = -1;
    refuse_to_write(NULL, &t, 1, "impossible dtype or shape");
    json_t *const metadata = json_pack("{s:i}", "k", 1);
    refuse_to_write(metadata, some_tensors, 1, "an object of strings");
    json_decref(metadata);
}

/* ---- hostile files ------------------------------------------------------------------------------ */

Test(safetensors, files)
{
    weir_error error = {0};
    weir__st_file *f = NULL;
    assert_refused(weir__st_read(in_folder("missing"), &f, &error), &error, "missing", "No such file");
    assert_refused(weir__st_read(folder, &f, &error), &error, folder, "it is a folder");
    write_file(in_folder("text"), "hello, this is a text file", 26);
    assert_refused(weir__st_read(in_folder("text"), &f, &error), &error, "text", "no header length");
}

Test(safetensors, cut_at_every_byte)
{
    static bytes b;
    char raw[4000];
    weir_error error = {0};
    const size_t size = write_some(in_folder("m"), json_pack("{s:s}", "k", "v"), raw, sizeof raw);
    memcpy(b.data, raw, size);
    b.size = size;
    cr_assert_eq(parse(&b, &error), WEIR_OK, "%s", error.message);
    while (b.size-- > 0) assert_refused(parse(&b, &error), &error, "m.safetensors", " ");
}

Test(safetensors, mutations_never_crash)
{
    static bytes b;
    char raw[4000];
    const size_t size = write_some(in_folder("m"), json_pack("{s:s}", "k", "v"), raw, sizeof raw);
    uint64_t state = 11;
    int64_t accepted = 0;
    for (int i = 0; i < 20000; i++) {
        weir_error error = {0};
        memcpy(b.data, raw, size);
        b.size = mutate(b.data, size, &state);
        if (parse(&b, &error))
            assert_refused(error.status, &error, "m.safetensors", " ");
        else
            accepted++;
    }
    cr_assert_gt(accepted, 100);
    cr_assert_lt(accepted, 19000);
}
