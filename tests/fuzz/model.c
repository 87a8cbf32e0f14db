/* model.c - libFuzzer on model descriptions as text, with every plugin loaded: refused in one line, or a model that works.
 *
 * SPDX-License-Identifier: MIT
 */
#include "installed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is larger than this is allowed, but takes too long for a fuzzer. */
#define NUMBERS_MOST 100000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_model *model = NULL;
    weir_error error = {.message = ""};
    char *tree = NULL;
    if (weir_model_build(installed(), (const char *)data, (int64_t)size, &model, &error)) {
        MUST(error.message[0] && !strpbrk(error.message, "\n\r"));
        return 0;
    }
    MUST(weir_model_describe(model, &tree, &error) == WEIR_OK);
    weir_free(tree);
    bytes numbers = {data, data + size};
    if (weir_model_get(model, WEIR_MODEL_FEATURES) <= 64 && weir_model_get(model, WEIR_MODEL_CONTEXT) <= 64 &&
        weir_model_get(model, WEIR_MODEL_PARAMETERS) <= NUMBERS_MOST)
        put_to_use(model, &numbers);
    weir_model_close(model);
    return 0;
}
