/* memory.c - tape and scratch: chunked stacks that grow to a high-water mark and then never allocate again.
 *
 * Invariant of both: records are 64-byte aligned and stay where they are; positions ("marks") count bytes over all
 * chunks, and a record never spans two. */
#include "run/memory.h"

#include <stdlib.h>

#define ALIGN       64
#define CHUNK_LEAST (INT64_C(1) << 16)
#define CHUNK_MOST  (INT64_C(1) << 40)

typedef struct chunk {
    unsigned char *data;
    int64_t first; /* position of data[0] */
    int64_t size;
} chunk;

typedef struct stack {
    chunk *chunks;
    int32_t count, capacity, current;
    int64_t position;
    int64_t high_water;
} stack;

struct weir_tape {
    stack stack;
};

struct weir_scratch {
    stack stack;
};

static int64_t rounded(int64_t bytes)
{
    return (bytes + ALIGN - 1) & ~(int64_t)(ALIGN - 1);
}

static void stack_clear(stack *s)
{
    for (int32_t i = 0; i < s->count; i++) free(s->chunks[i].data);
    free(s->chunks);
    *s = (stack){0};
}

static int stack_grow(stack *s, int64_t bytes)
{
    const int64_t end = s->count ? s->chunks[s->count - 1].first + s->chunks[s->count - 1].size : 0;
    int64_t size = end > CHUNK_LEAST ? end : CHUNK_LEAST;
    if (size < bytes) size = bytes;
    if (s->count == s->capacity) {
        const int32_t capacity = s->capacity ? 2 * s->capacity : 8;
        chunk *const chunks = realloc(s->chunks, (size_t)capacity * sizeof *chunks);
        if (!chunks) return 0;
        s->chunks = chunks;
        s->capacity = capacity;
    }
    unsigned char *const data = aligned_alloc(ALIGN, (size_t)size);
    if (!data) return 0;
    s->chunks[s->count++] = (chunk){data, end, size};
    return 1;
}

/* Moves on to the next chunk when the record does not fit; the rest of the old one stays unused, and the position jumps
 * over it, which is why pop must know sizes. */
static void *stack_take(stack *s, int64_t bytes)
{
    if (bytes < 0 || bytes > CHUNK_MOST) return NULL;
    const int64_t size = bytes ? rounded(bytes) : ALIGN;
    for (;;) {
        if (s->current < s->count) {
            const chunk *const c = &s->chunks[s->current];
            if (s->position < c->first) s->position = c->first;
            if (c->first + c->size - s->position >= size) break;
            s->current++;
        } else if (!stack_grow(s, size)) {
            return NULL;
        }
    }
    const chunk *const c = &s->chunks[s->current];
    void *const record = c->data + (s->position - c->first);
    s->position += size;
    if (s->position > s->high_water) s->high_water = s->position;
    return record;
}

static void stack_seek(stack *s, int64_t position)
{
    s->position = position;
    int32_t i = s->current < s->count ? s->current : s->count - 1;
    while (i > 0 && s->chunks[i].first >= position) i--;
    while (i + 1 < s->count && s->chunks[i].first + s->chunks[i].size < position) i++;
    s->current = i < 0 ? 0 : i;
}

weir_scratch *weir__scratch_new(void)
{
    return calloc(1, sizeof(weir_scratch));
}

void weir__scratch_free(weir_scratch *scratch)
{
    if (!scratch) return;
    stack_clear(&scratch->stack);
    free(scratch);
}

void weir__scratch_reset(weir_scratch *scratch)
{
    stack_seek(&scratch->stack, 0);
}

int64_t weir__scratch_high_water(const weir_scratch *scratch)
{
    return scratch->stack.high_water;
}

void *weir__scratch_take(weir_scratch *scratch, int64_t bytes)
{
    return stack_take(&scratch->stack, bytes);
}

int64_t weir__scratch_position(const weir_scratch *scratch)
{
    return scratch->stack.position;
}

void weir__scratch_seek(weir_scratch *scratch, int64_t position)
{
    stack_seek(&scratch->stack, position);
}

/* ---- tape: each record is followed by a footer that tells its size and where the one before ended --------------- */

typedef struct footer {
    int64_t bytes;    /* as pushed */
    int64_t previous; /* position before the push */
    void *record;
} footer;

weir_tape *weir__tape_new(void)
{
    return calloc(1, sizeof(weir_tape));
}

void weir__tape_free(weir_tape *tape)
{
    if (!tape) return;
    stack_clear(&tape->stack);
    free(tape);
}

int64_t weir__tape_mark(const weir_tape *tape)
{
    return tape->stack.position;
}

void weir__tape_rewind(weir_tape *tape, int64_t mark)
{
    stack_seek(&tape->stack, mark);
}

void weir__tape_reset(weir_tape *tape)
{
    stack_seek(&tape->stack, 0);
}

int64_t weir__tape_high_water(const weir_tape *tape)
{
    return tape->stack.high_water;
}

void *weir__tape_push(weir_tape *tape, int64_t bytes)
{
    if (bytes < 0 || bytes > CHUNK_MOST) return NULL;
    const int64_t previous = tape->stack.position;
    const int64_t body = rounded(bytes);
    unsigned char *const record = stack_take(&tape->stack, body + ALIGN);
    if (!record) return NULL;
    *(footer *)(void *)(record + body) = (footer){bytes, previous, record};
    return record;
}

void *weir__tape_pop(weir_tape *tape, int64_t bytes, int64_t *found)
{
    stack *const s = &tape->stack;
    *found = -1;
    if (s->position <= 0 || s->current >= s->count) return NULL;
    const chunk *const c = &s->chunks[s->current];
    const footer *const foot = (const footer *)(const void *)(c->data + (s->position - ALIGN - c->first));
    *found = foot->bytes;
    if (foot->bytes != bytes) return NULL;
    void *const record = foot->record;
    stack_seek(s, foot->previous);
    return record;
}
