/* test_model_file.c - models as files: the same bits back, and an answer to everything that is not a model.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sandbox.h"

#include "api/api.h"
#include "models.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

TestSuite(model_file, .init = sandbox_open, .fini = sandbox_close);

#define HONEST "test.honest"
#define SMALL  MODEL("f64", 4, 0, "{\"type\":\"actnorm\"}," COUPLING("half", "affine") "," REVERSE)

static weir_model *saved(weir_runtime *rt, const char *json, const char *path)
{
    weir_model *const m = must_build(rt, json);
    const weir_matrix x = some_data(100, weir_model_get(m, WEIR_MODEL_FEATURES), 1);
    MUST(weir_model_initialize(m, &x, NULL, 0, &error));
    shake(m, 0.2);
    MUST(weir_model_set_metadata(m, "{\"name\":\"f\\u00e4hre\",\"list\":[1,2.5,null]}", &error));
    MUST(weir_model_save(m, path, &error));
    return m;
}

static weir_model *must_load(weir_runtime *rt, const char *path)
{
    weir_model *m = NULL;
    MUST(weir_model_load(rt, path, &m, &error));
    return m;
}

static uint64_t density_bits(const weir_model *m)
{
    const weir_matrix x = some_data(90, weir_model_get(m, WEIR_MODEL_FEATURES), 8);
    double p[90];
    MUST(weir_log_prob(m, &x, NULL, p, &error));
    return hash_of(p, 90);
}

static void expect_same_bytes(const char *a, const char *b)
{
    unsigned char *x, *y;
    const size_t n = read_all(a, &x);
    cr_assert_eq(n, read_all(b, &y));
    cr_assert_arr_eq(x, y, n);
    free(x);
    free(y);
}

/* Refused in one line that names the file and says this; nothing made. */
static void expect_refused(weir_runtime *rt, const char *path, const char *wanted)
{
    weir_model *m = NULL;
    cr_assert_eq(weir_model_load(rt, path, &m, &error), WEIR_INVALID, "accepted, instead of: %s", wanted);
    cr_assert_null(m);
    cr_assert_eq(strncmp(error.message, path, strlen(path)), 0, "%s", error.message);
    cr_assert(strstr(error.message, wanted), "\"%s\" does not say \"%s\"", error.message, wanted);
    cr_assert_not(strpbrk(error.message, "\n\r\033"), "not one clean line");
}

/* ---- the same model comes back ---------------------------------------------------------------------------------------- */

Test(model_file, what_is_saved_comes_back_to_the_bit)
{
    static const char *const models[] = {MODEL("f32", 5, 0, MIXED), MODEL("f64", 5, 0, MIXED)};
    weir_runtime *const rt = open_weir(1);
    for (int i = 0; i < 2; i++) {
        weir_model *const m = saved(rt, models[i], in_root("a"));
        weir_model *const back = must_load(rt, in_root("a"));
        char *metadata = NULL;
        cr_assert_eq(density_bits(m), density_bits(back));
        MUST(weir_model_metadata(back, &metadata, &error));
        cr_assert_str_eq(metadata, "{\"list\":[1,2.5,null],\"name\":\"f\xc3\xa4hre\"}");
        MUST(weir_model_save(m, in_root("b"), &error));
        expect_same_bytes(in_root("a"), in_root("b"));
        MUST(weir_model_save(back, in_root("b"), &error));
        expect_same_bytes(in_root("a"), in_root("b"));
        weir_free(metadata);
        weir_model_close(m);
        weir_model_close(back);
    }
    weir_close(rt);
}

Test(model_file, initialised_layers_stay_initialised)
{
    weir_runtime *const rt = open_weir(1);
    weir_model_close(saved(rt, SMALL, in_root("a")));
    weir_model *const m = must_load(rt, in_root("a"));
    const weir_matrix other = some_data(100, 4, 55);
    const uint64_t before = density_bits(m);
    MUST(weir_model_initialize(m, &other, NULL, 0, &error));
    cr_assert_eq(density_bits(m), before);
    MUST(weir_model_initialize(m, &other, NULL, 1, &error));
    cr_assert_neq(density_bits(m), before);
    weir_model_close(m);
    weir_close(rt);
}

/* ---- what is not a model ------------------------------------------------------------------------------------------------ */

Test(model_file, every_truncation_is_refused)
{
    weir_runtime *const rt = open_weir(1);
    unsigned char *bytes;
    weir_model_close(saved(rt, SMALL, in_root("a")));
    const size_t size = read_all(in_root("a"), &bytes);
    for (size_t n = 0; n < size; n += n < 32 || n > size - 32 ? 1 : size / 150) {
        write_all(in_root("cut"), bytes, n);
        expect_refused(rt, in_root("cut"), "");
    }
    expect_refused(rt, in_root("missing"), "No such file");
    free(bytes);
    weir_close(rt);
}

/* A few bytes do not matter to the model: the word "weir" of the format, the names of the metadata's own keys. */
Test(model_file, every_flipped_bit_is_refused_or_harmless)
{
    weir_runtime *const rt = open_weir(1);
    unsigned char *bytes;
    weir_model *const m = saved(rt, SMALL, in_root("a"));
    const uint64_t wanted = density_bits(m);
    const size_t size = read_all(in_root("a"), &bytes);
    int64_t refused = 0, taken = 0;
    for (size_t n = 0; n < size; n += 7) {
        weir_model *made = NULL;
        bytes[n] ^= (unsigned char)(1u << n % 8);
        write_all(in_root("bad"), bytes, size);
        bytes[n] ^= (unsigned char)(1u << n % 8);
        if (weir_model_load(rt, in_root("bad"), &made, &error)) {
            refused++;
            continue;
        }
        taken++;
        cr_assert_eq(density_bits(made), wanted, "byte %zu changed the model unnoticed", n);
        weir_model_close(made);
    }
    cr_assert(refused > 20 * taken, "%ld refused, %ld taken", (long)refused, (long)taken);
    free(bytes);
    weir_model_close(m);
    weir_close(rt);
}

/* ---- files that others wrote: whole, but wrong ---------------------------------------------------------------------------- */

typedef struct forgery {
    json_t *metadata;
    weir__st_tensor *list;
    int64_t count;
} forgery;

/* Writes file "a" again as "forged", after a change, with a checksum that is right. */
static void forge(void (*change)(forgery *))
{
    static const char *const keys[] = {"format", "weir_model", "weir_modules", "weir_metadata"};
    weir__st_file *file = NULL;
    MUST(weir__st_read(in_root("a"), &file, &error));
    forgery f = {.metadata = json_object(), .count = weir__st_count(file)};
    f.list = malloc((size_t)f.count * sizeof *f.list);
    for (int64_t i = 0; i < f.count; i++) f.list[i] = *weir__st_at(file, i);
    for (int i = 0; i < 4; i++)
        json_object_set_new(f.metadata, keys[i], json_string(weir__st_metadata(file, keys[i])));
    change(&f);
    const char *texts[4] = {"", "", "", ""};
    for (int i = 0; i < 4; i++)
        if (json_object_get(f.metadata, keys[i]))
            texts[i] = json_string_value(json_object_get(f.metadata, keys[i]));
    char crc[16];
    snprintf(crc, sizeof crc, "%08x", weir__checksum(texts[1], texts[2], texts[3], f.list, f.count));
    json_object_set_new(f.metadata, "weir_crc32", json_string(crc));
    MUST(weir__st_write(in_root("forged"), f.metadata, f.list, f.count, &error));
    json_decref(f.metadata);
    free(f.list);
    weir__st_free(file);
}

static weir__st_tensor *tensor_of(forgery *f, const char *name)
{
    for (int64_t i = 0; i < f->count; i++)
        if (strcmp(f->list[i].name, name) == 0) return &f->list[i];
    cr_assert_fail("no tensor %s", name);
    return NULL;
}

#define WEIGHT "flow.2.network.output.weight"

static void change_nothing(forgery *f)
{
    (void)f;
}

static void no_description(forgery *f)
{
    json_object_del(f->metadata, "weir_model");
}

static void not_json(forgery *f)
{
    json_object_set_new(f->metadata, "weir_model", json_string("{\"features\":"));
}

static void unknown_option(forgery *f)
{
    json_object_set_new(f->metadata, "weir_model",
                        json_string("{\"features\":4,\"base\":{\"type\":\"normal\",\"options\":{\"x\":1}}}"));
}

/* 17 GB of weights, which a file of some kilobytes does not hold. */
static void vast(forgery *f)
{
    json_object_set_new(
        f->metadata, "weir_model",
        json_string(
            "{\"features\":4,\"base\":{\"type\":\"normal\"},\"flow\":{\"type\":\"coupling\",\"children\":"
            "{\"network\":{\"type\":\"mlp\",\"options\":{\"hidden\":[65536,65536]}}}}}"));
}

static void renamed(forgery *f)
{
    tensor_of(f, WEIGHT)->name = "flow.2.network.output.waight";
}

static void turned(forgery *f)
{
    weir__st_tensor *const t = tensor_of(f, WEIGHT);
    const int64_t rows = t->dims[0];
    t->dims[0] = t->dims[1];
    t->dims[1] = rows;
}

static void narrowed(forgery *f)
{
    weir__st_tensor *const t = tensor_of(f, WEIGHT);
    t->dtype = WEIR_DTYPE_F32;
    t->dims[1] *= 2;
    t->count *= 2;
}

Test(model_file, wrong_contents_are_refused_by_name)
{
    static const struct {
        void (*change)(forgery *);
        const char *message;
    } list[] = {
        {no_description, ": not a Weir model: it has no model description"},
        {not_json, ": its model description is not JSON"},
        {unknown_option, ": base (normal): unknown option \"x\""},
        {vast, ": tensor flow.network.hidden.1.weight is missing"},
        {renamed, ": tensor " WEIGHT " is missing"},
        {turned, ": tensor " WEIGHT " has another shape or type than the model"},
        {narrowed, ": tensor " WEIGHT " has another shape or type than the model"},
    };
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = saved(rt, SMALL, in_root("a"));
    forge(change_nothing);
    weir_model *const same = must_load(rt, in_root("forged"));
    cr_assert_eq(density_bits(m), density_bits(same), "the forger itself changes something");
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        forge(list[i].change);
        expect_refused(rt, in_root("forged"), list[i].message);
    }
    weir_model_close(m);
    weir_model_close(same);
    weir_close(rt);
}

/* The plugin is there when the model is saved, and not when it is loaded. */
Test(model_file, a_missing_plugin_is_named_with_its_version_and_where_it_was_sought)
{
    weir_runtime *with = NULL;
    put_fixture("honest", "plugins/honest.so");
    const weir_settings settings = {
        .struct_size = (uint32_t)sizeof settings, .threads = 1, .plugin_path = box.plugins};
    MUST(weir_open(&settings, &with, &error));
    weir_model_close(saved(with, MODEL("f64", 3, 0, "{\"type\":\"" HONEST "\"}"), in_root("a")));
    weir_model_close(must_load(with, in_root("a")));
    weir_runtime *const without = open_weir(1);
    expect_refused(without, in_root("a"), ": needs module \"" HONEST "\" of plugin honest 1.0.0: ");
    cr_assert(strstr(error.message, "(searched /"), "%s", error.message);
    cr_assert_not(strstr(error.message, box.plugins), "%s", error.message);
    weir_close(with);
    weir_close(without);
}

/* ---- the versions that a file was written with ------------------------------------------------------------------------------- */

static const char *affine_as;

/* The record of module affine, which is version 1.0.0 of plugin affine 0.1.0. */
static void other_versions(forgery *f)
{
    char list[400];
    snprintf(list, sizeof list, "[{\"id\":\"affine\",%s}]", affine_as);
    json_object_set_new(f->metadata, "weir_modules", json_string(list));
}

static weir_status load_as(weir_runtime *rt, const char *record, weir_model **m)
{
    *m = NULL;
    affine_as = record;
    box.log[0] = '\0';
    forge(other_versions);
    return weir_model_load(rt, in_root("forged"), m, &error);
}

static void expect_taken(weir_runtime *rt, const char *record, const char *warning)
{
    weir_model *m;
    cr_assert_eq(load_as(rt, record, &m), WEIR_OK, "%s: %s", record, error.message);
    weir_model_close(m);
    if (!*warning)
        cr_assert_str_eq(box.log, "", "%s: %s", record, box.log);
    else
        cr_assert(strstr(box.log, in_root("forged: written with module \"affine\"")) &&
                      strstr(box.log, warning) && strchr(box.log, '\n')[1] == '\0',
                  "%s: not one line that says \"%s\": %s", record, warning, box.log);
}

static weir_runtime *open_logged(void)
{
    weir_runtime *rt = NULL;
    const weir_settings settings = {
        .struct_size = (uint32_t)sizeof settings, .threads = 1, .log = sandbox_log};
    MUST(weir_open(&settings, &rt, &error));
    return rt;
}

Test(model_file, other_versions_of_a_plugin)
{
    weir_model *m;
    weir_runtime *const rt = open_logged();
    weir_model_close(saved(rt, SMALL, in_root("a")));
    expect_taken(rt, "\"version\":\"1.0.0\",\"plugin\":\"affine\",\"plugin_version\":\"0.1.0\"", "");
    expect_taken(rt, "\"version\":\"1.0.0\",\"plugin\":\"affine\",\"plugin_version\":\"0.0.7\"", "");
    expect_taken(rt, "\"version\":\"1.0.1\",\"plugin\":\"affine\",\"plugin_version\":\"0.1.0\"",
                 "update the plugin");
    expect_taken(rt, "\"version\":\"1.2.0\",\"plugin\":\"affine\",\"plugin_version\":\"0.1.0\"",
                 "update the plugin");
    expect_taken(rt, "\"version\":\"1.0.0\",\"plugin\":\"affine\",\"plugin_version\":\"0.10.0\"",
                 "update the plugin");
    expect_taken(rt, "\"version\":\"1.0.0\",\"plugin\":\"fine\",\"plugin_version\":\"0.1.0\"",
                 "of plugin fine 0.1.0, found");
    expect_taken(rt, "\"version\":\"one\",\"plugin\":7", "");
    cr_assert_eq(load_as(rt, "\"version\":\"2.0.0\",\"plugin\":\"affine\",\"plugin_version\":\"0.1.0\"", &m),
                 WEIR_INVALID);
    cr_assert(strstr(error.message, "module \"affine\" 2.0.0") && strstr(error.message, "found is 1.0.0") &&
                  strstr(error.message, "affine.so"),
              "%s", error.message);
    cr_assert_eq(load_as(rt, "\"version\":\"0.9.0\",\"plugin\":\"affine\",\"plugin_version\":\"0.1.0\"", &m),
                 WEIR_INVALID);
    weir_close(rt);
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

static int64_t entries(void)
{
    int64_t count = 0;
    DIR *const d = opendir(box.root);
    while (readdir(d)) count++;
    closedir(d);
    return count;
}

/* A limit on the size of files stands in for a full disk: write fails in the middle. */
Test(model_file, a_full_disk_leaves_the_old_file)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = saved(rt, SMALL, in_root("a"));
    MUST(weir_model_save(m, in_root("copy"), &error));
    weir_model *const large = must_build(rt, MODEL("f64", 60, 0, "{\"type\":\"lu_linear\"}"));
    const int64_t before = entries();
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){9000, limit.rlim_max});
    const weir_status status = weir_model_save(large, in_root("a"), &error);
    setrlimit(RLIMIT_FSIZE, &limit);
    cr_assert_neq(status, WEIR_OK);
    cr_assert(strstr(error.message, in_root("a")) && strstr(error.message, "File too large"), "%s",
              error.message);
    cr_assert_eq(entries(), before, "a temporary file was left");
    expect_same_bytes(in_root("a"), in_root("copy"));
    cr_assert_neq(weir_model_save(m, in_root("no/such/folder"), &error), WEIR_OK);
    cr_assert(strstr(error.message, "no/such/folder"), "%s", error.message);
    weir_model_close(m);
    weir_model_close(large);
    weir_close(rt);
}
