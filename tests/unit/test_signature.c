/* test_signature.c - the texts that say what methods take and give.
 *
 * SPDX-License-Identifier: MIT
 */
#include "method/signature.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

TestSuite(signature);

static const weir_option options[] = {
    {.struct_size = (uint32_t)sizeof(weir_option), .type = WEIR_INTEGER, .name = "bins"},
    {.struct_size = (uint32_t)sizeof(weir_option), .type = WEIR_NUMBER, .name = "bound"},
};
static const weir_slot slots[] = {
    {.struct_size = (uint32_t)sizeof(weir_slot), .kind = WEIR_UNIVARIATE, .name = "univariate"},
};
static const weir_module module = {
    .struct_size = (uint32_t)sizeof(weir_module),
    .id = "test.module",
    .options = options,
    .option_count = 2,
    .option_stride = (int32_t)sizeof(weir_option),
    .slots = slots,
    .slot_count = 1,
    .slot_stride = (int32_t)sizeof(weir_slot),
};

Test(signature, what_is_read)
{
    static const char text[] =
        " ( integer count,number a , text word,real x[ count ][2*bins+1],integer k[n], real y[n])->number sum,"
        " real z[univariate.params*in - n + 3] ";
    weir__signature s;
    weir_error error = {.message = ""};
    char item[200];
    cr_assert_eq(weir__signature_read(&module, text, &s, &error), WEIR_OK, "%s", error.message);
    cr_assert_eq(s.argument_count, 6);
    cr_assert_eq(s.result_count, 2);
    cr_assert_eq(s.items[3].type, WEIR__ITEM_REAL);
    cr_assert_eq(s.items[3].rank, 2);
    cr_assert_str_eq(s.items[3].binds[0], "", "an argument's name is not bound by a length");
    cr_assert_str_eq(s.items[4].binds[0], "n");
    weir__item_text(&s.items[3], item, sizeof item);
    cr_assert_str_eq(item, "real x[count ][2*bins+1]");
    weir__item_text(&s.items[3], item, 9); /* no more than the room */
    cr_assert_str_eq(item, "real x[c");
}

static void refused(const char *text, const char *says)
{
    weir__signature s;
    weir_error error = {.message = ""};
    cr_assert_eq(weir__signature_read(&module, text, &s, &error), WEIR_INVALID, "taken: %s", text);
    cr_assert(strstr(error.message, says), "%s: said \"%s\", not \"%s\"", text, error.message, says);
}

Test(signature, what_is_refused)
{
    refused("", "expected (");
    refused("real x[in] -> number y", "expected (");
    refused("(real x[in] -> number y", "expected , or )");
    refused("(real x[in])", "expected ->");
    refused("() ->", "expected integer, number, real or text");
    refused("() -> ", "expected integer");
    refused("() -> number", "expected a name");
    refused("() -> number y z", "or the end");
    refused("() -> double y", "\"double\" is no type");
    refused("() -> number in", "meaning of its own");
    refused("(number y) -> number y", "there twice");
    refused("() -> real y", "needs sizes");
    refused("() -> number y[3]", "can have no sizes");
    refused("() -> text y", "an argument only");
    refused("() -> real y[]", "a number or a name");
    refused("() -> real y[3", "expected ]");
    refused("() -> real y[2 +]", "a number or a name");
    refused("() -> real y[2 / 1]", "expected ]");
    refused("() -> real y[(2)]", "a number or a name");
    refused("() -> real y[9999999999]", "too large");
    refused("() -> real y[999999999*999999999*999999999]", "too large");
    refused("() -> real y[1][1][1][1][1]", "more than 4 sizes");
    refused("() -> real y[n]", "\"n\" in a size");
    refused("() -> real y[bound]", "\"bound\" in a size");
    refused("(number a) -> real y[a]", "\"a\" in a size");
    refused("() -> real y[network.in]", "\"network.in\" in a size");
    refused("() -> real y[univariate.bins]", "\"univariate.bins\" in a size");
    refused("() -> real y[univariate.in.out]", "in a size");
    refused(
        "(integer a, integer b, integer c, integer d, integer e, integer f, integer g, integer h, integer i, "
        "integer j, integer k, integer l, integer m, integer n, integer o, integer p) -> integer q",
        "more than 16");
}

static int names(void *user, const char *name, int64_t *value, weir_error *error)
{
    (void)user, (void)error;
    *value = strcmp(name, "n") == 0 ? 5 : INT64_C(1) << 40;
    return 1;
}

Test(signature, sizes)
{
    const weir__size_names known = {names, NULL};
    int64_t value = 0;
    weir_error error;
    cr_assert_eq(weir__size_value("2 * n + 3*n - 1]", &known, &value, &error), WEIR_OK);
    cr_assert_eq(value, 24);
    cr_assert_eq(weir__size_value("n - n - 0]", &known, &value, &error), WEIR_OK);
    cr_assert_eq(value, 0);
    cr_assert_eq(weir__size_value("1 - n]", &known, &value, &error), WEIR_INVALID);
    cr_assert_str_eq(error.message, "the size [1 - n] is -4");
    cr_assert_eq(weir__size_value("big * big]", &known, &value, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "too large"));
}

/* ---- the table of a descriptor ---- */

static void nothing(void)
{
}

#define GOOD                                                                                                 \
    {                                                                                                        \
        (uint32_t)sizeof(weir_method), 0, "first", "() -> number y", "says y", nothing                       \
    }
#define OTHER                                                                                                \
    {                                                                                                        \
        (uint32_t)sizeof(weir_method), 0, "second", "() -> number y", "says y", nothing                      \
    }

static void table_refused(weir_method second, const char *says)
{
    const weir_method list[] = {GOOD, second};
    weir_module m = module;
    weir_error error = {.message = ""};
    m.methods = list;
    m.method_count = 2;
    m.method_stride = (int32_t)sizeof(weir_method);
    cr_assert_eq(weir__methods_check(&m, &error), WEIR_INVALID, "taken, not refused with %s", says);
    cr_assert(strstr(error.message, says), "said \"%s\", not \"%s\"", error.message, says);
}

#define SECOND(change, says)                                                                                 \
    do {                                                                                                     \
        weir_method second = OTHER;                                                                          \
        change;                                                                                              \
        table_refused(second, says);                                                                         \
    } while (0)

Test(signature, tables)
{
    SECOND(second.name = "First", "[a-z]");
    SECOND(second.name = "first", "method first: it is there twice");
    SECOND(second.summary = NULL, "summary must be");
    SECOND(second.signature = NULL, "signature must be");
    SECOND(second.signature = "() -> real y[q]", "method second: \"q\" in a size");
    SECOND(second.call = NULL, "call is NULL");
    SECOND(second.struct_size = 8, "struct_size");
    weir_module m = module, bare = module;
    weir_error error;
    m.method_count = 1;
    cr_assert_eq(weir__methods_check(&m, &error), WEIR_INVALID);
    m.struct_size = (uint32_t)offsetof(weir_module, methods); /* from before there were methods */
    cr_assert_eq(weir__methods_check(&m, &error), WEIR_OK);
    m.struct_size = (uint32_t)sizeof m;
    cr_assert_eq(weir__methods_agree(&m, &bare, &error), WEIR_INVALID);
}

/* `start`, blanks, and its last letter again: n bytes in all. */
static const char *long_text(const char *start, size_t n)
{
    static char text[2048];
    memset(text, ' ', n);
    memcpy(text, start, strlen(start));
    text[n - 1] = start[strlen(start) - 1];
    text[n] = '\0';
    return text;
}

static weir_status table_of(int32_t count, int32_t stride, const char *summary, const char *signature,
                            weir_error *error)
{
    static struct {
        weir_method method;
        char room[4104 - sizeof(weir_method)];
    } far[65];
    weir_module m = module;
    m.methods = &far[0].method;
    m.method_count = count;
    m.method_stride = stride;
    for (int32_t i = 0; i < count && i < 64; i++) {
        static char names[64][8];
        snprintf(names[i], sizeof names[i], "m%d", (int)i);
        const weir_method one = {(uint32_t)sizeof one, 0, names[i], signature, summary, nothing};
        memcpy((char *)far + (size_t)i * (size_t)stride, &one, sizeof one);
    }
    return weir__methods_check(&m, error);
}

Test(signature, limits_of_a_table)
{
    const char *const plain = "() -> number y";
    weir_error error = {.message = ""};
    cr_assert_eq(table_of(64, 4096, "says y", plain, &error), WEIR_OK, "%s", error.message);
    cr_assert_eq(table_of(65, 4096, "says y", plain, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "method_count is 65, 0 to 64 are possible"), "%s", error.message);
    cr_assert_eq(table_of(2, 4104, "says y", plain, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "method_stride"), "%s", error.message);
    cr_assert_eq(table_of(1, 4096, long_text("y", 500), plain, &error), WEIR_OK, "%s", error.message);
    cr_assert_eq(table_of(1, 4096, long_text("y", 501), plain, &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "summary must be"), "%s", error.message);
    cr_assert_eq(table_of(1, 4096, "says y", long_text(plain, 1000), &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "or the end"), "read as far as it goes: %s", error.message);
    cr_assert_eq(table_of(1, 4096, "says y", long_text(plain, 1001), &error), WEIR_INVALID);
    cr_assert(strstr(error.message, "at most 1000 bytes"), "%s", error.message);
}
