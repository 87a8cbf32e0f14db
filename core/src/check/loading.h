/* loading.h - the checks of a plugin file: its bytes, and what loading it does to a process. */
#ifndef WEIR__LOADING_H
#define WEIR__LOADING_H

#include "check/verdict.h"

typedef struct weir__loading {
    const char *path; /* absolute */
    const unsigned char *data;
    int64_t size;
} weir__loading;

typedef struct weir__loading_promise {
    const char *name;
    const char *rule; /* id in sdk/ABI.md */
    double limit;
    void (*check)(const weir__loading *loading, weir__verdict *verdict);
} weir__loading_promise;

/** The first is `loads`: where it fails the others are not asked. */
extern const weir__loading_promise weir__loading_promises[];
extern const int32_t weir__loading_promise_count;

#endif
