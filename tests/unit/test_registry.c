/* test_registry.c - plugins are found, listed without loading, and loaded by id.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sandbox.h"
#include "valgrind.h"

#include <dlfcn.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

extern char **environ;

TestSuite(registry, .init = sandbox_open, .fini = sandbox_close);

Test(registry, finds_and_loads_a_module_by_id)
{
    put_fixture("good", "plugins/good.so");
    weir__registry *const r = open_registry(box.plugins);
    const weir__entry *const e = must_find(r, "fixture.good");
    cr_assert_str_eq(e->id, "fixture.good");
    cr_assert_str_eq(e->plugin, "good");
    cr_assert_str_eq(e->plugin_version, "1.2.3");
    cr_assert_str_eq(e->file, in_root("plugins/good.so"));
    cr_assert_eq(e->kind, WEIR_UNIVARIATE);
    cr_assert_null(e->f32);
    cr_assert_eq(weir__entry_module(e, WEIR_F32), e->f64);
    cr_assert_eq(weir__entry_module(e, WEIR_F64)->precision, WEIR_F64);
    cr_assert_str_eq(box.log, "");
    weir__registry_close(r);
}

Test(registry, the_built_in_plugins_lie_beside_the_library)
{
    weir__registry *const r = open_registry(NULL);
    const weir__entry *const e = must_find(r, "affine");
    cr_assert_str_eq(e->file, WEIR_TEST_BUILD "/plugins/affine.so");
    cr_assert(e->f32 && e->f64 && e->f32 != e->f64);
    weir__registry_close(r);
}

Test(registry, an_unknown_id_names_the_nearest_and_the_folders)
{
    const weir__entry *entry;
    weir_error error;
    put_fixture("good", "plugins/good.so");
    weir__registry *const r = open_registry(box.plugins);
    cr_assert_eq(weir__registry_find(r, "fixture.godo", &entry, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "\"fixture.godo\"") &&
                  strstr(error.message, "did you mean \"fixture.good\""),
              "%s", error.message);
    cr_assert(strstr(error.message, box.plugins), "%s", error.message);
    cr_assert_eq(weir__registry_find(r, "quite_another_thing", &entry, &error), WEIR_INVALID);
    cr_assert_null(strstr(error.message, "did you mean"), "%s", error.message);
    weir__registry_close(r);
}

Test(registry, ids_are_sorted_and_complete)
{
    put_fixture("good", "plugins/b.so");
    put_fixture("noisy", "plugins/a.so");
    weir__registry *const r = open_registry(box.plugins);
    cr_assert(knows(r, "fixture.good") && knows(r, "fixture.noisy"));
    for (int64_t i = 1; i < weir__registry_count(r); i++)
        cr_assert_lt(strcmp(weir__registry_id(r, i - 1), weir__registry_id(r, i)), 0);
    cr_assert_null(weir__registry_id(r, weir__registry_count(r)));
    cr_assert_null(weir__registry_id(r, -1));
    weir__registry_close(r);
}

Test(registry, of_equal_ids_the_first_on_the_path_wins_and_a_warning_names_both)
{
    char path[900];
    cr_assert(mkdir(in_root("second"), 0755) == 0);
    put_fixture("twin", "plugins/twin.so");
    put_fixture("good", "second/good.so");
    snprintf(path, sizeof path, "%s:%s", box.plugins, in_root("second"));
    weir__registry *const r = open_registry(path);
    cr_assert_str_eq(must_find(r, "fixture.good")->plugin, "twin");
    cr_assert(logged(in_root("plugins/twin.so"), in_root("second/good.so")), "%s", box.log);
    weir__registry_close(r);
}

Test(registry, one_file_under_two_names_is_one_plugin)
{
    put_fixture("good", "plugins/good.so");
    cr_assert(link(in_root("plugins/good.so"), in_root("plugins/hard.so")) == 0);
    cr_assert(symlink("good.so", in_root("plugins/soft.so")) == 0);
    count_probes();
    weir__registry *const r = open_registry(box.plugins);
    must_find(r, "fixture.good");
    cr_assert_eq(probes(), 1);
    cr_assert_str_eq(box.log, "");
    weir__registry_close(r);
}

Test(registry, plugin_path_comes_from_the_environment_too)
{
    put_fixture("good", "plugins/good.so");
    setenv("WEIR_PLUGIN_PATH", box.plugins, 1);
    weir__registry *const r = open_registry(NULL);
    must_find(r, "fixture.good");
    weir__registry_close(r);
}

Test(registry, an_empty_part_of_the_path_is_not_the_working_directory)
{
    put_fixture("good", "plugins/good.so");
    cr_assert(chdir(box.plugins) == 0);
    weir__registry *const r = open_registry("::");
    cr_assert_not(knows(r, "fixture.good"));
    weir__registry_close(r);
}

Test(registry, a_missing_folder_is_reported)
{
    weir__registry *const r = open_registry(in_root("nowhere"));
    cr_assert(logged(in_root("nowhere"), "No such file"), "%s", box.log);
    weir__registry_close(r);
}

/* ---- who may write ------------------------------------------------------------------------------- */

Test(registry, a_world_writable_folder_is_refused)
{
    put_fixture("good", "plugins/good.so");
    cr_assert(chmod(box.plugins, 0757) == 0);
    weir__registry *r = open_registry(box.plugins);
    cr_assert_not(knows(r, "fixture.good"));
    cr_assert(logged(box.plugins, "everybody may write"), "%s", box.log);
    weir__registry_close(r);
    cr_assert(chmod(box.plugins, 0755) == 0);
    r = open_registry(box.plugins);
    cr_assert(knows(r, "fixture.good"));
    weir__registry_close(r);
}

Test(registry, a_world_writable_file_is_skipped)
{
    put_fixture("good", "plugins/good.so");
    cr_assert(chmod(in_root("plugins/good.so"), 0666) == 0);
    weir__registry *const r = open_registry(box.plugins);
    cr_assert_not(knows(r, "fixture.good"));
    cr_assert(logged(in_root("plugins/good.so"), "everybody may write"), "%s", box.log);
    weir__registry_close(r);
}

/* ---- manifest and cache -------------------------------------------------------------------------- */

static int make_manifest(const char *folder)
{
    char *const arguments[] = {"weir-probe", "--manifest", (char *)(uintptr_t)folder, NULL};
    pid_t pid;
    int status = -1;
    cr_assert(posix_spawn(&pid, WEIR_TEST_BUILD "/bin/weir-probe", NULL, NULL, arguments, environ) == 0);
    cr_assert(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void age(const char *path, time_t by)
{
    struct stat st;
    cr_assert(stat(path, &st) == 0);
    struct timespec times[2] = {st.st_atim, st.st_mtim};
    times[1].tv_sec -= by;
    cr_assert(utimensat(AT_FDCWD, path, times, 0) == 0);
}

Test(registry, a_manifest_lists_without_loading_or_probing)
{
    put_fixture("good", "plugins/good.so");
    cr_assert_eq(make_manifest(box.plugins), 0);
    count_probes();
    weir__registry *const r = open_registry(box.plugins);
    cr_assert(knows(r, "fixture.good"));
    cr_assert_eq(probes(), 0);
    cr_assert_not(is_mapped(in_root("plugins/good.so")));
    must_find(r, "fixture.good");
    cr_assert(is_mapped(in_root("plugins/good.so")));
    cr_assert_eq(probes(), 0);
    weir__registry_close(r);
}

Test(registry, a_file_that_the_manifest_does_not_vouch_for_is_probed)
{
    put_fixture("good", "plugins/good.so");
    cr_assert_eq(make_manifest(box.plugins), 0);
    put_fixture("noisy", "plugins/noisy.so");
    age(in_root("plugins/good.so"), 100);
    count_probes();
    weir__registry *const r = open_registry(box.plugins);
    cr_assert_eq(probes(), 2);
    cr_assert(knows(r, "fixture.good") && knows(r, "fixture.noisy"), "%s", box.log);
    cr_assert_not(is_mapped(box.plugins));
    weir__registry_close(r);
}

Test(registry, a_manifest_keeps_its_worth_when_an_archive_drops_the_nanoseconds)
{
    struct stat st;
    put_fixture("good", "plugins/good.so");
    cr_assert_eq(make_manifest(box.plugins), 0);
    cr_assert(stat(in_root("plugins/good.so"), &st) == 0);
    const struct timespec times[2] = {st.st_atim, {.tv_sec = st.st_mtim.tv_sec, .tv_nsec = 0}};
    cr_assert(utimensat(AT_FDCWD, in_root("plugins/good.so"), times, 0) == 0);
    count_probes();
    weir__registry_close(open_registry(box.plugins));
    cr_assert_eq(probes(), 0);
}

Test(registry, a_manifest_leaves_broken_plugins_out_and_says_so)
{
    put_fixture("good", "plugins/good.so");
    put_fixture("crashes", "plugins/crashes.so");
    cr_assert_eq(make_manifest(box.plugins), 1);
    unsigned char *text;
    read_all(in_root("plugins/manifest.json"), &text);
    cr_assert(strstr((char *)text, "good.so") && !strstr((char *)text, "crashes"), "%s", (char *)text);
    free(text);
}

Test(registry, a_manifest_that_lies_is_found_out)
{
    const weir__entry *entry;
    weir_error error;
    unsigned char *text;
    put_fixture("good", "plugins/good.so");
    cr_assert_eq(make_manifest(box.plugins), 0);
    const size_t size = read_all(in_root("plugins/manifest.json"), &text);
    char *const id = strstr((char *)text, "fixture.good");
    cr_assert(id);
    memcpy(id, "fixture.gold", 12);
    write_all(in_root("plugins/manifest.json"), text, size);
    free(text);
    weir__registry *const r = open_registry(box.plugins);
    cr_assert_eq(weir__registry_find(r, "fixture.gold", &entry, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "manifest"), "%s", error.message);
    weir__registry_close(r);
}

Test(registry, the_cache_remembers_probes_of_unchanged_files)
{
    put_fixture("good", "plugins/good.so");
    count_probes();
    weir__registry_close(open_registry(box.plugins));
    cr_assert_eq(probes(), 1);
    weir__registry *const r = open_registry(box.plugins);
    cr_assert(knows(r, "fixture.good"));
    cr_assert_eq(probes(), 1);
    weir__registry_close(r);
    age(in_root("plugins/good.so"), 100);
    weir__registry_close(open_registry(box.plugins));
    cr_assert_eq(probes(), 2);
}

Test(registry, a_damaged_cache_is_no_error)
{
    put_fixture("good", "plugins/good.so");
    weir__registry_close(open_registry(box.plugins));
    write_all(in_root("weir/probe.json"), "{\"format\": 1, \"abi\"", 20);
    count_probes();
    weir__registry *const r = open_registry(box.plugins);
    cr_assert(knows(r, "fixture.good"));
    cr_assert_eq(probes(), 1);
    cr_assert_str_eq(box.log, "");
    weir__registry_close(r);
}

Test(registry, without_a_place_for_the_cache_plugins_still_work)
{
    put_fixture("good", "plugins/good.so");
    write_all(in_root("file"), "", 0);
    setenv("XDG_CACHE_HOME", in_root("file"), 1);
    weir__registry *const r = open_registry(box.plugins);
    cr_assert(knows(r, "fixture.good"));
    cr_assert_str_eq(box.log, "");
    weir__registry_close(r);
}

Test(registry, without_the_helper_plugins_work_and_a_warning_says_so)
{
    put_fixture("good", "plugins/good.so");
    setenv("WEIR_PROBE", in_root("nothing"), 1);
    weir__registry *const r = open_registry(box.plugins);
    must_find(r, "fixture.good");
    cr_assert(logged("weir-probe", "without being tried"), "%s", box.log);
    weir__registry_close(r);
}

/* ---- loading ------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
/* The next test proves nothing unless the fixture does what it is there for. */
Test(registry, the_fast_math_fixture_changes_the_control_register_by_itself)
{
    SKIP_UNDER_VALGRIND("keeps no flush-to-zero");
    const unsigned before = _mm_getcsr();
    cr_assert(dlopen(WEIR_TEST_FIXTURES "/fast_math.so", RTLD_NOW | RTLD_LOCAL), "%s", dlerror());
    const unsigned after = _mm_getcsr();
    _mm_setcsr(before);
    cr_assert_neq(before & 0xffc0u, after & 0xffc0u);
}

Test(registry, a_fast_math_plugin_leaves_the_control_register_alone)
{
    SKIP_UNDER_VALGRIND("keeps no flush-to-zero");
    put_fixture("fast_math", "plugins/fast_math.so");
    weir__registry *const r = open_registry(box.plugins);
    const unsigned before = _mm_getcsr();
    must_find(r, "fixture.fast_math");
    cr_assert_eq(before & 0xffc0u, _mm_getcsr() & 0xffc0u);
    cr_assert(logged("plugin fast_math changed", "flush-to-zero"), "%s", box.log);
    weir__registry_close(r);
}
#endif

Test(registry, a_file_off_the_path_is_loaded_by_name)
{
    const weir__entry *const *entries = NULL;
    int64_t count = 0;
    weir_error error;
    put_fixture("good", "elsewhere.so");
    weir__registry *const r = open_registry(box.plugins);
    cr_assert_not(knows(r, "fixture.good"));
    const weir_status status = weir__registry_load_file(r, in_root("elsewhere.so"), &entries, &count, &error);
    cr_assert(status == WEIR_OK, "%s", error.message);
    cr_assert_eq(count, 1);
    cr_assert_str_eq(entries[0]->id, "fixture.good");
    cr_assert_eq(must_find(r, "fixture.good"), entries[0]);
    cr_assert_eq(weir__registry_load_file(r, in_root("missing.so"), &entries, &count, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "missing.so: No such file"), "%s", error.message);
    cr_assert_eq(weir__registry_load_file(r, box.plugins, &entries, &count, &error), WEIR_INVALID);
    weir__registry_close(r);
}

/* Mapping a file that has become shorter would end the process with SIGBUS. */
Test(registry, a_file_that_was_cut_after_it_was_listed_is_refused)
{
    const weir__entry *entry;
    weir_error error;
    unsigned char *bytes;
    put_fixture("good", "plugins/good.so");
    weir__registry *const r = open_registry(box.plugins);
    fixture_bytes("good", &bytes);
    write_all(in_root("plugins/good.so"), bytes, half_of_image(bytes));
    cr_assert_eq(weir__registry_find(r, "fixture.good", &entry, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "truncated"), "%s", error.message);
    put_fixture("good", "plugins/good.so");
    must_find(r, "fixture.good");
    free(bytes);
    weir__registry_close(r);
}

static void *find_in_thread(void *registry)
{
    const weir__entry *entry = NULL;
    weir__registry_find(registry, "fixture.good", &entry, NULL);
    return (void *)(uintptr_t)entry;
}

Test(registry, many_threads_get_one_entry)
{
    pthread_t threads[8];
    put_fixture("good", "plugins/good.so");
    weir__registry *const r = open_registry(box.plugins);
    for (int i = 0; i < 8; i++) cr_assert(pthread_create(&threads[i], NULL, find_in_thread, r) == 0);
    for (int i = 0; i < 8; i++) {
        void *entry;
        pthread_join(threads[i], &entry);
        cr_assert_eq(entry, must_find(r, "fixture.good"));
    }
    weir__registry_close(r);
}
