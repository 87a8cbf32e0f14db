/* decimal.c - decimal numbers out of text.
 *
 * SPDX-License-Identifier: MIT
 *
 * Most numbers in data files are short: an integer below 2^53 and a power of ten up to 10^22 are both exact doubles, so
 * one multiplication or division rounds correctly (W. D. Clinger, "How to read floating point numbers accurately",
 * PLDI 1990). Numbers of 16 to 19 digits get the same treatment in the 64-bit significands of extended precision, where
 * the machine has it and the result is not so near the middle of two doubles that rounding twice could go wrong. The
 * C library reads what is left.
 */
#include "decimal.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_DIGITS   19 /* every number of so many digits fits 64 bits */
#define EXPONENT_LIMIT 100000

typedef struct number {
    uint64_t digits; /* all of them as one integer, wrong when there are more than EXACT_DIGITS */
    int64_t count;
    int64_t exponent; /* of ten */
    bool negative;
} number;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *scan_digits(const char *p, number *n)
{
    const char *const first = p;
    for (; is_digit(*p); p++) n->digits = n->digits * 10 + (uint64_t)(*p - '0');
    n->count += p - first;
    return p;
}

/* An 'e' without digits behind it does not belong to the number. */
static const char *scan_exponent(const char *p, number *n)
{
    const char *q = p + 1;
    int64_t e = 0;
    const bool negative = *q == '-';
    if (*q == '-' || *q == '+') q++;
    if (!is_digit(*q)) return p;
    for (; is_digit(*q); q++)
        if (e < EXPONENT_LIMIT) e = e * 10 + (*q - '0');
    n->exponent += negative ? -e : e;
    return q;
}

static const char *scan(const char *p, number *n)
{
    n->negative = *p == '-';
    if (*p == '-' || *p == '+') p++;
    p = scan_digits(p, n);
    if (*p == '.') {
        const char *const point = p;
        p = scan_digits(p + 1, n);
        n->exponent = -(p - point - 1);
    }
    if (n->count == 0) return NULL;
    return *p == 'e' || *p == 'E' ? scan_exponent(p, n) : p;
}

static bool by_doubles(const number *n, double *value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (n->digits > UINT64_C(1) << 53 || n->exponent > 22 || n->exponent < -22) return false;
    const double d = (double)n->digits;
    *value = n->exponent < 0 ? d / powers[-n->exponent] : d * powers[n->exponent];
    return true;
}

#if LDBL_MANT_DIG == 64
/* 10^27 is the largest exact power here: 5^27 < 2^63. The result is off by half a unit of its 64 bits at most; 11 bits
 * are cut for a double, and only a cut at the middle, give or take that unit, could be decided wrongly. */
static bool by_extended(const number *n, double *value)
{
    static const long double powers[] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
                                         1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
                                         1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
    if (n->digits == 0 || n->exponent > 27 || n->exponent < -27) return false;
    const long double d = (long double)n->digits;
    const long double x = n->exponent < 0 ? d / powers[-n->exponent] : d * powers[n->exponent];
    uint64_t significand;
    memcpy(&significand, &x, sizeof significand);
    const uint64_t cut = significand & 0x7ff;
    if (cut >= 0x3ff && cut <= 0x401) return false;
    *value = (double)x;
    return true;
}
#else
static bool by_extended(const number *n, double *value)
{
    (void)n;
    (void)value;
    return false;
}
#endif

const char *weir__decimal(const char *text, locale_t c_locale, double *value)
{
    number n = {0};
    const char *const end = scan(text, &n);
    if (!end) return NULL;
    if (n.count > EXACT_DIGITS || !(by_doubles(&n, value) || by_extended(&n, value))) {
        *value = strtod_l(text, NULL, c_locale);
        return end;
    }
    if (n.negative) *value = -*value;
    return end;
}
