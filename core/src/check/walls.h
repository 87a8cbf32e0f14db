/* walls.h - memory between pages that cannot be touched. */
#ifndef WEIR__WALLS_H
#define WEIR__WALLS_H

#include <stddef.h>

typedef struct weir__walls weir__walls;

/** `bytes` of memory that ends right before its wall behind (behind 1), or begins right after the one before it; what is
 *  left of its pages holds a pattern. NULL when memory is exhausted. `role` is kept, not copied. */
void *weir__walls_make(weir__walls **walls, size_t bytes, int behind, const char *role);
void weir__walls_free(weir__walls *walls);
/** Room for a struct of `size` bytes that ends right before a wall. */
void *weir__walls_struct(weir__walls *walls, size_t size);
/** Makes the memory read-only, or not. */
void weir__walls_seal(weir__walls *walls, int sealed);
/** True while the pattern is as it was. */
int weir__walls_intact(const weir__walls *walls);
/** Says what an address has to do with the walls of this process; "" when nothing. For signal handlers. */
void weir__walls_accuse(const void *address, char *text, size_t size);

#endif
