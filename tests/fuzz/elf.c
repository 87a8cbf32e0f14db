/* elf.c - fuzzes the check of shared objects: any bytes, no crash, no read outside them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "plugin/elf.h"

#include <stddef.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    weir_error error;
    weir__elf_check(data, (int64_t)size, &error);
    return 0;
}
