/* symbols.c - see symbols.h. Every offset in the file is hostile, and goes through `span`. */
#include "checker/symbols.h"

#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

typedef struct image {
    const unsigned char *data;
    uint64_t size;
} image;

static const void *span(const image *im, uint64_t offset, uint64_t length)
{
    if (offset > im->size || length > im->size - offset) return NULL;
    return im->data + offset;
}

static int read_section(const image *im, const ElfW(Ehdr) * header, uint32_t index, ElfW(Shdr) * section)
{
    const uint64_t at = header->e_shoff + (uint64_t)index * header->e_shentsize;
    const void *const from = header->e_shentsize >= sizeof *section && at >= header->e_shoff
                                 ? span(im, at, sizeof *section)
                                 : NULL;
    if (from) memcpy(section, from, sizeof *section);
    return from != NULL;
}

static int find_table(const image *im, ElfW(Shdr) * symbols, ElfW(Shdr) * strings)
{
    ElfW(Ehdr) header;
    const void *const from = span(im, 0, sizeof header);
    if (!from) return 0;
    memcpy(&header, from, sizeof header);
    for (uint32_t i = 0; i < header.e_shnum && read_section(im, &header, i, symbols); i++)
        if (symbols->sh_type == SHT_SYMTAB) return read_section(im, &header, symbols->sh_link, strings);
    return 0;
}

static int holds(const ElfW(Sym) * symbol, uint64_t offset)
{
    return ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_shndx != SHN_UNDEF &&
           offset >= symbol->st_value && offset - symbol->st_value < symbol->st_size;
}

void weir__symbol_at(const unsigned char *data, int64_t size, uint64_t offset, char *name, size_t room)
{
    const image im = {data, data && size > 0 ? (uint64_t)size : 0};
    ElfW(Shdr) symbols, strings;
    ElfW(Sym) symbol;
    name[0] = '\0';
    if (!find_table(&im, &symbols, &strings)) return;
    for (uint64_t at = 0; at + sizeof symbol <= symbols.sh_size; at += sizeof symbol) {
        const void *const from = span(&im, symbols.sh_offset + at, sizeof symbol);
        if (!from) return;
        memcpy(&symbol, from, sizeof symbol);
        if (!holds(&symbol, offset)) continue;
        const char *const text = span(&im, strings.sh_offset + symbol.st_name, 1);
        const uint64_t left = text ? im.size - (uint64_t)((const unsigned char *)text - im.data) : 0;
        if (text) snprintf(name, room, "%.*s", (int)(left < 90 ? left : 90), text);
        return;
    }
}
