/* walls.c - see walls.h.
 *
 * One mapping: wall, body, wall, a page for a struct, wall. All of them are in one list, in which a signal handler finds the
 * one that an address belongs to. They are used again, and never unmapped: a check makes many of the same few sizes, and what
 * is found by the kernel's tables is found slowly.
 */
#include "check/walls.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PATTERN 0xa5

struct weir__walls {
    unsigned char *base;
    size_t page, body, bytes; /* body: of the pages between the walls; bytes: of those that were asked for */
    int used, behind, sealed;
    const char *role;
    struct weir__walls *next;
};

static weir__walls *all;

static size_t total(const weir__walls *w)
{
    return w->body + 4 * w->page;
}

static unsigned char *memory_of(const weir__walls *w)
{
    return w->base + w->page + (w->behind ? w->body - w->bytes : 0);
}

static int map(weir__walls *w)
{
    w->base = mmap(NULL, total(w), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (w->base == MAP_FAILED) return 0;
    if (mprotect(w->base + w->page, w->body, PROT_READ | PROT_WRITE) == 0 &&
        mprotect(w->base + 2 * w->page + w->body, w->page, PROT_READ | PROT_WRITE) == 0)
        return 1;
    munmap(w->base, total(w));
    return 0;
}

static weir__walls *find_idle(size_t body)
{
    weir__walls *w = all;
    while (w && (w->used || w->body != body)) w = w->next;
    return w;
}

static weir__walls *add_new(size_t page, size_t body)
{
    weir__walls *const w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->page = page;
    w->body = body;
    if (!map(w)) return free(w), NULL;
    w->next = all;
    all = w;
    return w;
}

void *weir__walls_make(weir__walls **walls, size_t bytes, int behind, const char *role)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t body = bytes ? (bytes + page - 1) / page * page : page;
    weir__walls *w = find_idle(body);
    if (!w) w = add_new(page, body);
    if (!w) return NULL;
    w->used = 1;
    w->bytes = bytes;
    w->behind = behind;
    w->role = role;
    memset(w->base + page, PATTERN, body);
    *walls = w;
    return memory_of(w);
}

void weir__walls_free(weir__walls *walls)
{
    weir__walls_seal(walls, 0);
    walls->used = 0;
}

void *weir__walls_struct(weir__walls *w, size_t size)
{
    return w->base + 3 * w->page + w->body - size;
}

void weir__walls_seal(weir__walls *w, int sealed)
{
    if (w->sealed == sealed) return;
    mprotect(w->base + w->page, w->body, sealed ? PROT_READ : PROT_READ | PROT_WRITE);
    w->sealed = sealed;
}

int weir__walls_intact(const weir__walls *w)
{
    const unsigned char *const first = w->base + w->page, *const memory = memory_of(w);
    for (const unsigned char *at = first; at < memory; at++)
        if (*at != PATTERN) return 0;
    for (const unsigned char *at = memory + w->bytes; at < first + w->body; at++)
        if (*at != PATTERN) return 0;
    return 1;
}

void weir__walls_accuse(const void *address, char *text, size_t size)
{
    const uintptr_t at = (uintptr_t)address;
    text[0] = '\0';
    for (const weir__walls *w = all; w; w = w->next) {
        const uintptr_t base = (uintptr_t)w->base;
        if (at < base || at >= base + total(w)) continue;
        const size_t offset = at - base;
        if (offset < w->page)
            snprintf(text, size, "memory before the first lane of %s was touched", w->role);
        else if (offset < w->page + w->body)
            snprintf(text, size, "%s was written, which is read-only", w->role);
        else if (offset < 2 * w->page + w->body)
            snprintf(text, size, "memory behind the last lane of %s was touched", w->role);
        else
            snprintf(text, size, "memory behind the descriptor of %s was touched", w->role);
        return;
    }
}
