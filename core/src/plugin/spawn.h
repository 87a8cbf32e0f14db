/* spawn.h - starting a helper executable and hearing its answer: a greeting, a line feed, and one line of JSON. */
#ifndef WEIR__SPAWN_H
#define WEIR__SPAWN_H

#include "error.h"

/** Where a helper writes its answer: neither of the streams that plugins print on. */
#define WEIR__HELPER_FD 3

typedef struct weir__errand {
    const char *const *arguments;       /* [0]: the executable; ends with NULL */
    const char *name;                   /* of the helper, for messages */
    const char *greeting;               /* what the first line must be */
    int input;                          /* becomes its standard input; -1: nothing to read */
    int heard;                          /* 1: it writes to the caller's standard error; 0: to nowhere */
    int32_t timeout;                    /* milliseconds; 0: as long as it takes */
    int64_t most;                       /* bytes that an answer may have */
    int32_t (*interrupted)(void *user); /* non-zero: stop it; NULL: never */
    void *user;
} weir__errand;

typedef struct weir__answer {
    char *text; /* all that came, terminated; NULL: nothing */
    int64_t length, capacity;
    const char *line; /* the second line when it is whole, in `text`; else NULL */
    int32_t timed_out, interrupted;
    int32_t ended; /* as waitpid says; -1: somebody else of this process collected it */
} weir__answer;

/** Runs the errand to its end; afterwards nothing that the helper started is left. UNSUPPORTED: it cannot be started, or
 *  is not the helper that it should be. OK even when there is no second line. The caller clears the answer. */
weir_status weir__helper_ask(const weir__errand *errand, weir__answer *answer, weir_error *error);
void weir__answer_clear(weir__answer *answer);

#endif
