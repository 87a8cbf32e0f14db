/* decimal.h - decimal numbers out of text, fast, and the same in every locale.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR__DECIMAL_H
#define WEIR__DECIMAL_H

#include <locale.h>

/** Reads the number at `text`: [+-] digits [. digits] [e [+-] digits], with a digit before or behind the point, correctly
 *  rounded (infinite when too large). Returns the first byte behind it, or NULL when there is none. Neither hexadecimal
 *  nor words. `text` must be followed somewhere by a byte that cannot belong to a number, such as
 *  zero. c_locale: newlocale(LC_ALL_MASK, "C", 0). */
const char *weir__decimal(const char *text, locale_t c_locale, double *value);

#endif
