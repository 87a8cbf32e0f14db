/* npy.c - NumPy's .npy files, format versions 1 to 3 (described in numpy.lib.format), into native row-major arrays.
 *
 * SPDX-License-Identifier: MIT
 *
 * Half precision is widened to f32. Unsigned 64-bit integers become signed ones when all fit.
 */
#include "npy.h"
#include "bytes.h"
#include "parsers.h"

#define MAGIC_SIZE 8

static int32_t dtype_of(const weir__npy_header *h)
{
    static const int32_t floats[] = {[2] = WEIR_DTYPE_F32, [4] = WEIR_DTYPE_F32, [8] = WEIR_DTYPE_F64};
    static const int32_t integers[] = {
        [1] = WEIR_DTYPE_I8, [2] = WEIR_DTYPE_I16, [4] = WEIR_DTYPE_I32, [8] = WEIR_DTYPE_I64};
    static const int32_t naturals[] = {
        [1] = WEIR_DTYPE_U8, [2] = WEIR_DTYPE_U16, [4] = WEIR_DTYPE_U32, [8] = WEIR_DTYPE_I64};
    if (h->kind == 'b') return WEIR_DTYPE_BOOL;
    return h->kind == 'f' ? floats[h->item] : h->kind == 'i' ? integers[h->item] : naturals[h->item];
}

/* Element by element in the order of the result; the place in the file advances by the strides of Fortran's order. */
static void gather(const weir__npy_header *h, int64_t count, const unsigned char *from, unsigned char *to)
{
    int64_t index[WEIR__RANK_MAX] = {0}, stride[WEIR__RANK_MAX], source = 0;
    const size_t item = (size_t)h->item;
    for (int32_t a = 0; a < h->rank; a++) stride[a] = a ? stride[a - 1] * h->dims[a - 1] : h->item;
    for (int64_t i = 0; i < count; i++, to += item) {
        memcpy(to, from + source, item);
        for (int32_t a = h->rank - 1; a >= 0; a--) {
            source += stride[a];
            if (++index[a] < h->dims[a]) break;
            source -= stride[a] * h->dims[a];
            index[a] = 0;
        }
    }
}

/* IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits. A subnormal is its fraction in units of 2^-24. */
static float widen(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half >> 15) << 31, exponent = half >> 10 & 31u, fraction = half & 1023u;
    if (exponent == 0) {
        const float magnitude = (float)fraction * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    const uint32_t bits = sign | (exponent == 31 ? 255u : exponent + 112u) << 23 | fraction << 13;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The halves lie in the upper half of the result's memory: the float written at i never reaches a half after i. */
static void widen_all(float *to, int64_t count)
{
    const unsigned char *const from = (const unsigned char *)to + 2 * count;
    for (int64_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, from + 2 * i, sizeof half);
        to[i] = widen(half);
    }
}

static weir_status check_fits(const int64_t *values, int64_t count, const char *name, weir_error *error)
{
    for (int64_t i = 0; i < count; i++)
        if (values[i] < 0)
            return weir__fail(error, WEIR_INVALID,
                              "%s: element %lld is 2^63 or more; convert the array to float64 first", name,
                              (long long)i);
    return WEIR_OK;
}

static void settle_bools(unsigned char *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++) values[i] = values[i] != 0;
}

static weir_status convert(const weir__npy_header *h, const unsigned char *body, const char *name,
                           weir_array *a, weir_error *error)
{
    unsigned char *const raw = (unsigned char *)a->data + a->count * (weir__dtype_bytes(a->dtype) - h->item);
    if (h->fortran && h->rank > 1)
        gather(h, a->count, body, raw);
    else
        memcpy(raw, body, (size_t)(a->count * h->item));
    if (h->swapped) weir__swap_bytes(raw, a->count, h->item);
    if (h->kind == 'f' && h->item == 2) widen_all(a->data, a->count);
    if (h->kind == 'b') settle_bools(a->data, a->count);
    return h->kind == 'u' && h->item == 8 ? check_fits(a->data, a->count, name, error) : WEIR_OK;
}

static weir_status make(const weir__npy_header *h, const unsigned char *body, int64_t size, const char *name,
                        weir_array **array, weir_error *error)
{
    const int64_t bytes = weir__dims_bytes(h->rank, h->dims, h->item);
    if (bytes < 0)
        return weir__fail(error, WEIR_INVALID,
                          "%s: its shape needs more memory than there is; the file is damaged", name);
    if (bytes != size)
        return weir__fail(
            error, WEIR_INVALID,
            "%s: its shape needs %lld bytes of data, but %lld are there; the file is cut or damaged", name,
            (long long)bytes, (long long)size);
    weir_array *a;
    weir_status status = weir__array_new(dtype_of(h), h->rank, h->dims, name, &a, error);
    if (status) return status;
    status = convert(h, body, name, a, error);
    if (status)
        weir_array_free(a);
    else
        *array = a;
    return status;
}

weir_status weir__npy_parse(const unsigned char *data, int64_t size, const char *name, weir_array **array,
                            weir_error *error)
{
    if (size < MAGIC_SIZE || memcmp(data, "\x93NUMPY", 6))
        return weir__fail(error, WEIR_INVALID,
                          "%s: does not begin as a .npy file does; is it the right file?", name);
    const int version = data[6], prefix = MAGIC_SIZE + (version == 1 ? 2 : 4);
    if (version < 1 || version > 3 || data[7] != 0)
        return weir__fail(error, WEIR_INVALID, "%s: is .npy version %d.%d; 1.0, 2.0 and 3.0 are read", name,
                          version, data[7]);
    if (size < prefix)
        return weir__fail(error, WEIR_INVALID, "%s: ends within its header; the file is cut", name);
    const int64_t length = version == 1 ? weir__le16(data + MAGIC_SIZE) : weir__le32(data + MAGIC_SIZE);
    if (length > size - prefix)
        return weir__fail(error, WEIR_INVALID,
                          "%s: ends within its header of %lld bytes; the file is cut or damaged", name,
                          (long long)length);
    weir__npy_header header;
    int64_t at;
    const char *const problem = weir__npy_header_parse(data + prefix, length, &header, &at);
    if (problem)
        return weir__fail(error, WEIR_INVALID, "%s: .npy header, byte %lld: %s", name, (long long)at + prefix,
                          problem);
    return make(&header, data + prefix + length, size - prefix - length, name, array, error);
}
