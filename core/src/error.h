/* error.h - one-line errors: what, where, what to do. */
#ifndef WEIR__ERROR_H
#define WEIR__ERROR_H

#include <weir.h>

#if defined(__GNUC__)
#define WEIR__FORMAT(f, a) __attribute__((format(printf, f, a)))
#else
#define WEIR__FORMAT(f, a)
#endif

/** Writes the formatted line (control characters become '?', so that hostile names cannot forge lines) into
 *  *error, unless it is NULL, and returns `status`. */
weir_status weir__fail(weir_error *error, weir_status status, const char *format, ...) WEIR__FORMAT(3, 4);

/** Puts "prefix: " before the message that is there, and returns its status. */
weir_status weir__fail_in(weir_error *error, const char *format, ...) WEIR__FORMAT(2, 3);

/** The usual one. */
weir_status weir__no_memory(weir_error *error, const char *what);

/** The word of words[0..count) nearest to `word` by edit distance, when it is near enough to be meant; else NULL. */
const char *weir__nearest(const char *word, const char *const *words, int64_t count);

#endif
