/* verdict.h - what one check found, and the table of all checks. */
#ifndef WEIR__VERDICT_H
#define WEIR__VERDICT_H

#include "check/call.h"

/** Filled by a check, which starts with figure 0, limit from the table and nothing said. The promise holds when
 *  applied and figure <= limit. */
typedef struct weir__verdict {
    double figure, limit;
    int32_t skipped; /* the promise does not concern this module */
    char note[240];
} weir__verdict;

/** Keeps the larger; a NaN counts as infinite. */
void weir__measure(weir__verdict *verdict, double figure);
/** The promise is broken in a way that has no size. The first reason is kept. */
void weir__object(weir__verdict *verdict, const char *format, ...) WEIR__FORMAT(2, 3);
/** Says where the figure comes from; the promise stands or falls with the figure. The first is kept. */
void weir__remark(weir__verdict *verdict, const char *format, ...) WEIR__FORMAT(2, 3);
void weir__skip(weir__verdict *verdict);
/** True when `status` is WEIR_OK; otherwise skips (UNSUPPORTED) or objects, naming the call. */
int weir__served(weir__verdict *verdict, const weir__subject *subject, weir_status status, const char *call);
/** Objects when one of the pointers is NULL: memory is exhausted. True when all are there. */
#define weir__have(verdict, ...)                                                                             \
    weir__all_there(verdict, (const void *const[]){__VA_ARGS__},                                             \
                    sizeof((const void *const[]){__VA_ARGS__}) / sizeof(const void *))
int weir__all_there(weir__verdict *verdict, const void *const *pointers, size_t count);

/** Another instance of what is checked, which has seen nothing but what opening shows it, with the subject's weights.
 *  Objects and gives 0 when it cannot be had. */
int weir__open_again(weir__subject *fresh, const weir__subject *subject, weir__verdict *verdict);

/** What a check is run for. */
typedef enum weir__scope {
    WEIR__PER_MODULE,  /* once; the subject is at initial weights */
    WEIR__PER_SUBJECT, /* once for every setting and weights; map is NULL */
    WEIR__PER_MAP,     /* for every map of them; the map's name is put before the check's */
    WEIR__PER_VJP      /* for every map that has a VJP */
} weir__scope;

#define WEIR__KIND(kind) (1u << (kind))
#define WEIR__ALL_KINDS                                                                                      \
    (WEIR__KIND(WEIR_LAYER) | WEIR__KIND(WEIR_UNIVARIATE) | WEIR__KIND(WEIR_NETWORK) |                       \
     WEIR__KIND(WEIR_DENSITY))
#define WEIR__BIJECTIONS (WEIR__KIND(WEIR_LAYER) | WEIR__KIND(WEIR_UNIVARIATE))

typedef void (*weir__check_fn)(weir__subject *subject, const weir__map *map, weir__verdict *verdict);

typedef struct weir__promise {
    const char *name;
    const char *rule; /* id in sdk/ABI.md */
    weir__scope scope;
    uint32_t kinds;
    double limit;
    weir__check_fn check;
} weir__promise;

extern const weir__promise weir__promises[];
extern const int32_t weir__promise_count;

#endif
