/* allocator.h - counting what this program and the plugins in it allocate. */
#ifndef WEIR__ALLOCATOR_H
#define WEIR__ALLOCATOR_H

/** Lets the checks ask (check/watch.h), where it can be counted. */
void weir__allocator_count(void);

#endif
