/* elf.h - what can be known about a shared object before a loader touches it. */
#ifndef WEIR__ELF_H
#define WEIR__ELF_H

#include "error.h"

/** OK when the bytes are a whole shared object for this machine that exports the function weir_plugin. Reads nothing
 *  outside data[0 .. size) whatever the bytes are. The message does not name the file. */
weir_status weir__elf_check(const unsigned char *data, int64_t size, weir_error *error);

#endif
