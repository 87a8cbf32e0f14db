/* test_lock.c - under a lock file nothing runs that it does not name, and what is there can be listed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sandbox.h"

#include "plugin/lock.h"

#include <weir.h>

TestSuite(lock, .init = sandbox_open, .fini = sandbox_close);

static weir_error error;

static weir_runtime *open_with(const char *lock)
{
    weir_runtime *rt = NULL;
    const weir_settings settings = {.struct_size = (uint32_t)sizeof settings,
                                    .threads = 1,
                                    .plugin_path = box.plugins,
                                    .log = sandbox_log,
                                    .lock = lock};
    cr_assert_eq(weir_open(&settings, &rt, &error), WEIR_OK, "%s", error.message);
    return rt;
}

static weir_status find_module(weir_runtime *rt, const char *id)
{
    char *json = NULL;
    const weir_status status = weir_modules(rt, id, &json, &error);
    if (!status) weir_free(json);
    return status;
}

static void expect_refused(weir_runtime *rt, const char *id, const char *file, const char *why)
{
    cr_assert_eq(find_module(rt, id), WEIR_INVALID, "%s is not refused", id);
    cr_assert(strstr(error.message, file) && strstr(error.message, why),
              "\"%s\" does not say \"%s\" and \"%s\"", error.message, file, why);
    cr_assert_not(strpbrk(error.message, "\n\r"), "not one line");
}

/* A lock of everything that is in the folder now. */
static const char *lock_all(void)
{
    static char path[400];
    snprintf(path, sizeof path, "%s", in_root("all.lock"));
    weir_runtime *const rt = open_with(NULL);
    cr_assert_eq(weir_plugins_lock(rt, NULL, path, &error), WEIR_OK, "%s", error.message);
    weir_close(rt);
    return path;
}

/* One more byte behind everything that a loader maps: another file, the same plugin. */
static void touch_up(const char *name)
{
    const int fd = open(in_root(name), O_WRONLY | O_APPEND);
    cr_assert(fd >= 0 && write(fd, "", 1) == 1);
    close(fd);
}

Test(lock, what_it_names_may_be_used)
{
    put_fixture("good", "plugins/good.so");
    weir_runtime *const rt = open_with(lock_all());
    cr_assert_eq(find_module(rt, "fixture.good"), WEIR_OK, "%s", error.message);
    cr_assert_eq(find_module(rt, "affine"), WEIR_OK, "%s", error.message);
    weir_close(rt);
}

Test(lock, it_holds_wherever_the_file_lies_and_whatever_it_is_called)
{
    put_fixture("good", "plugins/good.so");
    const char *const lock = lock_all();
    cr_assert(rename(in_root("plugins/good.so"), in_root("plugins/other_name.so")) == 0);
    weir_runtime *const rt = open_with(lock);
    cr_assert_eq(find_module(rt, "fixture.good"), WEIR_OK, "%s", error.message);
    weir_close(rt);
}

Test(lock, a_changed_file_is_refused_by_name)
{
    put_fixture("good", "plugins/good.so");
    const char *const lock = lock_all();
    touch_up("plugins/good.so");
    weir_runtime *const rt = open_with(lock);
    expect_refused(rt, "fixture.good", lock, "names good.so of plugin good 1.2.3 with sha256 ");
    weir_close(rt);
}

/* Of the same size, so that the size does not give it away. */
Test(lock, one_flipped_bit_is_enough)
{
    unsigned char *bytes;
    put_fixture("good", "plugins/good.so");
    const char *const lock = lock_all();
    const size_t size = fixture_bytes("good", &bytes);
    bytes[size / 2] ^= 1;
    write_all(in_root("plugins/good.so"), bytes, size);
    free(bytes);
    weir_runtime *const rt = open_with(lock);
    cr_assert_eq(find_module(rt, "fixture.good"), WEIR_INVALID);
    weir_close(rt);
}

/* Its constructor would end even the process that tries it. */
Test(lock, what_it_does_not_name_is_not_even_probed)
{
    put_fixture("good", "plugins/good.so");
    const char *const lock = lock_all();
    put_fixture("noisy", "plugins/noisy.so");
    put_fixture("crashes", "plugins/crashes.so");
    box.log[0] = '\0';
    count_probes();
    weir_runtime *const rt = open_with(lock);
    cr_assert_eq(probes(), 0);
    cr_assert_str_eq(box.log, "");
    cr_assert_not(is_mapped("noisy.so"));
    expect_refused(rt, "fixture.noisy", lock, "unknown module");
    weir_close(rt);
}

/* The cache knows what the file held before there was a lock. */
Test(lock, a_known_file_that_it_does_not_name_is_named)
{
    put_fixture("good", "plugins/good.so");
    const char *const lock = lock_all();
    put_fixture("noisy", "plugins/noisy.so");
    weir_close(open_with(NULL));
    weir_runtime *const rt = open_with(lock);
    expect_refused(rt, "fixture.noisy", in_root("plugins/noisy.so: "), "not in the lock");
    weir_close(rt);
}

Test(lock, a_file_replaced_after_it_was_found_is_refused)
{
    put_fixture("good", "plugins/good.so");
    const char *const lock = lock_all();
    weir_runtime *const rt = open_with(lock);
    touch_up("plugins/good.so");
    expect_refused(rt, "fixture.good", in_root("plugins/good.so: "), "not the file that the lock");
    cr_assert_not(is_mapped(in_root("plugins/good.so")));
    weir_close(rt);
}

Test(lock, of_two_files_with_a_module_the_locked_one_wins)
{
    put_fixture("good", "plugins/good.so");
    const char *const lock = lock_all();
    put_fixture("twin", "plugins/a_twin.so");
    weir__registry *r = NULL;
    cr_assert_eq(weir__registry_open(box.plugins, lock, sandbox_log, NULL, &r, &error), WEIR_OK);
    cr_assert_str_eq(must_find(r, "fixture.good")->plugin, "good");
    weir__registry_close(r);
}

Test(lock, a_file_off_the_path_needs_it_too)
{
    const weir__entry *const *entries = NULL;
    int64_t count = 0;
    const char *const lock = lock_all();
    put_fixture("good", "elsewhere.so");
    weir__registry *r = NULL;
    cr_assert_eq(weir__registry_open(box.plugins, lock, sandbox_log, NULL, &r, &error), WEIR_OK);
    cr_assert_eq(weir__registry_load_file(r, in_root("elsewhere.so"), &entries, &count, &error),
                 WEIR_INVALID);
    cr_assert(strstr(error.message, "elsewhere.so: not in the lock"), "%s", error.message);
    weir__registry_close(r);
}

Test(lock, the_environment_asks_for_it_too)
{
    const char *const lock = lock_all();
    put_fixture("good", "plugins/good.so");
    setenv("WEIR_LOCK", lock, 1);
    weir_runtime *const rt = open_with(NULL);
    cr_assert_eq(find_module(rt, "fixture.good"), WEIR_INVALID);
    cr_assert_eq(find_module(rt, "affine"), WEIR_OK, "%s", error.message);
    weir_close(rt);
    unsetenv("WEIR_LOCK");
}

Test(lock, of_a_model_it_names_what_the_model_uses)
{
    weir_model *m = NULL;
    unsigned char *text;
    put_fixture("good", "plugins/good.so");
    weir_runtime *const rt = open_with(NULL);
    cr_assert_eq(weir_model_build(rt,
                                  "{\"dtype\":\"f64\",\"features\":2,\"base\":{\"type\":\"normal\"},\"flow\":"
                                  "{\"type\":\"elementwise\",\"children\":{\"univariate\":{\"type\":"
                                  "\"fixture.good\"}}}}",
                                  -1, &m, &error),
                 WEIR_OK, "%s", error.message);
    cr_assert_eq(weir_plugins_lock(rt, m, in_root("m.lock"), &error), WEIR_OK, "%s", error.message);
    weir_model_close(m);
    weir_close(rt);
    read_all(in_root("m.lock"), &text);
    cr_assert(strstr((char *)text, "\"good.so\"") && strstr((char *)text, "\"elementwise.so\"") &&
                  strstr((char *)text, "\"normal.so\""),
              "%s", (char *)text);
    cr_assert_not(strstr((char *)text, "affine") || strstr((char *)text, box.root), "%s", (char *)text);
    free(text);
}

/* ---- lock files that are none: whoever asks for a lock is never left without --------------------- */

static void expect_no_lock(const char *text, const char *why)
{
    weir__lock *lock = NULL;
    write_all(in_root("bad.lock"), text, strlen(text));
    cr_assert_eq(weir__lock_open(in_root("bad.lock"), &lock, &error), WEIR_INVALID, "accepted: %s", text);
    cr_assert(strstr(error.message, "bad.lock: ") && strstr(error.message, why), "%s", error.message);
}

#define DIGEST "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""
#define ENTRY(size, sha, plugin, file, modules)                                                              \
    "{\"format\":1,\"plugins\":[{\"size\":" size ",\"sha256\":" sha ",\"plugin\":" plugin                    \
    ",\"version\":\"1.0.0\",\"file\":" file ",\"modules\":" modules "}],\"files\":[]}"

Test(lock, damaged_files_are_refused)
{
    weir__lock *lock = NULL;
    const char *const right = ENTRY("3", DIGEST, "\"p\"", "\"p.so\"", "[\"a.b\"]");
    expect_no_lock("", "line 1");
    expect_no_lock("{\"format\":1", "line 1");
    expect_no_lock("[]", "not a lock file");
    expect_no_lock("{\"format\":2,\"plugins\":[],\"files\":[]}", "not a lock file");
    expect_no_lock("{\"format\":1,\"plugins\":[]}", "not a lock file");
    expect_no_lock("{\"format\":1,\"plugins\":[],\"files\":[{\"file\":\"a\",\"size\":1}]}", "entry 1");
    expect_no_lock("{\"format\":1,\"plugins\":{},\"files\":[]}", "not a lock file");
    expect_no_lock("{\"format\":1,\"plugins\":[7],\"files\":[]}", "entry 1");
    expect_no_lock(ENTRY("\"3\"", DIGEST, "\"p\"", "\"p.so\"", "[\"a.b\"]"), "entry 1");
    expect_no_lock(ENTRY("3", "\"ba7816\"", "\"p\"", "\"p.so\"", "[\"a.b\"]"), "entry 1");
    expect_no_lock(ENTRY("3", DIGEST, "\"P\"", "\"p.so\"", "[\"a.b\"]"), "entry 1");
    expect_no_lock(ENTRY("3", DIGEST, "\"p\"", "\"p\\n.so\"", "[\"a.b\"]"), "entry 1");
    expect_no_lock(ENTRY("3", DIGEST, "\"p\"", "\"p.so\"", "[\"a b\"]"), "entry 1");
    write_all(in_root("right.lock"), right, strlen(right));
    cr_assert_eq(weir__lock_open(in_root("right.lock"), &lock, &error), WEIR_OK, "%s", error.message);
    weir__lock_close(lock);
}

Test(lock, without_the_lock_file_nothing_opens)
{
    weir_runtime *rt = NULL;
    weir_settings settings = {.struct_size = (uint32_t)sizeof settings, .lock = in_root("none.lock")};
    cr_assert_eq(weir_open(&settings, &rt, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "none.lock") && !rt, "%s", error.message);
    settings.lock = lock_all();
    cr_assert(chmod(settings.lock, 0666) == 0);
    cr_assert_eq(weir_open(&settings, &rt, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "everybody may write"), "%s", error.message);
}

/* A program built before there was a lock has a shorter struct, and what follows it is not the library's. */
Test(lock, settings_of_an_older_program_are_read_no_further)
{
    weir_runtime *rt = NULL;
    weir_settings settings = {.struct_size = (uint32_t)offsetof(weir_settings, lock), .lock = "nonsense"};
    cr_assert_eq(weir_open(&settings, &rt, &error), WEIR_OK, "%s", error.message);
    weir_close(rt);
    settings.struct_size = 4;
    cr_assert_eq(weir_open(&settings, &rt, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "struct_size"), "%s", error.message);
}

/* ---- what there is ------------------------------------------------------------------------------ */

static json_t *inventory(weir_runtime *rt)
{
    char *text = NULL;
    cr_assert_eq(weir_plugins(rt, &text, &error), WEIR_OK, "%s", error.message);
    json_t *const root = json_loads(text, 0, NULL);
    cr_assert(root);
    weir_free(text);
    return root;
}

static const json_t *file_of(const json_t *root, const char *path)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(root, "plugins"), i, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "file")), path) == 0) return item;
    }
    cr_assert_fail("%s is not listed", path);
    return NULL;
}

static const char *text_of(const json_t *item, const char *key)
{
    const char *const text = json_string_value(json_object_get(item, key));
    return text ? text : "null";
}

Test(lock, the_inventory_says_what_is_where_and_why_not)
{
    put_fixture("good", "plugins/good.so");
    put_fixture("twin", "plugins/twin.so");
    put_fixture("exits", "plugins/exits.so");
    weir_runtime *const rt = open_with(NULL);
    json_t *root = inventory(rt);
    const json_t *const good = file_of(root, in_root("plugins/good.so"));
    const json_t *const twin = file_of(root, in_root("plugins/twin.so"));
    const json_t *const exits = file_of(root, in_root("plugins/exits.so"));
    const json_t *const affine = file_of(root, WEIR_TEST_BUILD "/plugins/affine.so");
    cr_assert_str_eq(text_of(good, "state"), "found");
    cr_assert_str_eq(text_of(good, "checked"), "now");
    cr_assert_str_eq(text_of(good, "version"), "1.2.3");
    cr_assert_str_eq(text_of(affine, "checked"), "manifest");
    cr_assert_str_eq(text_of(exits, "state"), "refused");
    cr_assert_str_eq(text_of(exits, "reason"), "called exit(3) while loading");
    const json_t *const won = json_array_get(json_object_get(good, "modules"), 0);
    const json_t *const lost = json_array_get(json_object_get(twin, "modules"), 0);
    cr_assert(json_is_true(json_object_get(won, "used")) && json_is_false(json_object_get(lost, "used")));
    cr_assert_str_eq(text_of(lost, "used_from"), in_root("plugins/good.so"));
    cr_assert_not(is_mapped(box.plugins), "listing has loaded something");
    json_decref(root);
    cr_assert_eq(find_module(rt, "fixture.good"), WEIR_OK, "%s", error.message);
    root = inventory(rt);
    cr_assert_str_eq(text_of(file_of(root, in_root("plugins/good.so")), "state"), "loaded");
    json_decref(root);
    weir_close(rt);
}

Test(lock, the_inventory_remembers_that_nothing_was_probed)
{
    put_fixture("good", "plugins/good.so");
    setenv("WEIR_PROBE", in_root("nothing"), 1);
    weir_runtime *const rt = open_with(NULL);
    json_t *const root = inventory(rt);
    cr_assert_str_eq(text_of(file_of(root, in_root("plugins/good.so")), "checked"), "never");
    json_decref(root);
    weir_close(rt);
}

/* A file's entry may have keys that mean nothing there. */
Test(lock, a_refusal_says_only_what_the_lock_says)
{
    static const char text[] =
        "{\"format\": 1, \"plugins\": [], \"files\": [{\"file\": \"good.so\", \"size\": 1, \"plugin\": \"x\", "
        "\"sha256\": \"0000000000000000000000000000000000000000000000000000000000000000\"}]}";
    put_fixture("good", "plugins/good.so");
    write_all(in_root("odd.lock"), text, strlen(text));
    weir_runtime *const rt = open_with(in_root("odd.lock"));
    json_t *const root = inventory(rt);
    const char *const reason = text_of(file_of(root, in_root("plugins/good.so")), "reason");
    cr_assert(strstr(reason, "names (sha256 000000000000...)"), "%s", reason);
    json_decref(root);
    weir_close(rt);
}
