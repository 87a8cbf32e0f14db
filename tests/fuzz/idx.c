/* idx.c - libFuzzer on IDX files.
 *
 * SPDX-License-Identifier: MIT
 */
#include "file/parsers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_array *array = NULL;
    weir_error error;
    const weir_status status = weir__idx_parse(data, (int64_t)size, "f-ubyte", &array, &error);
    if (!status != (array != NULL)) __builtin_trap();
    weir_array_free(array);
    return 0;
}
