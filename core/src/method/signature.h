/* signature.h - what a method takes and gives, read from the text in its plugin.
 *
 * Grammar, with spaces anywhere between its words:
 *      signature = "(" [ item { "," item } ] ")" "->" item { "," item }
 *      item      = ( "integer" | "number" | "real" | "text" ) name { "[" size "]" }
 *      size      = product { ( "+" | "-" ) product },   product = factor { "*" factor }
 *      factor    = decimal number | name | name "." ( "in" | "out" | "params" )
 * weir/module.h says what the names in sizes stand for. */
#ifndef WEIR__SIGNATURE_H
#define WEIR__SIGNATURE_H

#include "error.h"

#include <weir/module.h>

#define WEIR__METHOD_ITEMS 16 /* arguments and results together */
#define WEIR__METHOD_RANK  4

typedef enum weir__item_type {
    WEIR__ITEM_INTEGER,
    WEIR__ITEM_NUMBER,
    WEIR__ITEM_REAL,
    WEIR__ITEM_TEXT,
} weir__item_type;

typedef struct weir__item {
    weir__item_type type;
    char name[64];
    int32_t rank;                         /* 0: one value */
    const char *sizes[WEIR__METHOD_RANK]; /* where each begins, in the signature's text */
    char binds[WEIR__METHOD_RANK][64];    /* the name that the caller's length gives a value to, or "" */
} weir__item;

typedef struct weir__signature {
    int32_t argument_count, result_count;
    weir__item items[WEIR__METHOD_ITEMS]; /* arguments, then results */
} weir__signature;

/** Reads the text, which must stay where it is, and checks that every name in a size is known to the module. The message
 *  does not name the method. */
weir_status weir__signature_read(const weir_module *module, const char *text, weir__signature *signature,
                                 weir_error *error);

/** What the names in a size stand for; 0 when there is no such name, or it has no value, and why is told. */
typedef struct weir__size_names {
    int (*value)(void *user, const char *name, int64_t *value, weir_error *error);
    void *user;
} weir__size_names;

/** The value of one size: INVALID when it overflows, is negative, or a name has no value. */
weir_status weir__size_value(const char *size, const weir__size_names *names, int64_t *value,
                             weir_error *error);

/** "real theta[params]": an item as the signature has it, in at most `room` bytes. */
void weir__item_text(const weir__item *item, char *text, size_t room);

/** The i-th method of a module, through its stride; how many there are. */
const weir_method *weir__method_at(const weir_module *module, int32_t index);
int32_t weir__method_count(const weir_module *module);
/** Checks the table of methods of a descriptor, and that both precisions offer the same. */
weir_status weir__methods_check(const weir_module *module, weir_error *error);
weir_status weir__methods_agree(const weir_module *f32, const weir_module *f64, weir_error *error);

#endif
