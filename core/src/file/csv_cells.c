/* csv_cells.c - cutting text into rows and cells.
 *
 * SPDX-License-Identifier: MIT
 *
 * As RFC 4180 has it, with the freedoms of real files: four separators, line ends of three systems, blanks around
 * cells. A quote opens a quoted cell only where the cell begins. The text ends at its zero byte.
 */
#include "csv_cells.h"

#include <stddef.h>

static bool ends_line(char c)
{
    return c == 0 || c == '\n' || c == '\r';
}

static bool is_blank(const weir__csv_cursor *c, char ch)
{
    return ch == ' ' || (ch == '\t' && c->separator != '\t');
}

void weir__csv_skip_blanks(weir__csv_cursor *c)
{
    while (is_blank(c, *c->at)) c->at++;
}

static void end_line(weir__csv_cursor *c)
{
    if (*c->at == 0) return;
    if (c->at[0] == '\r' && c->at[1] == '\n') c->at++;
    c->at++;
    c->line++;
}

bool weir__csv_next_row(weir__csv_cursor *c)
{
    for (;;) {
        weir__csv_skip_blanks(c);
        if (*c->at == '#')
            while (!ends_line(*c->at)) c->at++;
        if (*c->at == 0) return false;
        if (!ends_line(*c->at)) return true;
        end_line(c);
    }
}

bool weir__csv_cell_ends(const weir__csv_cursor *c, const char *p)
{
    const char *q = p;
    while (is_blank(c, *q)) q++;
    return ends_line(*q) || *q == c->separator || (c->separator == ' ' && q > p);
}

bool weir__csv_advance(weir__csv_cursor *c)
{
    weir__csv_skip_blanks(c);
    if (ends_line(*c->at)) {
        end_line(c);
        return false;
    }
    if (c->separator != ' ') c->at++;
    return true;
}

/* Behind the opening quote. A cell may hold line ends. */
static const char *take_quoted(weir__csv_cursor *c, weir__csv_cell *cell)
{
    cell->text = c->at;
    cell->quoted = true;
    for (; c->at[0] != '"' || c->at[1] == '"'; c->at++) {
        if (*c->at == 0) return "a quote is never closed";
        if (*c->at == '"') c->at++;
        if (*c->at == '\n' || (c->at[0] == '\r' && c->at[1] != '\n')) c->line++;
    }
    cell->length = c->at - cell->text;
    c->at++;
    return weir__csv_cell_ends(c, c->at) ? NULL : "something follows a closing quote";
}

const char *weir__csv_take(weir__csv_cursor *c, weir__csv_cell *cell)
{
    weir__csv_skip_blanks(c);
    if (*c->at == '"') {
        c->at++;
        return take_quoted(c, cell);
    }
    cell->text = c->at;
    cell->quoted = false;
    while (!ends_line(*c->at) && *c->at != c->separator && (c->separator != ' ' || *c->at != '\t')) c->at++;
    const char *end = c->at;
    while (end > cell->text && is_blank(c, end[-1])) end--;
    cell->length = end - cell->text;
    return NULL;
}

/* ---- guessing --------------------------------------------------------------------------------- */

typedef struct counts {
    int64_t tab, semicolon, comma, blank;
    bool number; /* the row begins like one */
} counts;

static bool begins_number(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.';
}

/* One row; what is in quotes does not count, nor do blanks and tabs at the end, which wait until more follows. */
static counts count_row(weir__csv_cursor *c)
{
    counts n = {.number = begins_number(*c->at)}, waiting = {0};
    bool begins = true;
    while (!ends_line(*c->at)) {
        const char ch = *c->at++;
        if (ch == ' ' || ch == '\t') {
            waiting.tab += ch == '\t';
            waiting.blank = 1;
            begins = true;
            continue;
        }
        n.tab += waiting.tab;
        n.blank += waiting.blank;
        n.semicolon += ch == ';';
        n.comma += ch == ',';
        waiting = (counts){0};
        weir__csv_cell ignored;
        if (ch == '"' && begins) take_quoted(c, &ignored);
        begins = ch == ';' || ch == ',';
    }
    end_line(c);
    return n;
}

/* The separator that both rows have equally often, else the one that the first row has: the second may be ragged, and
 * is then reported. Blanks separate where there is nothing else, unless they only belong to the name of a lone
 * column. */
char weir__csv_guess_separator(const char *text)
{
    weir__csv_cursor c = {.at = text, .line = 1, .separator = ','};
    if (!weir__csv_next_row(&c)) return ',';
    const counts a = count_row(&c);
    const counts b = weir__csv_next_row(&c) ? count_row(&c) : a;
    const int64_t first[] = {a.tab, a.semicolon, a.comma}, second[] = {b.tab, b.semicolon, b.comma};
    for (int i = 0; i < 3; i++)
        if (first[i] > 0 && first[i] == second[i]) return "\t;,"[i];
    for (int i = 0; i < 3; i++)
        if (first[i] > 0) return "\t;,"[i];
    return a.blank > 0 && (b.blank > 0 || a.number) ? ' ' : ',';
}
