/* object.h - a loaded shared object's dynamic section: which symbols it offers and asks for, and what it needs. */
#ifndef WEIR__CHECK_OBJECT_H
#define WEIR__CHECK_OBJECT_H

#include "check/verdict.h"

#include <link.h>

typedef struct weir__object_file {
    void *handle; /* of dlopen; kept open */
    const struct link_map *map;
    const ElfW(Sym) * symbols;
    const char *strings;
    uint32_t symbol_count;
    int text_relocations;
} weir__object_file;

/** Loads the file. Objects and gives 0 when it cannot be loaded or has no symbols. */
int weir__object_open(weir__object_file *object, const char *path, weir__verdict *verdict);
const char *weir__object_symbol(const weir__object_file *object, uint32_t index, const ElfW(Sym) * *symbol);
/** The i-th library that it asks for by name, or NULL after the last. */
const char *weir__object_needs(const weir__object_file *object, int32_t index);

#endif
