/* test_registry_checks.c - the checks that plugins pass before they are used, one by one, and the errors they give.
 *
 * SPDX-License-Identifier: MIT
 */
#include "plugin/descriptor.h"
#include "plugin/elf.h"
#include "plugin/handshake.h"
#include "plugin/listing.h"
#include "plugin/names.h"
#include "sandbox.h"

#include <elf.h>
#include <stddef.h>

TestSuite(registry_checks);

static weir_error error;

/* The status, and a message that is one line and holds the text. */
static void expect(weir_status got, weir_status wanted, const char *text)
{
    cr_assert_eq(got, wanted, "wanted %d with \"%s\", got %d: %s", wanted, text, got, error.message);
    if (wanted) cr_assert(strstr(error.message, text), "wanted \"%s\", got: %s", text, error.message);
    cr_assert_null(strpbrk(error.message, "\r\n\t\033"), "%s", error.message);
}

/* ---- errors -------------------------------------------------------------------------------------- */

Test(registry_checks, a_message_is_one_line_whatever_goes_into_it)
{
    cr_assert_eq(weir__fail(&error, WEIR_INVALID, "%s %d", "a\nb\033[31m\xc2\x9b\x7f", 7), WEIR_INVALID);
    cr_assert_str_eq(error.message, "a?b?[31m??? 7");
    cr_assert_eq(error.status, WEIR_INVALID);
    cr_assert_eq(weir__fail(NULL, WEIR_FATAL, "nobody listens"), WEIR_FATAL);
}

Test(registry_checks, a_long_message_is_cut_between_characters)
{
    char text[4001];
    for (size_t i = 0; i < 4000; i += 2) memcpy(text + i, "\xc3\xa9", 2);
    text[4000] = '\0';
    for (int lead = 0; lead < 2; lead++) {
        weir__fail(&error, WEIR_ERROR, "%s%s", lead ? "x" : "", text);
        const size_t n = strlen(error.message);
        cr_assert_lt(n, sizeof error.message);
        cr_assert_geq(n, sizeof error.message - 3);
        cr_assert_str_eq(error.message + n - 3, "...");
        cr_assert(weir__is_text(error.message, (int64_t)n, 0));
    }
}

Test(registry_checks, a_prefix_keeps_message_and_status)
{
    weir__fail(&error, WEIR_INVALID, "bad value");
    cr_assert_eq(weir__fail_in(&error, "layer %d", 3), WEIR_INVALID);
    cr_assert_str_eq(error.message, "layer 3: bad value");
    weir__fail(&error, WEIR_ERROR, "again, %s", error.message);
    cr_assert_str_eq(error.message, "again, layer 3: bad value");
    cr_assert_eq(weir__no_memory(&error, "the tape"), WEIR_ERROR);
    cr_assert(strstr(error.message, "memory") && strstr(error.message, "the tape"));
}

Test(registry_checks, the_nearest_word_is_the_one_that_was_meant)
{
    static const char *const words[] = {"affine", "additive", "rq_spline", "coupling", "lu_linear", "mlp"};
    static const char *const pairs[][2] = {
        {"afine", "affine"},
        {"affien", "affine"},
        {"rqspline", "rq_spline"},
        {"rq_splines", "rq_spline"},
        {"spline", "rq_spline"},
        {"copuling", "coupling"},
        {"mpl", "mlp"},
        {"addative", "additive"},
        {"something_else", NULL},
        {"x", NULL},
        {"", NULL},
        {"lu", NULL},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *const got = weir__nearest(pairs[i][0], words, 6);
        const char *const want = pairs[i][1];
        cr_assert(got == want || (got && want && strcmp(got, want) == 0), "%s: wanted %s, got %s",
                  pairs[i][0], want ? want : "nothing", got ? got : "nothing");
    }
    char endless[5000];
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    cr_assert_null(weir__nearest(endless, words, 6));
    cr_assert_null(weir__nearest("affine", NULL, 0));
}

/* ---- names --------------------------------------------------------------------------------------- */

Test(registry_checks, names_ids_and_versions)
{
    char longest[65];
    memset(longest, 'a', 64);
    longest[64] = '\0';
    cr_assert_not(weir__is_name(longest));
    longest[63] = '\0';
    cr_assert(weir__is_name(longest));
    cr_assert(weir__is_name("rq_spline2") && !weir__is_name("2d") && !weir__is_name("_a") &&
              !weir__is_name("a-b"));
    cr_assert(!weir__is_name("") && !weir__is_name(NULL) && !weir__is_name("Affine") &&
              !weir__is_name("a.b"));
    cr_assert(weir__is_id("a") && weir__is_id("vendor.name") && !weir__is_id("a.b.c") && !weir__is_id(".a"));
    cr_assert(!weir__is_id("a.") && !weir__is_id("a/b") && !weir__is_id(NULL));
    cr_assert(weir__is_version("0.1.0") && weir__is_version("10.20.30"));
    cr_assert(!weir__is_version("1.0") && !weir__is_version("1.0.0.0") && !weir__is_version("01.0.0"));
    cr_assert(!weir__is_version("1.0.x") && !weir__is_version("1.0.0-rc") && !weir__is_version(""));
}

Test(registry_checks, text_is_printable_utf8)
{
    cr_assert(weir__is_text("y = x\xc2\xb2 + \xe2\x88\x91 \xf0\x9f\x98\x80", 100, 0));
    cr_assert(!weir__is_text("", 100, 0) && !weir__is_text(NULL, 100, 0) && !weir__is_text("abc", 2, 0));
    cr_assert(weir__is_text("a\nb", 100, 1) && !weir__is_text("a\nb", 100, 0) &&
              !weir__is_text("\033[1m", 100, 1));
    static const char *const malformed[] = {
        "\xff",         "\xc3",         "\xc0\xaf",         "\xe0\x80\xaf",
        "\xed\xa0\x80", "\xe2\x88",     "\xf4\x90\x80\x80", "\xf0\x80\x80\x80",
        "a\x80",        "\xf8\x88\x80", "\xc2\x85"};
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        cr_assert_not(weir__is_text(malformed[i], 100, 1), "case %zu", i);
}

/* ---- ELF ----------------------------------------------------------------------------------------- */

/* The end of the last byte that the loader maps. */
static size_t loaded_size(const unsigned char *bytes)
{
    Elf64_Ehdr e;
    size_t end = 0;
    memcpy(&e, bytes, sizeof e);
    for (unsigned i = 0; i < e.e_phnum; i++) {
        Elf64_Phdr p;
        memcpy(&p, bytes + e.e_phoff + i * sizeof p, sizeof p);
        if (p.p_type == PT_LOAD && p.p_offset + p.p_filesz > end) end = p.p_offset + p.p_filesz;
    }
    return end;
}

/* Each prefix is copied to a block of just its size, so that a read past it is seen by the sanitizer. */
Test(registry_checks, every_prefix_that_the_loader_would_choke_on_is_refused)
{
    unsigned char *bytes;
    const size_t size = fixture_bytes("good", &bytes), end = loaded_size(bytes);
    expect(weir__elf_check(bytes, (int64_t)size, &error), WEIR_OK, "");
    for (size_t n = 0; n < end; n += n < 2000 ? 1 : 97) {
        unsigned char *const part = malloc(n ? n : 1);
        memcpy(part, bytes, n);
        cr_assert_eq(weir__elf_check(part, (int64_t)n, &error), WEIR_INVALID, "%zu of %zu bytes", n, size);
        free(part);
    }
    free(bytes);
}

Test(registry_checks, changed_bytes_never_lead_outside_the_file)
{
    unsigned char *bytes;
    const size_t size = fixture_bytes("good", &bytes);
    uint32_t state = 12345;
    int refused = 0;
    for (int round = 0; round < 4000; round++) {
        unsigned char *const copy = malloc(size);
        memcpy(copy, bytes, size);
        for (int i = 0; i < 4; i++) {
            state = state * 1664525u + 1013904223u;
            const size_t where = (state >> 8) % (round % 2 ? 1200 : size);
            copy[where] = (unsigned char)(state >> 3);
        }
        refused += weir__elf_check(copy, (int64_t)size, &error) != WEIR_OK;
        free(copy);
    }
    cr_assert_gt(refused, 100);
    free(bytes);
}

/* ---- handshake ------------------------------------------------------------------------------------ */

static int32_t one_module(void)
{
    return 1;
}

static const weir_module *no_module(int32_t index, int32_t precision)
{
    (void)index, (void)precision;
    return NULL;
}

static weir_fingerprint fingerprint;
static weir_root root;

static void good_root(void)
{
    fingerprint = (weir_fingerprint){.struct_size = (uint32_t)sizeof fingerprint,
                                     .draft = WEIR_ABI_DRAFT,
                                     .pointer_size = (uint32_t)sizeof(void *),
                                     .int64_align = (uint32_t) _Alignof(int64_t),
                                     .byte_order = 0x01020304,
                                     .fork = "weir"};
    root = (weir_root){.magic = WEIR_MAGIC,
                       .struct_size = (uint32_t)sizeof root,
                       .abi_major = WEIR_ABI_MAJOR,
                       .abi_minor = WEIR_ABI_MINOR,
                       .fingerprint = &fingerprint,
                       .name = "tiny",
                       .version = "1.0.0",
                       .module_count = one_module,
                       .module = no_module};
}

/* Makes one member wrong and expects it to be named. */
#define WRONG_ROOT(change, text)                                                                             \
    do {                                                                                                     \
        good_root();                                                                                         \
        change;                                                                                              \
        expect(weir__handshake(&root, &error), WEIR_INVALID, text);                                          \
    } while (0)

Test(registry_checks, a_handshake_names_the_field_that_differs)
{
    good_root();
    expect(weir__handshake(&root, &error), WEIR_OK, "");
    expect(weir__handshake(NULL, &error), WEIR_INVALID, "returned NULL");
    WRONG_ROOT(root.magic++, "magic differs");
    WRONG_ROOT(root.struct_size = 8, "root.struct_size differs: plugin 8");
    WRONG_ROOT(root.fingerprint = NULL, "root.fingerprint is NULL");
    WRONG_ROOT(root.abi_major = 9, "abi_major differs: plugin 9, host 1");
    WRONG_ROOT(fingerprint.struct_size++, "fingerprint.struct_size differs");
    WRONG_ROOT(fingerprint.draft += 5, "fingerprint.draft differs");
    WRONG_ROOT(fingerprint.pointer_size = 4, "fingerprint.pointer_size differs: plugin 4, host 8");
    WRONG_ROOT(fingerprint.int64_align = 4, "fingerprint.int64_align differs: plugin 4");
    WRONG_ROOT(fingerprint.byte_order = 0x04030201, "fingerprint.byte_order differs");
    WRONG_ROOT(memcpy(fingerprint.fork, "dam", 4), "fingerprint.fork differs: plugin \"dam\", host \"weir\"");
    WRONG_ROOT(root.name = "No Name", "root.name");
    WRONG_ROOT(root.name = NULL, "root.name");
    WRONG_ROOT(root.version = "1", "root.version");
    WRONG_ROOT(root.needs = "lib\nfoo", "root.needs");
    WRONG_ROOT(root.module_count = NULL, "root.module_count");
    WRONG_ROOT(root.module = NULL, "root.module");
}

Test(registry_checks, a_newer_minor_version_and_a_longer_root_are_welcome)
{
    good_root();
    root.abi_minor = 99;
    root.struct_size += 64;
    expect(weir__handshake(&root, &error), WEIR_OK, "");
}

/* ---- descriptors ---------------------------------------------------------------------------------- */

static weir_status forward(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *z,
                           void *log_det)
{
    (void)self, (void)frame, (void)x, (void)z, (void)log_det;
    return WEIR_OK;
}

static weir_status map(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *y)
{
    (void)self, (void)frame, (void)x, (void)y;
    return WEIR_OK;
}

static weir_status vjp(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *y,
                       const weir_tile *y_bar, const weir_tile *x_bar)
{
    (void)self, (void)frame, (void)x, (void)y, (void)y_bar, (void)x_bar;
    return WEIR_OK;
}

static weir_status log_density(const void *self, weir_frame *frame, const weir_tile *z, void *log_p)
{
    (void)self, (void)frame, (void)z, (void)log_p;
    return WEIR_OK;
}

static weir_status step(const void *self, weir_frame *frame, void *state, int32_t d, const weir_tile *x,
                        const weir_tile *y)
{
    (void)self, (void)frame, (void)state, (void)d, (void)x, (void)y;
    return WEIR_OK;
}

static weir_status create(weir_builder *build, void **self)
{
    (void)build, (void)self;
    return WEIR_OK;
}

static void destroy(void *self)
{
    (void)self;
}

static weir_status prepare(const void *self, weir_frame *frame)
{
    (void)self, (void)frame;
    return WEIR_OK;
}

static weir_layer_ops layer_ops;
static weir_univariate_ops univariate_ops;
static weir_network_ops network_ops;
static weir_density_ops density_ops;
static weir_option options[2], other_options[2];
static weir_slot slots[2], other_slots[2];
static weir_module module, other;

static weir_status density_vjp(const void *self, weir_frame *frame, const weir_tile *z, const void *log_p_bar,
                               const weir_tile *z_bar)
{
    (void)self, (void)frame, (void)z, (void)log_p_bar, (void)z_bar;
    return WEIR_OK;
}

static weir_status univariate_forward(const void *self, weir_frame *frame, const weir_tile *x,
                                      const weir_tile *params, const weir_tile *y, void *log_det)
{
    (void)params;
    return forward(self, frame, x, y, log_det);
}

static void good_tables(void)
{
    layer_ops = (weir_layer_ops){.struct_size = (uint32_t)sizeof layer_ops, .forward = forward};
    univariate_ops =
        (weir_univariate_ops){.struct_size = (uint32_t)sizeof univariate_ops, .forward = univariate_forward};
    network_ops = (weir_network_ops){.struct_size = (uint32_t)sizeof network_ops, .forward = map, .vjp = vjp};
    density_ops = (weir_density_ops){
        .struct_size = (uint32_t)sizeof density_ops, .log_density = log_density, .vjp = density_vjp};
    options[0] = (weir_option){.struct_size = (uint32_t)sizeof *options,
                               .type = WEIR_INTEGER,
                               .name = "bins",
                               .default_json = "8",
                               .minimum = 2,
                               .maximum = 64,
                               .summary = "number of bins"};
    options[1] = (weir_option){.struct_size = (uint32_t)sizeof *options,
                               .type = WEIR_STRING,
                               .name = "activation",
                               .default_json = "\"tanh\"",
                               .choices = "relu|tanh",
                               .summary = "what follows"};
    for (int i = 0; i < 2; i++)
        slots[i] = (weir_slot){.struct_size = (uint32_t)sizeof *slots,
                               .kind = WEIR_NETWORK,
                               .name = i ? "second" : "network",
                               .default_id = "mlp",
                               .summary = "the conditioner"};
}

static void good_module(void)
{
    good_tables();
    module = (weir_module){.struct_size = (uint32_t)sizeof module,
                           .kind = WEIR_LAYER,
                           .precision = WEIR_F32,
                           .id = "test.layer",
                           .version = "1.0.0",
                           .summary = "a layer",
                           .options = options,
                           .option_count = 2,
                           .option_stride = (int32_t)sizeof *options,
                           .slots = slots,
                           .slot_count = 2,
                           .slot_stride = (int32_t)sizeof *slots,
                           .create = create,
                           .destroy = destroy,
                           .ops = &layer_ops};
    memcpy(other_options, options, sizeof options);
    memcpy(other_slots, slots, sizeof slots);
    other = module;
    other.precision = WEIR_F64;
    other.options = other_options;
    other.slots = other_slots;
}

static void be(int32_t kind, const void *ops)
{
    module.kind = kind;
    module.ops = ops;
}

#define WRONG_MODULE(change, text)                                                                           \
    do {                                                                                                     \
        good_module();                                                                                       \
        change;                                                                                              \
        expect(weir__descriptor_check(&module, WEIR_F32, &error), WEIR_INVALID, text);                       \
    } while (0)

#define GOOD_MODULE(change)                                                                                  \
    do {                                                                                                     \
        good_module();                                                                                       \
        change;                                                                                              \
        expect(weir__descriptor_check(&module, WEIR_F32, &error), WEIR_OK, "");                              \
    } while (0)

#define DIFFERENT(change, text)                                                                              \
    do {                                                                                                     \
        good_module();                                                                                       \
        change;                                                                                              \
        expect(weir__descriptor_agree(&module, &other, &error), WEIR_INVALID, text);                         \
    } while (0)

Test(registry_checks, a_descriptor_is_refused_with_the_member_that_is_wrong)
{
    GOOD_MODULE((void)0);
    GOOD_MODULE(module.struct_size += 32);
    GOOD_MODULE(module.struct_size =
                    (uint32_t)offsetof(weir_module, methods)); /* from before there were methods */
    WRONG_MODULE(module.struct_size = (uint32_t)offsetof(weir_module, methods) - 8, "struct_size");
    WRONG_MODULE(module.id = "Layer", "module id \"Layer\"");
    WRONG_MODULE(module.id = NULL, "module id \"\"");
    WRONG_MODULE(module.id = "chain", "container of the host");
    WRONG_MODULE(module.kind = 9, "kind 9 is unknown");
    WRONG_MODULE(module.precision = WEIR_F64, "asked for f32, its descriptor says 64");
    WRONG_MODULE(module.concurrency = 3, "concurrency 3");
    WRONG_MODULE(module.version = "one", "version");
    WRONG_MODULE(module.summary = "", "summary");
    WRONG_MODULE(module.summary = "\xff", "summary");
    WRONG_MODULE(module.doc = "\xc3(", "doc");
    WRONG_MODULE(module.create = NULL, "create is NULL");
    WRONG_MODULE(module.destroy = NULL, "destroy is NULL");
    WRONG_MODULE(module.prepare = prepare, "prepare_vjp");
    WRONG_MODULE(module.ops = NULL, "ops is NULL");
    WRONG_MODULE(module.method_count = -1, "method_count is -1");
    WRONG_MODULE(module.method_count = 1, "methods must be their table");
    WRONG_MODULE(module.file_ending = "table", "file_ending must start with a dot");
    WRONG_MODULE(module.file_ending = ".table", "describe_file must be there");
}

Test(registry_checks, required_calls_are_there)
{
    GOOD_MODULE(be(WEIR_UNIVARIATE, &univariate_ops));
    GOOD_MODULE(be(WEIR_NETWORK, &network_ops));
    GOOD_MODULE(be(WEIR_DENSITY, &density_ops));
    WRONG_MODULE(layer_ops.struct_size -= 8, "ops.struct_size");
    WRONG_MODULE(layer_ops.forward = NULL, "forward is NULL; a layer");
    WRONG_MODULE(module.flags = WEIR_MODULE_OBSERVE_ONCE, "observe_size");
    WRONG_MODULE((be(WEIR_UNIVARIATE, &univariate_ops), univariate_ops.forward = NULL),
                 "forward is NULL; a univariate");
    WRONG_MODULE((be(WEIR_NETWORK, &network_ops), network_ops.forward = NULL), "forward is NULL; a network");
    WRONG_MODULE((be(WEIR_NETWORK, &network_ops), network_ops.vjp = NULL), "vjp is NULL; a network");
    WRONG_MODULE((be(WEIR_NETWORK, &network_ops), network_ops.step = step), "all five or none");
    WRONG_MODULE((be(WEIR_DENSITY, &density_ops), density_ops.log_density = NULL), "log_density is NULL");
    WRONG_MODULE((be(WEIR_DENSITY, &density_ops), density_ops.vjp = NULL), "vjp is NULL; a density");
}

Test(registry_checks, option_tables)
{
    GOOD_MODULE(options[0].default_json = NULL);
    GOOD_MODULE(options[0].default_json = "null");
    GOOD_MODULE((module.option_count = 0, module.options = NULL));
    GOOD_MODULE((options[0].type = WEIR_NUMBERS, options[0].default_json = "[2, 3.5]"));
    GOOD_MODULE((options[0].type = WEIR_BOOLEAN, options[0].default_json = "true"));
    WRONG_MODULE(module.option_count = -1, "option_count is -1");
    WRONG_MODULE(module.option_count = 1 << 20, "option_count");
    WRONG_MODULE(module.options = NULL, "the table is NULL");
    WRONG_MODULE(module.option_stride = 8, "option_stride is 8");
    WRONG_MODULE(options[1].struct_size = 4, "struct_size is 4");
    WRONG_MODULE(options[1].struct_size = 4000, "struct_size is 4000");
    WRONG_MODULE(options[0].name = "Bins", "option name \"Bins\"");
    WRONG_MODULE(options[1].name = "bins", "option bins: it is there twice");
    WRONG_MODULE(options[0].type = 7, "option bins: its type");
    WRONG_MODULE(options[0].minimum = 65, "minimum is above maximum");
    WRONG_MODULE(options[0].maximum = 0.0 / 0.0, "minimum is above maximum");
    WRONG_MODULE(options[0].summary = NULL, "option bins: summary");
    WRONG_MODULE(options[1].choices = "relu||tanh", "choices");
}

Test(registry_checks, defaults_are_values_of_the_option)
{
    WRONG_MODULE(options[0].default_json = "eight", "option bins: default_json is not JSON");
    WRONG_MODULE(options[0].default_json = "8 9", "option bins: default_json is not JSON");
    WRONG_MODULE(options[0].default_json = "1", "outside its range");
    WRONG_MODULE(options[0].default_json = "8.5", "another type");
    WRONG_MODULE(options[0].default_json = "\"8\"", "another type");
    WRONG_MODULE(options[1].default_json = "\"gelu\"", "option activation: the default");
    WRONG_MODULE((options[0].type = WEIR_INTEGERS, options[0].default_json = "[8, 65]"), "outside its range");
    WRONG_MODULE((options[0].type = WEIR_BOOLEAN, options[0].default_json = "1"), "another type");
}

Test(registry_checks, slot_tables)
{
    GOOD_MODULE(slots[0].default_id = NULL);
    WRONG_MODULE(module.slot_count = 300, "slot_count is 300");
    WRONG_MODULE(module.slot_stride = (int32_t)sizeof *slots + 1, "slot_stride");
    WRONG_MODULE(slots[0].struct_size = 0, "slot's struct_size is 0");
    WRONG_MODULE(slots[1].name = "network", "slot network: it is there twice");
    WRONG_MODULE(slots[0].name = NULL, "slot name");
    WRONG_MODULE(slots[0].kind = 0, "slot network: its kind");
    WRONG_MODULE(slots[0].default_id = "m l p", "default_id");
    WRONG_MODULE(slots[0].summary = "", "slot network: summary");
}

Test(registry_checks, both_precisions_are_the_same_module)
{
    good_module();
    expect(weir__descriptor_agree(&module, &other, &error), WEIR_OK, "");
    DIFFERENT(other.id = "test.other", "test.layer in f32 and test.other in f64");
    DIFFERENT(other.kind = WEIR_DENSITY, "differ in kind");
    DIFFERENT(other.version = "1.0.1", "differ in version");
    DIFFERENT(other.option_count = 1, "number of options");
    DIFFERENT(other_options[0].default_json = "9", "option bins: f32 and f64 differ");
    DIFFERENT(other_options[0].maximum = 65, "option bins: f32 and f64 differ");
    DIFFERENT(other_options[1].choices = NULL, "option activation: f32 and f64 differ");
    DIFFERENT(other_slots[1].optional = 1, "slot second: f32 and f64 differ");
}

static const char *letters(size_t count)
{
    static char text[2][70000];
    static int next;
    char *const out = text[next++ % 2];
    memset(out, 'a', count);
    out[count] = '\0';
    return out;
}

/* "aaa" in quotes, of `count` letters with them. */
static const char *quoted(size_t count)
{
    char *const text = (char *)(uintptr_t)letters(count);
    text[0] = text[count - 1] = '"';
    return text;
}

/* ".aaa", of `count` letters with the dot. */
static const char *ended(size_t count)
{
    char *const out = (char *)(uintptr_t)letters(count);
    out[0] = '.';
    return out;
}

static weir_status describe(const char *path, char *text, int64_t capacity)
{
    (void)path, (void)text, (void)capacity;
    return WEIR_OK;
}

Test(registry_checks, limits_of_a_descriptor)
{
    static weir_option many[257];
    static struct {
        weir_option option;
        char room[4096 + 8 - sizeof(weir_option)];
    } far[2];
    GOOD_MODULE(module.summary = letters(500));
    WRONG_MODULE(module.summary = letters(501), "summary");
    GOOD_MODULE(module.doc = letters(65536));
    WRONG_MODULE(module.doc = letters(65537), "doc");
    GOOD_MODULE(options[0].summary = letters(500));
    WRONG_MODULE(options[0].summary = letters(501), "option bins: summary");
    GOOD_MODULE(slots[0].summary = letters(500));
    WRONG_MODULE(slots[0].summary = letters(501), "slot network: summary");
    GOOD_MODULE((options[1].choices = NULL, options[1].default_json = quoted(65536)));
    WRONG_MODULE((options[1].choices = NULL, options[1].default_json = quoted(65537)),
                 "default_json is not JSON");
    WRONG_MODULE((module.options = many, module.option_count = 257), "option_count is 257");
    GOOD_MODULE((module.file_ending = ended(40), module.describe_file = describe));
    WRONG_MODULE((module.file_ending = ended(41), module.describe_file = describe), "file_ending must");
    for (int beyond = 0; beyond < 2; beyond++) {
        good_module();
        const int32_t stride = 4096 + 8 * beyond;
        memcpy(far, &options[0], sizeof *options);
        memcpy((char *)far + stride, &options[1], sizeof *options);
        module.options = &far[0].option;
        module.option_stride = stride;
        expect(weir__descriptor_check(&module, WEIR_F32, &error), beyond ? WEIR_INVALID : WEIR_OK,
               beyond ? "option_stride is 4104" : "");
    }
}

/* ---- listings ------------------------------------------------------------------------------------ */

static weir__listing *parse(const char *text)
{
    json_t *const object = json_loads(text, 0, NULL);
    weir__listing *const listing = weir__listing_parse(object, &error);
    json_decref(object);
    return listing;
}

Test(registry_checks, a_listing_survives_the_way_through_json)
{
    weir__listing *const first =
        parse("{\"plugin\": \"p\", \"version\": \"1.2.3\", \"needs\": \"libx.so\", \"modules\":"
              "[{\"id\": \"a\", \"kind\": \"layer\", \"precisions\": [32, 64]},"
              " {\"id\": \"v.b\", \"kind\": \"density\", \"precisions\": [64]}]}");
    cr_assert(first, "%s", error.message);
    json_t *const object = weir__listing_json(first);
    weir__listing *const second = weir__listing_parse(object, &error);
    cr_assert(second, "%s", error.message);
    cr_assert_eq(second->count, 2);
    cr_assert_str_eq(second->plugin, "p");
    cr_assert_str_eq(second->needs, "libx.so");
    cr_assert_str_eq(second->modules[1].id, "v.b");
    cr_assert_eq(second->modules[1].kind, WEIR_DENSITY);
    cr_assert(second->modules[0].has32 && second->modules[0].has64);
    cr_assert(!second->modules[1].has32 && second->modules[1].has64);
    json_decref(object);
    weir__listing_free(first);
    weir__listing_free(second);
}

Test(registry_checks, a_listing_that_is_not_one_is_refused)
{
    static const char *const bad[] = {
        "[]",
        "{}",
        "{\"plugin\": \"../p\", \"version\": \"1.0.0\", \"modules\": []}",
        "{\"plugin\": \"p\", \"version\": 1, \"modules\": []}",
        "{\"plugin\": \"p\", \"version\": \"1.0.0\", \"modules\": []}",
        "{\"plugin\": \"p\", \"version\": \"1.0.0\", \"modules\": {\"id\": \"a\"}}",
        "{\"plugin\": \"p\", \"version\": \"1.0.0\", \"modules\": [7]}",
        "{\"plugin\": \"p\", \"version\": \"1.0.0\", \"modules\": [{\"id\": \"A\", \"kind\": \"layer\"}]}",
        "{\"plugin\": \"p\", \"version\": \"1.0.0\", \"modules\": [{\"id\": \"a\", \"kind\": \"thing\"}]}",
        "{\"plugin\": \"p\", \"version\": \"1.0.0\", \"modules\": [{\"id\": \"a\", \"kind\": \"layer\"}]}",
        "{\"plugin\": \"p\", \"version\": \"1.0.0\", \"modules\":"
        " [{\"id\": \"a\", \"kind\": \"layer\", \"precisions\": [16]}]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) cr_assert_null(parse(bad[i]), "%s", bad[i]);
}
