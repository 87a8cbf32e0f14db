/* sha256.h - the SHA-256 digest of FIPS 180-4. */
#ifndef WEIR__SHA256_H
#define WEIR__SHA256_H

#include <stddef.h>

/** 64 hexadecimal digits and a zero. */
#define WEIR__SHA256_TEXT 65

/** Writes the digest of data[0 .. size) in lower case. `data` may be NULL when size is 0. */
void weir__sha256(const void *data, size_t size, char text[WEIR__SHA256_TEXT]);

#endif
