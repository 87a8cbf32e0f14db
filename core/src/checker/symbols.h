/* symbols.h - names of functions that a shared object does not export, from the table that debuggers use. */
#ifndef WEIR__SYMBOLS_H
#define WEIR__SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

/** The function that the byte at `offset` from the start of the object's memory belongs to; "" when the file does not say, or
 *  was stripped. Reads nothing outside data[0 .. size) whatever the bytes are. */
void weir__symbol_at(const unsigned char *data, int64_t size, uint64_t offset, char *name, size_t room);

#endif
