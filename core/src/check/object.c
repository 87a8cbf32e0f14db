/* object.c - see object.h.
 *
 * The dynamic section is read where the loader has put it: whoever asks has loaded the object in a process that may die of
 * it. What can be said of a file before it is loaded is plugin/elf.c's.
 */
#include "check/object.h"

#include <dlfcn.h>
#include <string.h>

/* The GNU hash table does not say how many symbols there are: they end where the last bucket's chain does. */
static uint32_t gnu_count(const uint32_t *table)
{
    const uint32_t bucket_count = table[0], first = table[1], bloom_words = table[2];
    const uint32_t *const buckets = table + 4 + bloom_words * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
    const uint32_t *const chain = buckets + bucket_count;
    uint32_t last = 0;
    for (uint32_t b = 0; b < bucket_count; b++)
        if (buckets[b] > last) last = buckets[b];
    if (last < first) return first;
    while (!(chain[last - first] & 1)) last++;
    return last + 1;
}

static void read_entry(weir__object_file *o, const ElfW(Dyn) * d, const uint32_t **hash)
{
    const void *const address = (const void *)(uintptr_t)d->d_un.d_ptr;
    if (d->d_tag == DT_SYMTAB) o->symbols = address;
    if (d->d_tag == DT_STRTAB) o->strings = address;
    if (d->d_tag == DT_GNU_HASH) o->symbol_count = gnu_count(address);
    if (d->d_tag == DT_HASH) *hash = address;
    if (d->d_tag == DT_TEXTREL) o->text_relocations = 1;
    if (d->d_tag == DT_FLAGS && (d->d_un.d_val & DF_TEXTREL)) o->text_relocations = 1;
}

int weir__object_open(weir__object_file *o, const char *path, weir__verdict *verdict)
{
    const uint32_t *hash = NULL;
    struct link_map *map = NULL;
    memset(o, 0, sizeof *o);
    o->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!o->handle || dlinfo(o->handle, RTLD_DI_LINKMAP, &map) != 0) {
        const char *const why = dlerror();
        weir__object(verdict, "%.200s", why ? why : "it cannot be loaded");
        return 0;
    }
    o->map = map;
    for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) read_entry(o, d, &hash);
    if (hash) o->symbol_count = hash[1];
    if (o->symbols && o->strings && o->symbol_count) return 1;
    weir__object(verdict, "it has no table of symbols");
    return 0;
}

const char *weir__object_symbol(const weir__object_file *o, uint32_t index, const ElfW(Sym) * *symbol)
{
    *symbol = &o->symbols[index];
    return o->strings + o->symbols[index].st_name;
}

const char *weir__object_needs(const weir__object_file *o, int32_t index)
{
    for (const ElfW(Dyn) *d = o->map->l_ld; d->d_tag != DT_NULL; d++)
        if (d->d_tag == DT_NEEDED && index-- == 0) return o->strings + d->d_un.d_val;
    return NULL;
}
