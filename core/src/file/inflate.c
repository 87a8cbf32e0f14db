/* inflate.c - deflate and gzip streams through zlib, which counts in 32 bits: longer ones are fed in pieces.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inflate.h"

#include <stdlib.h>
#include <zlib.h>

#define PIECE       ((int64_t)1 << 30)
#define FIRST_GUESS ((int64_t)1 << 16)

typedef struct stream {
    z_stream z;
    const unsigned char *in, *in_end;
    unsigned char *out, *out_end;
} stream;

/* One call of inflate() on at most a piece of each side; moves both positions. */
static int step(stream *s)
{
    const int64_t in = s->in_end - s->in, out = s->out_end - s->out;
    s->z.next_in = (z_const Bytef *)s->in;
    s->z.avail_in = (uInt)(in < PIECE ? in : PIECE);
    s->z.next_out = s->out;
    s->z.avail_out = (uInt)(out < PIECE ? out : PIECE);
    const int rc = inflate(&s->z, Z_NO_FLUSH);
    s->in = s->z.next_in;
    s->out = s->z.next_out;
    return rc;
}

static const char *trouble(int rc)
{
    if (rc == Z_MEM_ERROR) return "out of memory while it is decompressed; free some and try again";
    if (rc == Z_BUF_ERROR || rc == Z_OK || rc == Z_STREAM_END)
        return "the compressed data end early or do not have the size they claim; copy or download it again";
    return "the compressed data are damaged; copy or download it again";
}

/* Until the stream ends, the output is full, or nothing moves any more. */
static int run(stream *s)
{
    for (;;) {
        const unsigned char *const in = s->in, *const out = s->out;
        const int rc = step(s);
        if (rc != Z_OK || (s->in == in && s->out == out)) return rc;
    }
}

weir_status weir__inflate(const unsigned char *data, int64_t size, unsigned char *out, int64_t out_size,
                          const char *name, weir_error *error)
{
    stream s = {.in = data, .in_end = data + size, .out = out, .out_end = out + out_size};
    if (inflateInit2(&s.z, -MAX_WBITS) != Z_OK) return weir__no_memory(error, name);
    const int rc = run(&s);
    inflateEnd(&s.z);
    if (rc == Z_STREAM_END && s.in == s.in_end && s.out == s.out_end) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID, "%s: %s", name, trouble(rc));
}

/* Doubles the output; the last byte is kept for the zero behind the contents. */
static weir_status grow(stream *s, unsigned char **block, int64_t limit, const char *name, weir_error *error)
{
    const int64_t used = *block ? s->out - *block : 0;
    if (used >= limit)
        return weir__fail(error, WEIR_INVALID,
                          "%s: holds more than %lld MiB when decompressed; split it, or decompress it first",
                          name, (long long)(limit >> 20));
    int64_t room = used ? 2 * used : FIRST_GUESS;
    if (room > limit) room = limit;
    unsigned char *const larger = realloc(*block, (size_t)room + 1);
    if (!larger) return weir__no_memory(error, name);
    *block = larger;
    s->out = larger + used;
    s->out_end = larger + room;
    return WEIR_OK;
}

/* rc after a member: 1 another one follows, 0 the file ends here, -1 something else follows. */
static int after_member(const stream *s)
{
    if (s->in == s->in_end) return 0;
    return s->in_end - s->in >= 2 && s->in[0] == 0x1f && s->in[1] == 0x8b ? 1 : -1;
}

weir_status weir__gunzip(const unsigned char *data, int64_t size, int64_t limit, const char *name,
                         unsigned char **out, int64_t *out_size, weir_error *error)
{
    stream s = {.in = data, .in_end = data + size};
    unsigned char *block = NULL;
    weir_status status = WEIR_OK;
    if (inflateInit2(&s.z, 16 + MAX_WBITS) != Z_OK) return weir__no_memory(error, name);
    for (;;) {
        if (s.out == s.out_end && (status = grow(&s, &block, limit, name, error))) goto fail;
        const int rc = run(&s);
        if ((rc == Z_OK || rc == Z_BUF_ERROR) && s.out == s.out_end) continue;
        const int next = rc == Z_STREAM_END ? after_member(&s) : -1;
        if (next == 0) break;
        if (next < 0 || inflateReset(&s.z) != Z_OK) {
            status = weir__fail(error, WEIR_INVALID, "%s: %s", name, trouble(rc));
            goto fail;
        }
    }
    inflateEnd(&s.z);
    *s.out = 0;
    *out_size = s.out - block;
    *out = block;
    return WEIR_OK;
fail:
    inflateEnd(&s.z);
    free(block);
    return status;
}
