/* safetensors.c - libFuzzer on model files: what is accepted must lie within the file, all of it in one tensor each.
 *
 * SPDX-License-Identifier: MIT
 */
#include "file/safetensors.h"
#include "file/array.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir__st_file *file = NULL;
    weir_error error;
    if (weir__st_parse(data, (int64_t)size, "f.safetensors", &file, &error)) return 0;
    unsigned sum = 0;
    int64_t bytes = 0;
    for (int64_t i = 0; i < weir__st_count(file); i++) {
        const weir__st_tensor *const t = weir__st_at(file, i);
        const int64_t length = t->count * weir__dtype_bytes(t->dtype);
        for (int64_t k = 0; k < length; k++) sum += t->data[k];
        bytes += length;
        if (weir__st_find(file, t->name) != t) __builtin_trap();
    }
    unsigned expected = 0;
    for (int64_t k = 1; k <= bytes; k++) expected += data[(int64_t)size - k];
    if (sum != expected) __builtin_trap();
    weir__st_free(file);
    return 0;
}
