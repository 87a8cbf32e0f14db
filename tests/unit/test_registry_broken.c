/* test_registry_broken.c - a broken plugin costs one clear line, and nothing else.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sandbox.h"

#include <elf.h>
#include <signal.h>
#include <time.h>

TestSuite(registry_broken, .init = sandbox_open, .fini = sandbox_close);

static int lines_logged(void)
{
    int count = 0;
    for (const char *c = box.log; *c; c++) count += *c == '\n';
    return count;
}

/* Beside plugins/broken.so lies a good one. The broken one must give one line, "PATH: ...REASON...; skipped", and the
 * other must work. */
static void expect_skipped(const char *reason)
{
    put_fixture("good", "plugins/good.so");
    weir__registry *const r = open_registry(box.plugins);
    cr_assert(logged(in_root("plugins/broken.so: "), reason), "wanted %s, got: %s", reason, box.log);
    cr_assert(logged(in_root("plugins/broken.so: "), "; skipped"), "%s", box.log);
    cr_assert_eq(lines_logged(), 1, "%s", box.log);
    must_find(r, "fixture.good");
    cr_assert_not(is_mapped("broken.so"));
    weir__registry_close(r);
}

/* The good fixture with one byte changed. */
static void put_patched(size_t at, unsigned char value)
{
    unsigned char *bytes;
    const size_t size = fixture_bytes("good", &bytes);
    bytes[at] = value;
    write_all(in_root("plugins/broken.so"), bytes, size);
    free(bytes);
}

Test(registry_broken, half_a_file)
{
    unsigned char *bytes;
    fixture_bytes("good", &bytes);
    write_all(in_root("plugins/broken.so"), bytes, half_of_image(bytes));
    free(bytes);
    expect_skipped("truncated");
}

Test(registry_broken, a_header_only)
{
    unsigned char *bytes;
    fixture_bytes("good", &bytes);
    write_all(in_root("plugins/broken.so"), bytes, 30);
    free(bytes);
    expect_skipped("truncated: 30 bytes");
}

Test(registry_broken, an_empty_file)
{
    write_all(in_root("plugins/broken.so"), "", 0);
    expect_skipped("not an ELF file");
}

Test(registry_broken, a_text_file)
{
    write_all(in_root("plugins/broken.so"), "int main(void) { return 0; }\n", 29);
    expect_skipped("not an ELF file");
}

Test(registry_broken, another_machine)
{
    put_patched(offsetof(Elf64_Ehdr, e_machine), EM_RISCV);
    expect_skipped("built for riscv (machine 243), this host is");
}

Test(registry_broken, another_word_size)
{
    put_patched(EI_CLASS, sizeof(void *) == 8 ? ELFCLASS32 : ELFCLASS64);
    expect_skipped("bits, this host has");
}

Test(registry_broken, another_byte_order)
{
    put_patched(EI_DATA, ELFDATA2MSB);
    expect_skipped("big-endian, this host is little-endian");
}

Test(registry_broken, an_object_file)
{
    put_patched(offsetof(Elf64_Ehdr, e_type), ET_REL);
    expect_skipped("an object file (.o), not a shared object");
}

Test(registry_broken, no_symbol)
{
    put_fixture("no_symbol", "plugins/broken.so");
    expect_skipped("not a plugin: it does not export the function weir_plugin");
}

Test(registry_broken, the_symbol_is_data)
{
    put_fixture("data_symbol", "plugins/broken.so");
    expect_skipped("not as a function");
}

Test(registry_broken, a_crash_while_loading)
{
    put_fixture("crashes", "plugins/broken.so");
    expect_skipped("crashed while loading: Segmentation fault");
}

Test(registry_broken, exit_while_loading)
{
    put_fixture("exits", "plugins/broken.so");
    expect_skipped("called exit(3) while loading");
}

Test(registry_broken, a_hang_while_loading)
{
    struct timespec start, end;
    put_fixture("hangs", "plugins/broken.so");
    clock_gettime(CLOCK_MONOTONIC, &start);
    expect_skipped("did not finish loading within 2000 ms");
    clock_gettime(CLOCK_MONOTONIC, &end);
    cr_assert_geq(end.tv_sec - start.tv_sec, 1);
    cr_assert_leq(end.tv_sec - start.tv_sec, 10);
}

Test(registry_broken, a_missing_function)
{
    put_fixture("unresolved", "plugins/broken.so");
    expect_skipped("cannot be loaded: undefined symbol: nobody_offers_this");
}

Test(registry_broken, another_draft_of_the_abi)
{
    put_fixture("other_draft", "plugins/broken.so");
    expect_skipped("fingerprint.draft differs: plugin");
}

Test(registry_broken, a_module_without_create)
{
    put_fixture("no_create", "plugins/broken.so");
    expect_skipped("module fixture.no_create: create is NULL");
}

Test(registry_broken, an_executable_stack)
{
    put_fixture("exec_stack", "plugins/broken.so");
    expect_skipped("asks for an executable stack; link it with -Wl,-z,noexecstack");
}

Test(registry_broken, a_default_outside_its_range)
{
    put_fixture("bad_default", "plugins/broken.so");
    expect_skipped(
        "module fixture.bad_default: option bins: the default is of another type than the option or outside");
}

Test(registry_broken, what_a_plugin_prints_is_not_taken_for_an_answer)
{
    put_fixture("noisy", "plugins/noisy.so");
    weir__registry *const r = open_registry(box.plugins);
    cr_assert(knows(r, "fixture.noisy"), "%s", box.log);
    cr_assert_str_eq(box.log, "");
    weir__registry_close(r);
}

Test(registry_broken, a_name_that_forges_a_line_stays_in_one)
{
    write_all(in_root("plugins/x\nall is well.so"), "text", 4);
    weir__registry *const r = open_registry(box.plugins);
    cr_assert(logged("x?all is well.so", "not an ELF file"), "%s", box.log);
    cr_assert_eq(lines_logged(), 1);
    weir__registry_close(r);
}

Test(registry_broken, a_helper_that_answers_nonsense_is_not_used)
{
    put_fixture("good", "plugins/good.so");
    write_all(in_root("probe"), "#!/bin/sh\necho hello >&3\n", 25);
    setenv("WEIR_PROBE", in_root("probe"), 1);
    weir__registry *const r = open_registry(box.plugins);
    must_find(r, "fixture.good");
    cr_assert(logged("weir-probe did not answer", "without being tried"), "%s", box.log);
    weir__registry_close(r);
}

/* SIGCHLD ignored: nobody can say how the helper ended, but that it did is plain. */
Test(registry_broken, a_host_that_ignores_its_children_is_still_protected)
{
    signal(SIGCHLD, SIG_IGN);
    put_fixture("crashes", "plugins/broken.so");
    expect_skipped("ended the process that was loading it");
}
