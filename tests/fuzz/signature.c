/* signature.c - libFuzzer on the texts that say what methods take and give: refused in one line, or items whose sizes have a
 * value or a reason for none.
 *
 * SPDX-License-Identifier: MIT
 */
#include "method/signature.h"

#include <stdlib.h>
#include <string.h>

#define MUST(truth)                                                                                          \
    do {                                                                                                     \
        if (!(truth)) abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

/* A third of the names are large, a third have no value. */
static int value_of(void *user, const char *name, int64_t *value, weir_error *error)
{
    const size_t kind = (strlen(name) + (unsigned char)name[0]) % 3;
    (void)user;
    if (kind == 2) return weir__fail(error, WEIR_INVALID, "%s has no value", name), 0;
    *value = kind == 0 ? 5 : INT64_C(1) << 61;
    return 1;
}

static void measure(const weir__item *item)
{
    const weir__size_names names = {value_of, NULL};
    char text[40];
    MUST(item->rank >= 0 && item->rank <= WEIR__METHOD_RANK);
    for (int32_t k = 0; k < item->rank; k++) {
        weir_error error = {.message = ""};
        int64_t value = -1;
        if (weir__size_value(item->sizes[k], &names, &value, &error) == WEIR_OK)
            MUST(value >= 0);
        else
            MUST(error.message[0] && !strpbrk(error.message, "\n\r\033"));
    }
    weir__item_text(item, text, sizeof text);
    MUST(memchr(text, 0, sizeof text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir__signature signature;
    weir_error error = {.message = ""};
    char *const text = malloc(size + 1);
    if (!text) return 0;
    if (size) memcpy(text, data, size);
    text[size] = '\0';
    if (weir__signature_read(&module, text, &signature, &error)) {
        MUST(error.message[0] && !strpbrk(error.message, "\n\r\033"));
    } else {
        const int32_t items = signature.argument_count + signature.result_count;
        MUST(items > 0 && items <= WEIR__METHOD_ITEMS);
        for (int32_t i = 0; i < items; i++) measure(&signature.items[i]);
    }
    free(text);
    return 0;
}
