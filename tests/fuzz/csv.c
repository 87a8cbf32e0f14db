/* csv.c - libFuzzer on whatever weir_array_read may be given: text tables mostly, and the choice between formats.
 *
 * SPDX-License-Identifier: MIT
 */
#include "file/parsers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The parser's promises: a table of finite numbers, and a name for each column or for none. */
static void check(const weir_array *a)
{
    if (a->dtype != WEIR_DTYPE_F64 || a->rank != 2 || a->count != a->dims[0] * a->dims[1] || a->count < 1)
        __builtin_trap();
    for (int64_t i = 0; i < a->count; i++)
        if (!isfinite(((const double *)a->data)[i])) __builtin_trap();
    for (int64_t j = 0; a->columns && j < a->dims[1]; j++)
        if (strpbrk(weir_array_column(a, j), "\n\r\033")) __builtin_trap();
    if (weir_array_column(a, a->dims[1])) __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_array *array = NULL;
    weir_error error;
    unsigned char *const text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = 0;
    if (!weir__csv_parse(text, (int64_t)size, "f.csv", &array, &error)) check(array);
    weir_array_free(array);
    array = NULL;
    (void)weir__array_parse(text, (int64_t)size, "f", NULL, &array, &error);
    weir_array_free(array);
    free(text);
    return 0;
}
