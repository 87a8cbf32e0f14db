/* names.c - the syntax of names that plugins choose.
 *
 * SPDX-License-Identifier: MIT
 *
 * Names end up in files, tables and on terminals; the narrow syntax keeps them there as they are.
 */
#include "plugin/names.h"

#include <stddef.h>
#include <string.h>

#define NAME_MAX_LENGTH 63

static int is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The length of the name that `text` starts with; 0: none. */
static size_t name_length(const char *text)
{
    size_t n = 0;
    if (!is_lower(text[0])) return 0;
    while (n <= NAME_MAX_LENGTH && (is_lower(text[n]) || is_digit(text[n]) || text[n] == '_')) n++;
    return n <= NAME_MAX_LENGTH ? n : 0;
}

int weir__is_name(const char *text)
{
    if (!text) return 0;
    const size_t n = name_length(text);
    return n > 0 && text[n] == '\0';
}

int weir__is_id(const char *text)
{
    if (!text) return 0;
    const size_t n = name_length(text);
    if (n == 0) return 0;
    return text[n] == '\0' || (text[n] == '.' && weir__is_name(text + n + 1));
}

int weir__is_version(const char *text)
{
    if (!text) return 0;
    for (int part = 0; part < 3; part++) {
        size_t n = 0;
        while (n < 10 && is_digit(text[n])) n++;
        if (n == 0 || n == 10 || (n > 1 && text[0] == '0')) return 0;
        if (text[n] != (part < 2 ? '.' : '\0')) return 0;
        text += n + (part < 2);
    }
    return 1;
}

/* Bytes of the UTF-8 character at s, 0 when it is malformed: overlong forms, surrogates and values past U+10FFFF are.
 * A terminating zero stops it, since it is no continuation byte. */
static size_t utf8_length(const unsigned char *s)
{
    if (s[0] < 0x80) return 1;
    const size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4) return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0)) return 0;
    if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90)) return 0;
    return n;
}

static int is_printable(const unsigned char *s, int lines)
{
    if (s[0] == '\n' || s[0] == '\t') return lines;
    return s[0] >= 0x20 && s[0] != 0x7f && !(s[0] == 0xc2 && s[1] < 0xa0);
}

int weir__is_text(const char *text, int64_t limit, int lines)
{
    if (!text || !*text) return 0;
    const unsigned char *s = (const unsigned char *)text;
    while (*s) {
        const size_t n = utf8_length(s);
        if (n == 0 || !is_printable(s, lines)) return 0;
        s += n;
        if (s - (const unsigned char *)text > limit) return 0;
    }
    return 1;
}

int weir__is_reserved_id(const char *id)
{
    static const char *const kept[] = {"chain", "inverse", "slice", "repeat", "embedding"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (strcmp(id, kept[i]) == 0) return 1;
    return 0;
}
