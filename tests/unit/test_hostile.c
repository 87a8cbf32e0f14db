/* test_hostile.c - plugins that take each other's names, or damage the process: what the host can keep apart, and name.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sandbox.h"

#include "models.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/wait.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

TestSuite(hostile, .init = sandbox_open, .fini = sandbox_close);

#define ELEMENTWISE(id) "{\"type\":\"elementwise\",\"children\":{\"univariate\":{\"type\":\"" id "\"}}}"

static weir_runtime *open_sandbox(void)
{
    weir_runtime *rt = NULL;
    const weir_settings settings = {.struct_size = (uint32_t)sizeof settings,
                                    .threads = 1,
                                    .plugin_path = box.plugins,
                                    .log = sandbox_log};
    MUST(weir_open(&settings, &rt, &error));
    return rt;
}

/* ---- symbols of the same name ------------------------------------------------------------------- */

/* The next test proves nothing unless the fixtures export what they are there for. */
Test(hostile, the_clashing_fixtures_export_the_same_symbols)
{
    void *const one = dlopen(WEIR_TEST_FIXTURES "/clash_one.so", RTLD_NOW | RTLD_LOCAL);
    void *const two = dlopen(WEIR_TEST_FIXTURES "/clash_two.so", RTLD_NOW | RTLD_LOCAL);
    cr_assert(one && two, "%s", dlerror());
    cr_assert(dlsym(one, "clash_scale") && dlsym(two, "clash_scale") && dlsym(one, "json_dumps"));
    cr_assert_neq(dlsym(one, "clash_scale"), dlsym(two, "clash_scale"));
}

Test(hostile, two_plugins_that_export_the_same_symbols_keep_their_own)
{
    double log_det[3];
    char *json = NULL;
    put_fixture("clash_one", "plugins/clash_one.so");
    put_fixture("clash_two", "plugins/clash_two.so");
    weir_runtime *const rt = open_sandbox();
    weir_model *const m = must_build(
        rt, MODEL("f64", 2, 0, ELEMENTWISE("fixture.clash_one") "," ELEMENTWISE("fixture.clash_two")));
    const weir_matrix x = some_data(3, 2, 1), z = room(3, 2);
    MUST(weir_forward(m, &x, NULL, &z, log_det, &error));
    for (int i = 0; i < 6; i++)
        cr_assert_float_eq(((const double *)z.data)[i], 6 * ((const double *)x.data)[i], 1e-12);
    for (int i = 0; i < 3; i++) cr_assert_float_eq(log_det[i], 2 * log(6), 1e-12);
    MUST(weir_model_describe(m, &json, &error)); /* the host's own json_dumps, not theirs */
    cr_assert(strstr(json, "fixture.clash_two"));
    weir_free(json);
    cr_assert_str_eq(box.log, "");
    weir_model_close(m);
    weir_close(rt);
}

/* A module that goes on after a refusal is not made, whatever it says. */
Test(hostile, a_create_that_takes_no_notice)
{
    weir_model *m = NULL;
    put_fixture("keeps_on", "plugins/keeps_on.so");
    weir_runtime *const rt = open_sandbox();
    cr_assert_eq(weir_model_build(rt, MODEL("f64", 2, 0, ELEMENTWISE("fixture.keeps_on")), -1, &m, &error),
                 WEIR_INVALID);
    cr_assert(strstr(error.message,
                     "(fixture.keeps_on): only a univariate declares parameters per element, 0 to 4096"),
              "%s", error.message);
    weir_close(rt);
}

/* ---- damage at load: the probe dies in the host's stead ----------------------------------------- */

static void expect_skipped(const char *fixture, const char *reason)
{
    char file[64];
    snprintf(file, sizeof file, "plugins/%s.so", fixture);
    put_fixture(fixture, file);
    put_fixture("good", "plugins/good.so");
    weir_runtime *const rt = open_sandbox();
    cr_assert(logged(in_root(file), reason), "wanted %s, got: %s", reason, box.log);
    weir_model_close(must_build(rt, MODEL("f64", 2, 0, ELEMENTWISE("fixture.good"))));
    weir_close(rt);
}

Test(hostile, a_stack_smashed_at_load)
{
    if (SANITIZED) cr_skip_test("a sanitizer sees the stack before the system does");
    expect_skipped("smashes_stack", "crashed while loading: Segmentation fault");
}

Test(hostile, a_hang_at_load)
{
    expect_skipped("hangs", "did not finish loading within 2000 ms");
}

/* A model that needs such a plugin says what became of it, not that it is unknown. */
Test(hostile, a_model_file_says_why_its_plugin_was_refused)
{
    weir_model *m = NULL;
    put_fixture("good", "plugins/good.so");
    weir_runtime *rt = open_sandbox();
    m = must_build(rt, MODEL("f64", 2, 0, ELEMENTWISE("fixture.good")));
    MUST(weir_model_save(m, in_root("m"), &error));
    weir_model_close(m);
    weir_close(rt);
    cr_assert(unlink(in_root("plugins/good.so")) == 0); /* this process has it mapped */
    put_fixture("crashes", "plugins/good.so");
    rt = open_sandbox();
    m = NULL;
    cr_assert_eq(weir_model_load(rt, in_root("m"), &m, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, ": needs module \"fixture.good\" of plugin good 1.2.3: ") &&
                  strstr(error.message, "plugins/good.so: crashed while loading"),
              "%s", error.message);
    weir_close(rt);
}

/* ---- whose code is it --------------------------------------------------------------------------- */

Test(hostile, an_address_is_traced_to_its_plugin)
{
    const weir__entry *e;
    put_fixture("good", "plugins/good.so");
    weir__registry *const r = open_registry(box.plugins);
    e = must_find(r, "fixture.good");
    void *code;
    memcpy(&code, &e->f64->create, sizeof code);
    cr_assert_str_eq(weir_plugin_at(code), in_root("plugins/good.so"));
    cr_assert_str_eq(weir_plugin_at(e->f64), in_root("plugins/good.so"));
    cr_assert_null(weir_plugin_at(e));
    cr_assert_null(weir_plugin_at(&r)); /* the stack lies above all that is loaded */
    cr_assert_null(weir_plugin_at(NULL));
    void *own;
    weir_status (*const function)(const weir_settings *, weir_runtime **, weir_error *) = weir_open;
    memcpy(&own, &function, sizeof own);
    cr_assert_null(weir_plugin_at(own));
    weir__registry_close(r);
}
