/* names.h - the syntax of names that plugins choose. */
#ifndef WEIR__NAMES_H
#define WEIR__NAMES_H

#include <stdint.h>

/** [a-z][a-z0-9_]*, up to 63 characters: plugins, options, slots. */
int weir__is_name(const char *text);
/** A name, or two joined by a dot, "vendor.name": modules. */
int weir__is_id(const char *text);
/** "1.0.0": three numbers without leading zeros. */
int weir__is_version(const char *text);
/** Bytes of a plugin's list of the libraries that it needs. */
#define WEIR__NEEDS_MAX 4096

/** Printable UTF-8, not empty, at most `limit` bytes; line breaks and tabs only if `lines`. */
int weir__is_text(const char *text, int64_t limit, int lines);
/** True for the types that model descriptions keep for the host's containers: no plugin may take them. */
int weir__is_reserved_id(const char *id);

#endif
