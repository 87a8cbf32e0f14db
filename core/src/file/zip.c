/* zip.c - reading zip archives (PKWARE's APPNOTE), as far as .npz files use them: stored and deflated members, with
 * 64-bit sizes. No encryption, no archives in several parts, nothing before the archive in the file.
 *
 * SPDX-License-Identifier: MIT
 *
 * The central directory is believed only where the file can hold what it says, and sizes only as far as deflate can
 * reach them, so that a small file cannot ask for much memory.
 */
#include "zip.h"
#include "bytes.h"
#include "inflate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

#define END_SIZE       22
#define LOCATOR_SIZE   20
#define END64_SIZE     56
#define ENTRY_SIZE     46
#define LOCAL_SIZE     30
#define COMMENT_MAX    65535
#define DEFLATE_FACTOR 1032 /* no byte of deflate makes more bytes than this */
#define BIG            UINT32_MAX

static weir_status damaged(const char *name, const char *what, weir_error *error)
{
    return weir__fail(error, WEIR_INVALID, "%s: %s; the archive is cut or damaged", name, what);
}

/* The last place where an end record, with a comment of the length it states, reaches exactly to the end of the file. */
static const unsigned char *find_end(const unsigned char *data, int64_t size)
{
    const int64_t lowest = size > END_SIZE + COMMENT_MAX ? size - END_SIZE - COMMENT_MAX : 0;
    for (int64_t i = size - END_SIZE; i >= lowest; i--)
        if (weir__le32(data + i) == 0x06054b50 && i + END_SIZE + weir__le16(data + i + 20) == size)
            return data + i;
    return NULL;
}

/* The 64-bit end record stands where its locator, right before the plain end record, says. */
static const unsigned char *find_end64(const unsigned char *data, const unsigned char *end)
{
    const int64_t before = end - data;
    if (before < LOCATOR_SIZE + END64_SIZE || weir__le32(end - LOCATOR_SIZE) != 0x07064b50) return NULL;
    const uint64_t at = weir__le64(end - LOCATOR_SIZE + 8);
    if (at > (uint64_t)(before - LOCATOR_SIZE - END64_SIZE) || weir__le32(data + at) != 0x06064b50)
        return NULL;
    return data + at;
}

weir_status weir__zip_open(const unsigned char *data, int64_t size, const char *name, weir__zip *zip,
                           weir_error *error)
{
    const unsigned char *const end = find_end(data, size);
    if (!end) return damaged(name, "has no directory at its end", error);
    uint64_t length = weir__le32(end + 12), offset = weir__le32(end + 16);
    if (length == BIG || offset == BIG || weir__le16(end + 10) == UINT16_MAX) {
        const unsigned char *const end64 = find_end64(data, end);
        if (!end64) return damaged(name, "its 64-bit end record is missing", error);
        length = weir__le64(end64 + 40);
        offset = weir__le64(end64 + 48);
    }
    const uint64_t room = (uint64_t)(end - data);
    if (offset > room || length > room - offset)
        return damaged(name, "its directory lies outside of it", error);
    *zip = (weir__zip){
        .data = data, .size = size, .at = data + offset, .end = data + offset + length, .name = name};
    return WEIR_OK;
}

/* ---- the directory ---------------------------------------------------------------------------- */

/* The values that did not fit 32 bits stand in extra field 1, in this order, and only those. */
static bool widen(const unsigned char *extra, int64_t length, uint64_t *values[3])
{
    while (length >= 4) {
        const int64_t field = weir__le16(extra + 2);
        if (field > length - 4) return false;
        if (weir__le16(extra) == 1) {
            const unsigned char *p = extra + 4, *const field_end = p + field;
            for (int i = 0; i < 3; i++) {
                if (*values[i] != BIG) continue;
                if (field_end - p < 8) return false;
                *values[i] = weir__le64(p);
                p += 8;
            }
            return true;
        }
        extra += 4 + field;
        length -= 4 + field;
    }
    return *values[0] != BIG && *values[1] != BIG && *values[2] != BIG;
}

weir_status weir__zip_next(weir__zip *zip, weir__zip_entry *entry, int32_t *found, weir_error *error)
{
    const unsigned char *const p = zip->at;
    const int64_t rest = zip->end - p;
    *found = 0;
    if (rest == 0) return WEIR_OK;
    if (rest < ENTRY_SIZE || weir__le32(p) != 0x02014b50)
        return damaged(zip->name, "its directory ends early", error);
    const int64_t name = weir__le16(p + 28), extra = weir__le16(p + 30), comment = weir__le16(p + 32);
    if (name + extra + comment > rest - ENTRY_SIZE)
        return damaged(zip->name, "its directory ends early", error);
    uint64_t packed = weir__le32(p + 20), size = weir__le32(p + 24), offset = weir__le32(p + 42);
    const bool ok = widen(p + ENTRY_SIZE + name, extra, (uint64_t *[3]){&size, &packed, &offset});
    if (!ok || packed > (uint64_t)zip->size || offset > (uint64_t)zip->size ||
        size / DEFLATE_FACTOR > (uint64_t)zip->size)
        return damaged(zip->name, "a member has impossible sizes", error);
    *entry = (weir__zip_entry){.name = (const char *)p + ENTRY_SIZE,
                               .name_length = (int32_t)name,
                               .method = weir__le16(p + 10),
                               .encrypted = weir__le16(p + 8) & 1,
                               .crc = weir__le32(p + 16),
                               .packed = (int64_t)packed,
                               .size = (int64_t)size,
                               .offset = (int64_t)offset};
    zip->at = p + ENTRY_SIZE + name + extra + comment;
    *found = 1;
    return WEIR_OK;
}

/* ---- one member ------------------------------------------------------------------------------- */

/* The local header's own extra field may be longer or shorter than the directory's. NULL: outside the file. */
static const unsigned char *find_body(const weir__zip *zip, const weir__zip_entry *e)
{
    const unsigned char *const local = zip->data + e->offset;
    const int64_t rest = zip->size - e->offset;
    if (rest < LOCAL_SIZE || weir__le32(local) != 0x04034b50) return NULL;
    const int64_t head = LOCAL_SIZE + weir__le16(local + 26) + weir__le16(local + 28);
    return head > rest || e->packed > rest - head ? NULL : local + head;
}

static weir_status unpack(const unsigned char *body, const weir__zip_entry *e, const char *label,
                          const unsigned char **bytes, unsigned char **block, weir_error *error)
{
    if (e->method == 0) {
        *bytes = body;
        return e->size == e->packed ? WEIR_OK : damaged(label, "has two different sizes", error);
    }
    if (e->method != 8)
        return weir__fail(error, WEIR_INVALID, "%s: is packed by method %d; save it with numpy.savez", label,
                          e->method);
    if (e->size / DEFLATE_FACTOR > e->packed) return damaged(label, "claims an impossible size", error);
    unsigned char *const out = malloc(e->size ? (size_t)e->size : 1);
    if (!out) return weir__no_memory(error, label);
    const weir_status status = weir__inflate(body, e->packed, out, e->size, label, error);
    if (status) {
        free(out);
        return status;
    }
    *bytes = *block = out;
    return WEIR_OK;
}

weir_status weir__zip_contents(const weir__zip *zip, const weir__zip_entry *entry, const char *label,
                               const unsigned char **bytes, unsigned char **block, weir_error *error)
{
    *block = NULL;
    if (entry->encrypted)
        return weir__fail(error, WEIR_INVALID, "%s: is encrypted; unpack it with a zip program first", label);
    const unsigned char *const body = find_body(zip, entry);
    if (!body) return damaged(label, "lies outside of the archive", error);
    const weir_status status = unpack(body, entry, label, bytes, block, error);
    if (status) return status;
    if (crc32_z(0, *bytes, (z_size_t)entry->size) == entry->crc) return WEIR_OK;
    free(*block);
    *block = NULL;
    return damaged(label, "has a wrong checksum", error);
}
