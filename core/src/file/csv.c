/* csv.c - tables of numbers in text, with or without a row of names, into f64 arrays.
 *
 * SPDX-License-Identifier: MIT
 *
 * The first row is taken for names when a cell of it is a word: neither a number, nor empty, nor one of the words that
 * stand for a missing number. Every other cell must be a finite number; the first that is not is named by line and
 * column. Guessing what a missing cell meant is the caller's business, not this file's.
 */
#include "csv_cells.h"
#include "decimal.h"
#include "parsers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define QUOTED_MAX 40 /* characters of a cell that a message repeats */

typedef struct table {
    weir__csv_cursor cursor;
    const char *name;
    locale_t c_locale;
    weir_error *error;
    double *values;
    int64_t count, capacity;
    int64_t columns, rows;
    char **names; /* NULL: none */
} table;

/* ---- messages --------------------------------------------------------------------------------- */

/* Not within a UTF-8 character. */
static int shown(const weir__csv_cell *cell)
{
    if (cell->length <= QUOTED_MAX) return (int)cell->length;
    int length = QUOTED_MAX;
    while (length > 0 && ((unsigned char)cell->text[length] & 0xc0) == 0x80) length--;
    return length;
}

static weir_status bad_cell(const table *t, int64_t line, int64_t column, const char *problem)
{
    const bool named = t->names && column < t->columns;
    return weir__fail(t->error, WEIR_INVALID, "%s: line %lld, column %lld%s%s%s: %s", t->name,
                      (long long)line, (long long)column + 1, named ? " (" : "",
                      named ? t->names[column] : "", named ? ")" : "", problem);
}

static bool is_word(const weir__csv_cell *cell, const char *word)
{
    return (size_t)cell->length == strlen(word) && !strncasecmp(cell->text, word, (size_t)cell->length);
}

/* Words by which programs say that there is no (finite) number. */
static bool is_missing(const weir__csv_cell *cell)
{
    static const char *const words[] = {"nan", "na", "n/a",      "null", "none",
                                        "inf", "?",  "infinity", "-",    "missing"};
    weir__csv_cell bare = *cell;
    if (bare.length > 1 && (bare.text[0] == '-' || bare.text[0] == '+')) {
        bare.text++;
        bare.length--;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word(&bare, words[i])) return true;
    return cell->length == 0;
}

static weir_status not_a_number(const table *t, int64_t line, int64_t column, const weir__csv_cell *cell)
{
    char problem[160];
    if (cell->length == 0)
        return bad_cell(t, line, column, "the cell is empty; fill it, or leave the row or column out");
    snprintf(problem, sizeof problem, "\"%.*s\" is not a %snumber; %s", shown(cell), cell->text,
             is_missing(cell) ? "finite " : "", "correct it, or leave the row or column out");
    return bad_cell(t, line, column, problem);
}

/* ---- rows of numbers -------------------------------------------------------------------------- */

static weir_status push(table *t, double value)
{
    if (t->count == t->capacity) {
        const int64_t capacity = t->capacity ? 2 * t->capacity : 1024;
        double *const larger = realloc(t->values, (size_t)capacity * sizeof *larger);
        if (!larger) return weir__no_memory(t->error, t->name);
        t->values = larger;
        t->capacity = capacity;
    }
    t->values[t->count++] = value;
    return WEIR_OK;
}

/* The usual cell is a plain number and goes no further than the first lines. */
static weir_status take_number(table *t, int64_t column, double *value)
{
    weir__csv_cursor *const c = &t->cursor;
    const int64_t line = c->line;
    weir__csv_cell cell;
    weir__csv_skip_blanks(c);
    const char *const end = weir__decimal(c->at, t->c_locale, value);
    if (end && isfinite(*value) && weir__csv_cell_ends(c, end)) {
        c->at = end;
        return WEIR_OK;
    }
    const char *const problem = weir__csv_take(c, &cell);
    if (problem) return bad_cell(t, line, column, problem);
    const char *const stop = weir__decimal(cell.text, t->c_locale, value);
    if (!stop || stop != cell.text + cell.length) return not_a_number(t, line, column, &cell);
    return isfinite(*value) ? WEIR_OK
                            : bad_cell(t, line, column, "the number is too large for 64 bits; rescale it");
}

static weir_status take_row(table *t)
{
    const int64_t line = t->cursor.line;
    int64_t columns = 0;
    do {
        double value = 0;
        weir_status status = take_number(t, columns, &value);
        if (!status) status = push(t, value);
        if (status) return status;
        columns++;
    } while (weir__csv_advance(&t->cursor));
    if (t->columns == 0) t->columns = columns;
    t->rows++;
    if (columns == t->columns) return WEIR_OK;
    return weir__fail(t->error, WEIR_INVALID,
                      "%s: line %lld: has %lld column%s, but the first row has %lld; correct it", t->name,
                      (long long)line, (long long)columns, columns == 1 ? "" : "s", (long long)t->columns);
}

/* ---- the row of names ------------------------------------------------------------------------- */

/* Bytes of the UTF-8 character at p, 0 when there is none. Overlong forms and surrogates are no characters. */
static int64_t character(const unsigned char *p, int64_t size)
{
    const int64_t n = p[0] < 0x80                   ? 1
                      : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
                      : p[0] >> 4 == 0xe            ? 3
                      : p[0] >> 3 == 0x1e           ? 4
                                                    : 0;
    if (n == 0 || n > size) return 0;
    for (int64_t i = 1; i < n; i++)
        if (p[i] >> 6 != 2) return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f)) return 0;
    if ((p[0] == 0xf0 && p[1] < 0x90) || p[0] > 0xf4 || (p[0] == 0xf4 && p[1] > 0x8f)) return 0;
    return n;
}

/* Names end up in messages and in JSON: what is no UTF-8, and control characters, become '?'. Returns the new end. */
static char *write_name(char *to, const weir__csv_cell *cell)
{
    const unsigned char *const text = (const unsigned char *)cell->text;
    for (int64_t i = 0; i < cell->length;) {
        const int64_t n = character(text + i, cell->length - i);
        if (n == 0 || (n == 1 && (text[i] < ' ' || text[i] == 0x7f))) {
            *to++ = '?';
            i++;
            continue;
        }
        memcpy(to, text + i, (size_t)n);
        to += n;
        i += cell->quoted && text[i] == '"' ? 2 : n;
    }
    *to++ = 0;
    return to;
}

/* What the first row holds, found without keeping its cells. */
typedef struct first_row {
    int64_t columns, characters;
    bool words;
} first_row;

static weir_status survey(table *t, first_row *row)
{
    weir__csv_cursor *const c = &t->cursor;
    *row = (first_row){0};
    do {
        weir__csv_cell cell;
        const int64_t line = c->line;
        const char *const problem = weir__csv_take(c, &cell);
        if (problem) return bad_cell(t, line, row->columns, problem);
        double value;
        const char *const end = weir__decimal(cell.text, t->c_locale, &value);
        if (!is_missing(&cell) && end != cell.text + cell.length) row->words = true;
        row->columns++;
        row->characters += cell.length;
    } while (weir__csv_advance(c));
    return WEIR_OK;
}

/* Pointers and text in one block. */
static weir_status take_names(table *t, const first_row *row)
{
    const size_t pointers = (size_t)row->columns * sizeof *t->names;
    char **const names = malloc(pointers + (size_t)(row->characters + row->columns));
    if (!names) return weir__no_memory(t->error, t->name);
    char *to = (char *)names + pointers;
    for (int64_t j = 0; j < row->columns; j++) {
        weir__csv_cell cell;
        weir__csv_take(&t->cursor, &cell);
        names[j] = to;
        to = write_name(to, &cell);
        weir__csv_advance(&t->cursor);
    }
    t->names = names;
    t->columns = row->columns;
    return WEIR_OK;
}

static weir_status take_header(table *t)
{
    first_row row;
    const weir__csv_cursor start = t->cursor;
    weir_status status = survey(t, &row);
    if (status) return status;
    t->cursor = start;
    return row.words ? take_names(t, &row) : WEIR_OK;
}

/* ---- the whole file --------------------------------------------------------------------------- */

static weir_status take_table(table *t)
{
    if (!weir__csv_next_row(&t->cursor))
        return weir__fail(t->error, WEIR_INVALID, "%s: holds no rows; give it a table of numbers", t->name);
    weir_status status = take_header(t);
    while (!status && weir__csv_next_row(&t->cursor)) status = take_row(t);
    if (!status && t->rows == 0)
        status = weir__fail(t->error, WEIR_INVALID,
                            "%s: holds a row of names and nothing else; add rows of numbers", t->name);
    return status;
}

/* The values change hands. */
static weir_status to_array(table *t, weir_array **array)
{
    weir_array *const a = calloc(1, sizeof *a);
    if (!a) return weir__no_memory(t->error, t->name);
    double *const fitting = realloc(t->values, (size_t)t->count * sizeof *fitting);
    *a = (weir_array){.dtype = WEIR_DTYPE_F64,
                      .rank = 2,
                      .dims = {t->rows, t->columns},
                      .count = t->count,
                      .data = fitting ? fitting : t->values,
                      .columns = t->names,
                      .column_count = t->names ? t->columns : 0};
    t->values = NULL;
    t->names = NULL;
    *array = a;
    return WEIR_OK;
}

static weir_status check_text(const unsigned char *data, int64_t size, const char *name, weir_error *error)
{
    if (size >= 2 && ((data[0] == 0xff && data[1] == 0xfe) || (data[0] == 0xfe && data[1] == 0xff)))
        return weir__fail(error, WEIR_INVALID, "%s: is UTF-16 text; save it as UTF-8", name);
    const unsigned char *const zero = size ? memchr(data, 0, (size_t)size) : NULL;
    if (!zero) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID,
                      "%s: byte %lld is zero, so it is no text table; give it a .npy, .npz, .csv or IDX file",
                      name, (long long)(zero - data));
}

weir_status weir__csv_parse(const unsigned char *data, int64_t size, const char *name, weir_array **array,
                            weir_error *error)
{
    weir_status status = check_text(data, size, name, error);
    if (status) return status;
    const bool bom = size >= 3 && !memcmp(data, "\xef\xbb\xbf", 3);
    const char *const text = (const char *)data + (bom ? 3 : 0);
    table t = {.cursor = {.at = text, .line = 1, .separator = weir__csv_guess_separator(text)},
               .name = name,
               .error = error,
               .c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0)};
    if (!t.c_locale) return weir__no_memory(error, name);
    status = take_table(&t);
    if (!status) status = to_array(&t, array);
    freelocale(t.c_locale);
    free(t.values);
    free(t.names);
    return status;
}
