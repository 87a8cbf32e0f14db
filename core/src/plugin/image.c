/* image.c - which plugin an address of this process belongs to.
 *
 * SPDX-License-Identifier: MIT
 *
 * Process-wide, as what dlopen loads is, whatever runtime asked for it. The list only grows, by one atomic store for each
 * entry, so that a handler of a fatal signal can walk it whatever the other threads, and the interrupted one, are doing.
 */
#include "plugin/image.h"

#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct image {
    uintptr_t start, end;
    char *path;
    struct image *next;
} image;

static _Atomic(image *) images;

typedef struct search {
    uintptr_t address, start, end;
} search;

/* The segments of one object lie in one range, which is its own. */
static int take_range(struct dl_phdr_info *info, size_t size, void *data)
{
    search *const s = data;
    uintptr_t start = UINTPTR_MAX, end = 0;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_LOAD) continue;
        const uintptr_t from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        const uintptr_t to = from + info->dlpi_phdr[i].p_memsz;
        if (from < start) start = from;
        if (to > end) end = to;
    }
    if (s->address < start || s->address >= end) return 0;
    s->start = start;
    s->end = end;
    return 1;
}

void weir__image_remember(const void *address, const char *path)
{
    search s = {.address = (uintptr_t)address};
    if (weir__image_at(address) || !dl_iterate_phdr(take_range, &s)) return;
    image *const made = malloc(sizeof *made);
    char *const copy = strdup(path);
    if (!made || !copy) {
        free(made);
        free(copy);
        return;
    }
    *made = (image){s.start, s.end, copy, atomic_load(&images)};
    while (!atomic_compare_exchange_weak(&images, &made->next, made)) {
    }
}

const char *weir__image_at(const void *address)
{
    const uintptr_t at = (uintptr_t)address;
    for (const image *i = atomic_load(&images); i; i = i->next)
        if (at >= i->start && at < i->end) return i->path;
    return NULL;
}
