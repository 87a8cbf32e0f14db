/* bytes.h - integers of a stated byte order out of memory that may be unaligned.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR__BYTES_H
#define WEIR__BYTES_H

#include <stdint.h>
#include <string.h>

#define WEIR__LITTLE_ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

static inline uint16_t weir__le16(const unsigned char *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t weir__le32(const unsigned char *p)
{
    return (uint32_t)weir__le16(p) | (uint32_t)weir__le16(p + 2) << 16;
}

static inline uint64_t weir__le64(const unsigned char *p)
{
    return (uint64_t)weir__le32(p) | (uint64_t)weir__le32(p + 4) << 32;
}

static inline uint32_t weir__be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

/** Reverses the bytes of each of `count` items of `size` bytes: 1, 2, 4 or 8. */
static inline void weir__swap_bytes(void *data, int64_t count, int64_t size)
{
    unsigned char *p = data;
    for (int64_t i = 0; size > 1 && i < count; i++, p += size)
        for (int64_t a = 0, b = size - 1; a < b; a++, b--) {
            const unsigned char byte = p[a];
            p[a] = p[b];
            p[b] = byte;
        }
}

#endif
