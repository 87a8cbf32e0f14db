/* npy_header.c - the dictionary at the head of a .npy file.
 *
 * SPDX-License-Identifier: MIT
 *
 * It is a Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }. Only what numpy.lib.format
 * documents is accepted: those three keys, each once, in any order; nothing is ever evaluated.
 */
#include "bytes.h"
#include "npy.h"

typedef struct reader {
    const unsigned char *at, *end;
} reader;

static void skip_blanks(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n')) r->at++;
}

static bool take(reader *r, char c)
{
    skip_blanks(r);
    if (r->at == r->end || *r->at != (unsigned char)c) return false;
    r->at++;
    return true;
}

static bool take_word(reader *r, const char *word)
{
    const size_t length = strlen(word);
    skip_blanks(r);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length)) return false;
    r->at += length;
    return true;
}

/* A quoted string of plain characters; no escape is needed for what may stand here. */
static bool take_string(reader *r, char *text, size_t size)
{
    skip_blanks(r);
    if (r->at == r->end || (*r->at != '\'' && *r->at != '"')) return false;
    const unsigned char quote = *r->at++;
    size_t n = 0;
    while (r->at < r->end && *r->at != quote) {
        if (*r->at < ' ' || *r->at > '~' || *r->at == '\\' || n + 1 == size) return false;
        text[n++] = (char)*r->at++;
    }
    text[n] = 0;
    return r->at++ < r->end;
}

/* Python 2 wrote long integers with an L behind them. */
static bool take_extent(reader *r, int64_t *value)
{
    int64_t v = 0;
    skip_blanks(r);
    const unsigned char *const first = r->at;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *r->at - '0', &v)) return false;
    if (r->at == first) return false;
    if (r->at < r->end && *r->at == 'L') r->at++;
    *value = v;
    return true;
}

/* (), (n,), (n, m), (n, m, ) */
static const char *take_shape(reader *r, weir__npy_header *h)
{
    if (!take(r, '(')) return "the shape is not a tuple";
    for (h->rank = 0; !take(r, ')'); h->rank++) {
        if (h->rank == WEIR__RANK_MAX) return "the array has more than 4 axes; reshape it";
        if (!take_extent(r, &h->dims[h->rank]))
            return "an extent of the shape is not a number that fits 63 bits";
        if (take(r, ',')) continue;
        if (h->rank == 0) return "a shape of one extent needs a comma behind it";
        if (!take(r, ')')) return "the shape has no closing bracket";
        h->rank++;
        break;
    }
    return NULL;
}

static bool known(char kind, int item)
{
    switch (kind) {
    case 'f':
        return item == 2 || item == 4 || item == 8;
    case 'i':
    case 'u':
        return item == 1 || item == 2 || item == 4 || item == 8;
    case 'b':
        return item == 1;
    default:
        return false;
    }
}

/* Byte order, kind, size in one digit: "<f8". '|' is "no order", for single bytes; '=' is this machine's. */
static const char *take_descr(reader *r, weir__npy_header *h)
{
    static const char refused[] = "the dtype is not one that is read (f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1); "
                                  "convert with astype('float32')";
    char text[16] = "";
    if (!take_string(r, text, sizeof text)) return refused;
    if (strlen(text) != 3 || !strchr("<>|=", text[0]) || text[2] < '0' || text[2] > '9') return refused;
    h->kind = text[1];
    h->item = text[2] - '0';
    h->swapped = text[0] == (WEIR__LITTLE_ENDIAN ? '>' : '<');
    return known(h->kind, h->item) && (text[0] != '|' || h->item == 1) ? NULL : refused;
}

static const char *take_order(reader *r, weir__npy_header *h)
{
    h->fortran = take_word(r, "True");
    return h->fortran || take_word(r, "False") ? NULL : "fortran_order is neither True nor False";
}

static const char *take_pair(reader *r, weir__npy_header *h, unsigned *seen)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    static const char *(*const values[])(reader *, weir__npy_header *) = {take_descr, take_order, take_shape};
    char key[16];
    if (!take_string(r, key, sizeof key)) return "expected a key in quotes";
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(key, keys[i])) continue;
        if (*seen & 1u << i) return "a key stands there twice";
        *seen |= 1u << i;
        return take(r, ':') ? values[i](r, h) : "expected ':' after a key";
    }
    return "a key is none of descr, fortran_order and shape";
}

static const char *take_dictionary(reader *r, weir__npy_header *h)
{
    unsigned seen = 0;
    if (!take(r, '{')) return "expected '{'";
    while (!take(r, '}')) {
        const char *const problem = take_pair(r, h, &seen);
        if (problem) return problem;
        if (take(r, ',')) continue;
        if (!take(r, '}')) return "expected ',' or '}'";
        break;
    }
    if (seen != 7) return "one of descr, fortran_order and shape is missing";
    skip_blanks(r);
    return r->at == r->end ? NULL : "something follows the dictionary";
}

const char *weir__npy_header_parse(const unsigned char *text, int64_t size, weir__npy_header *header,
                                   int64_t *at)
{
    reader r = {.at = text, .end = text + size};
    *header = (weir__npy_header){0};
    const char *const problem = take_dictionary(&r, header);
    *at = r.at - text;
    return problem;
}

const char *weir__npy_descr(int32_t dtype)
{
#define ORDERED(letters) (WEIR__LITTLE_ENDIAN ? "<" letters : ">" letters)
    switch (dtype) {
    case WEIR_DTYPE_F32:
        return ORDERED("f4");
    case WEIR_DTYPE_F64:
        return ORDERED("f8");
    case WEIR_DTYPE_I8:
        return "|i1";
    case WEIR_DTYPE_U8:
        return "|u1";
    case WEIR_DTYPE_I16:
        return ORDERED("i2");
    case WEIR_DTYPE_U16:
        return ORDERED("u2");
    case WEIR_DTYPE_I32:
        return ORDERED("i4");
    case WEIR_DTYPE_U32:
        return ORDERED("u4");
    case WEIR_DTYPE_I64:
        return ORDERED("i8");
    case WEIR_DTYPE_BOOL:
        return "|b1";
    default:
        return NULL;
    }
#undef ORDERED
}
