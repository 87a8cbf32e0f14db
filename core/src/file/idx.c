/* idx.c - the IDX format of the MNIST family: two zero bytes, type, rank, big-endian extents, big-endian elements.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bytes.h"
#include "parsers.h"

/* 0 for a code that the format does not know. */
static int32_t dtype_of(int code)
{
    switch (code) {
    case 0x08:
        return WEIR_DTYPE_U8;
    case 0x09:
        return WEIR_DTYPE_I8;
    case 0x0b:
        return WEIR_DTYPE_I16;
    case 0x0c:
        return WEIR_DTYPE_I32;
    case 0x0d:
        return WEIR_DTYPE_F32;
    case 0x0e:
        return WEIR_DTYPE_F64;
    default:
        return 0;
    }
}

static weir_status check_head(const unsigned char *data, int64_t size, const char *name, weir_error *error)
{
    if (size < 4 || data[0] || data[1])
        return weir__fail(error, WEIR_INVALID,
                          "%s: does not begin as an IDX file does; is it the right file?", name);
    if (!dtype_of(data[2]))
        return weir__fail(error, WEIR_INVALID,
                          "%s: byte 3: IDX knows no element type 0x%02x; the file is damaged", name, data[2]);
    if (data[3] < 1 || data[3] > WEIR__RANK_MAX)
        return weir__fail(error, WEIR_INVALID, "%s: byte 4: has %d axes; 1 to %d can be read", name, data[3],
                          WEIR__RANK_MAX);
    if (size < 4 + 4 * (int64_t)data[3])
        return weir__fail(error, WEIR_INVALID, "%s: ends within its header; the file is cut", name);
    return WEIR_OK;
}

weir_status weir__idx_parse(const unsigned char *data, int64_t size, const char *name, weir_array **array,
                            weir_error *error)
{
    weir_status status = check_head(data, size, name, error);
    if (status) return status;
    const int32_t dtype = dtype_of(data[2]), rank = data[3];
    const int64_t item = weir__dtype_bytes(dtype), rest = size - 4 - 4 * rank;
    int64_t dims[WEIR__RANK_MAX];
    for (int32_t i = 0; i < rank; i++) dims[i] = weir__be32(data + 4 + 4 * i);
    const int64_t bytes = weir__dims_bytes(rank, dims, item);
    if (bytes != rest)
        return weir__fail(
            error, WEIR_INVALID,
            "%s: its extents do not match the %lld bytes of data that are there; the file is cut or damaged",
            name, (long long)rest);
    weir_array *a;
    status = weir__array_new(dtype, rank, dims, name, &a, error);
    if (status) return status;
    memcpy(a->data, data + 4 + 4 * rank, (size_t)bytes);
    if (WEIR__LITTLE_ENDIAN) weir__swap_bytes(a->data, a->count, item);
    *array = a;
    return WEIR_OK;
}
