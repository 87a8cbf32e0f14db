/* allocator.c - this program's malloc and free, which count: a plugin's are these too, as the program's symbols come first.
 *
 * Sanitizers bring allocators of their own, which call back; other C libraries have other names: there nobody counts, and
 * the checks that ask are left out.
 */
#include "checker/allocator.h"

#include "check/watch.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

static _Thread_local int64_t made;
static _Atomic int64_t living;

#if defined(SANITIZED)
/* of <sanitizer/allocator_interface.h>, which not every compiler brings with its run-time library */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));

static void note_malloc(const volatile void *memory, size_t size)
{
    (void)memory, (void)size;
    made++;
    atomic_fetch_add_explicit(&living, 1, memory_order_relaxed);
}

static void note_free(const volatile void *memory)
{
    (void)memory;
    atomic_fetch_sub_explicit(&living, 1, memory_order_relaxed);
}

static int is_counted(void)
{
    return __sanitizer_install_malloc_and_free_hooks(note_malloc, note_free) > 0;
}

#elif defined(__GLIBC__)
#include <errno.h>
#include <malloc.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

static void *count(void *memory)
{
    if (!memory) return NULL;
    made++;
    atomic_fetch_add_explicit(&living, 1, memory_order_relaxed);
    return memory;
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
    return count(__libc_malloc(size));
}

__attribute__((visibility("default"))) void *calloc(size_t number, size_t size)
{
    return count(__libc_calloc(number, size));
}

__attribute__((visibility("default"))) void free(void *memory)
{
    if (memory) atomic_fetch_sub_explicit(&living, 1, memory_order_relaxed);
    __libc_free(memory);
}

__attribute__((visibility("default"))) void *realloc(void *memory, size_t size)
{
    void *const moved = __libc_realloc(memory, size);
    if (!memory) return count(moved);
    made++;
    if (!moved && !size) atomic_fetch_sub_explicit(&living, 1, memory_order_relaxed);
    return moved;
}

__attribute__((visibility("default"))) void *memalign(size_t alignment, size_t size)
{
    return count(__libc_memalign(alignment, size));
}

__attribute__((visibility("default"))) void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

__attribute__((visibility("default"))) int posix_memalign(void **memory, size_t alignment, size_t size)
{
    if (alignment % sizeof(void *) || !alignment || alignment & (alignment - 1)) return EINVAL;
    void *const made_now = memalign(alignment, size);
    if (!made_now) return ENOMEM;
    *memory = made_now;
    return 0;
}

static int is_counted(void)
{
    return 1;
}

#else
static int is_counted(void)
{
    return 0;
}
#endif

static int64_t made_here(void)
{
    return made;
}

static int64_t living_now(void)
{
    return atomic_load_explicit(&living, memory_order_relaxed);
}

void weir__allocator_count(void)
{
    if (!is_counted()) return;
    weir__allocations = made_here;
    weir__live_blocks = living_now;
}
