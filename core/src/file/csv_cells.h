/* csv_cells.h - the cells of a text table, one after the other.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR__CSV_CELLS_H
#define WEIR__CSV_CELLS_H

#include <stdbool.h>
#include <stdint.h>

/** A place in zero-terminated text. */
typedef struct weir__csv_cursor {
    const char *at;
    int64_t line;   /* from 1 */
    char separator; /* ',', ';', tab, or ' ' for runs of blanks */
} weir__csv_cursor;

/** What stands in a cell, without the blanks around it and the quotes; doubled quotes within are still doubled. */
typedef struct weir__csv_cell {
    const char *text;
    int64_t length;
    bool quoted;
} weir__csv_cell;

/** Looks at the first two rows. */
char weir__csv_guess_separator(const char *text);
/** To the first cell of the next row that is neither blank nor a comment (#). False: there is none. */
bool weir__csv_next_row(weir__csv_cursor *cursor);
/** Over blanks that are not separators. */
void weir__csv_skip_blanks(weir__csv_cursor *cursor);
/** True when a cell may end before `p`. */
bool weir__csv_cell_ends(const weir__csv_cursor *cursor, const char *p);
/** Reads a cell. NULL, or what is wrong with its quotes. */
const char *weir__csv_take(weir__csv_cursor *cursor, weir__csv_cell *cell);
/** Past the separator: true, there is another cell; or past the end of the line: false. */
bool weir__csv_advance(weir__csv_cursor *cursor);

#endif
