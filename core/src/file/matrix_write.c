/* matrix_write.c - matrices into .npy and .csv files, replaced atomically.
 *
 * SPDX-License-Identifier: MIT
 */
#include "file.h"
#include "npy.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NPY_ALIGN 64

static weir_status check_matrix(const char *path, const weir_matrix *m, weir_error *error)
{
    const int64_t item = m && WEIR_HAS(m, data) ? weir__dtype_bytes(m->dtype) : 0;
    if (item == 0)
        return weir__fail(error, WEIR_INVALID, "%s: the matrix has no known dtype or struct_size; set both",
                          path);
    const int64_t stride = m->row_stride ? m->row_stride : m->columns;
    if (m->rows < 0 || m->columns < 0 || stride < m->columns ||
        weir__dims_bytes(2, (int64_t[]){m->rows, stride}, item) < 0)
        return weir__fail(error, WEIR_INVALID,
                          "%s: %lld x %lld with a row stride of %lld is no matrix; correct its shape", path,
                          (long long)m->rows, (long long)m->columns, (long long)stride);
    if (!m->data && m->rows > 0 && m->columns > 0)
        return weir__fail(error, WEIR_INVALID, "%s: the matrix has no data; set its pointer", path);
    return WEIR_OK;
}

static const char *row_of(const weir_matrix *m, int64_t i)
{
    const int64_t stride = m->row_stride ? m->row_stride : m->columns;
    return (const char *)m->data + i * stride * weir__dtype_bytes(m->dtype);
}

/* ---- .npy ------------------------------------------------------------------------------------- */

/* Version 1: magic, a 16-bit length, and the dictionary padded so that the data begin at a multiple of 64. */
static void put_npy_header(weir__writer *w, const weir_matrix *m)
{
    char text[256];
    const int length =
        snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (%lld, %lld), }",
                 weir__npy_descr(m->dtype), (long long)m->rows, (long long)m->columns);
    const size_t end = ((size_t)length + 11 + NPY_ALIGN - 1) / NPY_ALIGN * NPY_ALIGN - 10;
    memset(text + length, ' ', end - (size_t)length);
    text[end - 1] = '\n';
    const unsigned char head[10] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(end & 255), (unsigned char)(end >> 8)};
    weir__writer_put(w, head, sizeof head);
    weir__writer_put(w, text, (int64_t)end);
}

static void put_npy(weir__writer *w, const weir_matrix *m)
{
    const int64_t bytes = m->columns * weir__dtype_bytes(m->dtype);
    put_npy_header(w, m);
    for (int64_t i = 0; bytes > 0 && i < m->rows; i++) weir__writer_put(w, row_of(m, i), bytes);
}

/* ---- .csv ------------------------------------------------------------------------------------- */

static int64_t integer_at(const char *p, int32_t dtype)
{
    switch (dtype) {
    case WEIR_DTYPE_U8:
    case WEIR_DTYPE_BOOL:
        return *(const uint8_t *)p;
    case WEIR_DTYPE_I8:
        return *(const int8_t *)p;
    case WEIR_DTYPE_U16:
        return *(const uint16_t *)(const void *)p;
    case WEIR_DTYPE_I16:
        return *(const int16_t *)(const void *)p;
    case WEIR_DTYPE_U32:
        return *(const uint32_t *)(const void *)p;
    case WEIR_DTYPE_I32:
        return *(const int32_t *)(const void *)p;
    default:
        return *(const int64_t *)(const void *)p;
    }
}

/* The fewest digits that read back as the same number: 9 for a float and 17 for a double always do. */
static int print_float(char *text, size_t size, float value)
{
    for (int digits = 6;; digits++) {
        const int n = snprintf(text, size, "%.*g", digits, (double)value);
        if (digits >= 9 || strtof(text, NULL) == value) return n;
    }
}

static int print_double(char *text, size_t size, double value)
{
    for (int digits = 15;; digits++) {
        const int n = snprintf(text, size, "%.*g", digits, value);
        if (digits >= 17 || strtod(text, NULL) == value) return n;
    }
}

static void put_number(weir__writer *w, const char *p, int32_t dtype)
{
    char text[40];
    int n;
    if (dtype == WEIR_DTYPE_F32)
        n = print_float(text, sizeof text, *(const float *)(const void *)p);
    else if (dtype == WEIR_DTYPE_F64)
        n = print_double(text, sizeof text, *(const double *)(const void *)p);
    else
        n = snprintf(text, sizeof text, "%lld", (long long)integer_at(p, dtype));
    weir__writer_put(w, text, n);
}

/* Quotes where a name would not be read back as one cell. */
static void put_name(weir__writer *w, const char *name)
{
    const size_t length = strlen(name);
    if (length && !strpbrk(name, ",;\t\"\r\n#") && name[0] != ' ' && name[length - 1] != ' ') {
        weir__writer_put(w, name, (int64_t)length);
        return;
    }
    weir__writer_put(w, "\"", 1);
    for (const char *p = name; *p; p++) weir__writer_put(w, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
    weir__writer_put(w, "\"", 1);
}

static void put_csv(weir__writer *w, const weir_matrix *m, const char *const *columns)
{
    const int64_t item = weir__dtype_bytes(m->dtype);
    for (int64_t j = 0; columns && j < m->columns; j++) {
        if (j) weir__writer_put(w, ",", 1);
        put_name(w, columns[j]);
    }
    if (columns) weir__writer_put(w, "\n", 1);
    for (int64_t i = 0; i < m->rows; i++) {
        for (int64_t j = 0; j < m->columns; j++) {
            if (j) weir__writer_put(w, ",", 1);
            put_number(w, row_of(m, i) + j * item, m->dtype);
        }
        weir__writer_put(w, "\n", 1);
    }
}

/* The point stays a point in every locale; only this thread's is changed. */
static weir_status put_csv_in_c_locale(weir__writer *w, const weir_matrix *m, const char *const *columns,
                                       const char *path, weir_error *error)
{
    const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c) return weir__no_memory(error, path);
    const locale_t old = uselocale(c);
    put_csv(w, m, columns);
    uselocale(old);
    freelocale(c);
    return WEIR_OK;
}

/* ---- either ----------------------------------------------------------------------------------- */

static int ends(const char *path, const char *ending)
{
    const size_t n = strlen(path), e = strlen(ending);
    return n > e && !strcasecmp(path + n - e, ending);
}

weir_status weir_matrix_write(const char *path, const weir_matrix *matrix, const char *const *columns,
                              weir_error *error)
{
    if (!path) return weir__fail(error, WEIR_INVALID, "weir_matrix_write: path must not be NULL");
    const int csv = ends(path, ".csv");
    if (!csv && !ends(path, ".npy"))
        return weir__fail(error, WEIR_INVALID, "%s: the ending says the format; use .npy or .csv", path);
    weir_status status = check_matrix(path, matrix, error);
    if (status) return status;
    weir__writer *w;
    status = weir__writer_open(path, &w, error);
    if (status) return status;
    if (csv)
        status = put_csv_in_c_locale(w, matrix, columns, path, error);
    else
        put_npy(w, matrix);
    if (!status) return weir__writer_commit(w, error);
    weir__writer_abandon(w);
    return status;
}
