/* image.h - which plugin an address of this process belongs to. */
#ifndef WEIR__IMAGE_H
#define WEIR__IMAGE_H

/** Remembers, for the life of the process, where the shared object lies that holds `address` and was opened as `path`. */
void weir__image_remember(const void *address, const char *path);
/** The path, or NULL. Async-signal-safe. */
const char *weir__image_at(const void *address);

#endif
