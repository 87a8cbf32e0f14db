/* error.c - writing one-line errors, and guessing which word was meant.
 *
 * SPDX-License-Identifier: MIT
 *
 * A message is one line of text whatever goes into it: names out of files and plugins may hold anything, and a forged
 * line break or escape sequence must not reach a terminal or a log.
 */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_SIZE sizeof(((weir_error *)NULL)->message)

/* C1 controls are two bytes in UTF-8, 0xC2 and one of 0x80..0x9F; some terminals obey them. */
static void one_line(char *text)
{
    unsigned char *const s = (unsigned char *)text;
    for (size_t i = 0; s[i]; i++) {
        if (s[i] < 0x20 || s[i] == 0x7f)
            s[i] = '?';
        else if (s[i] == 0xc2 && s[i + 1] >= 0x80 && s[i + 1] < 0xa0)
            s[i] = s[i + 1] = '?';
    }
}

/* A cut message ends in "..." and never within a character. */
static void mark_cut(char *text, size_t size)
{
    size_t end = size - sizeof "...";
    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80) end--;
    memcpy(text + end, "...", sizeof "...");
}

__attribute__((format(printf, 2, 0))) static void write_message(char *text, const char *format, va_list args)
{
    const int length = vsnprintf(text, MESSAGE_SIZE, format, args);
    if (length < 0)
        memcpy(text, "unprintable error", sizeof "unprintable error");
    else if ((size_t)length >= MESSAGE_SIZE)
        mark_cut(text, MESSAGE_SIZE);
    one_line(text);
}

/* The message is formatted aside: an argument may be the old message itself. */
weir_status weir__fail(weir_error *error, weir_status status, const char *format, ...)
{
    if (!error) return status;
    char text[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    write_message(text, format, args);
    va_end(args);
    memcpy(error->message, text, sizeof text);
    error->status = status;
    return status;
}

weir_status weir__fail_in(weir_error *error, const char *format, ...)
{
    if (!error) return WEIR_ERROR;
    char prefix[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    write_message(prefix, format, args);
    va_end(args);
    return weir__fail(error, error->status, "%s: %s", prefix, error->message);
}

weir_status weir__no_memory(weir_error *error, const char *what)
{
    return weir__fail(error, WEIR_ERROR, "out of memory for %s", what);
}

/* ---- the word that was meant ------------------------------------------------------------------ */

#define WORD_MAX 63

static int smallest(int a, int b, int c)
{
    const int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Damerau-Levenshtein distance in its restricted form: insertions, deletions, substitutions and swaps of neighbours
 * cost 1, and no part is edited twice. Three rows of the table are enough. */
static int edit_distance(const char *a, size_t m, const char *b, size_t n)
{
    int rows[3][WORD_MAX + 1];
    int *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= n; j++) last[j] = (int)j;
    for (size_t i = 1; i <= m; i++) {
        row[0] = (int)i;
        for (size_t j = 1; j <= n; j++) {
            const int same = a[i - 1] == b[j - 1];
            row[j] = smallest(last[j] + 1, row[j - 1] + 1, last[j - 1] + !same);
            const int swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < row[j]) row[j] = before[j - 2] + 1;
        }
        int *const spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[n];
}

/* Near enough: a third of the longer word, and at least one edit. */
const char *weir__nearest(const char *word, const char *const *words, int64_t count)
{
    const char *best = NULL;
    int best_distance = WORD_MAX;
    const size_t m = strnlen(word, WORD_MAX + 1);
    for (int64_t i = 0; i < count && m <= WORD_MAX; i++) {
        const size_t n = strnlen(words[i], WORD_MAX + 1);
        if (n > WORD_MAX) continue;
        const size_t longer = m > n ? m : n;
        const int limit = longer < 6 ? 1 : (int)(longer / 3);
        const int distance = edit_distance(word, m, words[i], n);
        if (distance > limit || distance >= best_distance || (size_t)distance == longer) continue;
        best = words[i];
        best_distance = distance;
    }
    return best;
}
