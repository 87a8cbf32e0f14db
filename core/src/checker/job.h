/* job.h - one thing to do in a process of its own, what that process leaves behind, and what is to be made of its end. */
#ifndef WEIR__JOB_H
#define WEIR__JOB_H

#include "check/suite.h"

/** In memory that the job's process shares. Nothing in it is believed without being looked at: a stranger's code may have
 *  written over it. */
typedef struct weir__board {
    weir__scene scene;
    weir__finding finding;
    uint32_t served;
    weir_error error;
} weir__board;

/** With `promise`: that check of loading. With `trial`: that check of the module. With neither: which settings serve. */
typedef struct weir__job {
    weir__board *board;
    int output;         /* file that takes what is printed */
    double patience;    /* seconds */
    const char *path;   /* of the plugin; NULL: a module of the host's */
    const char *module; /* its id */
    weir__session *session;
    const weir__trial *trial;
    const weir__loading *loading;
    const weir__loading_promise *promise;
} weir__job;

typedef struct weir__ending {
    int status;    /* as of waitpid */
    int hung;      /* it did not end by itself */
    int not_begun; /* errno of fork */
} weir__ending;

/** Does it, in this process, and ends it. */
void weir__job_perform(const weir__job *job) __attribute__((noreturn));
/** Has it done by a process. True when that came to its end; then the board says what it found. SIGCHLD must be blocked. */
int weir__job_do(const weir__job *job, weir__ending *ending);
/** Puts into a finding, which has its name, rule and limit, how the process ended. */
void weir__ending_take(const weir__job *job, const weir__ending *ending, weir__finding *finding);

#endif
