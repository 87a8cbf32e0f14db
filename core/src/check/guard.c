/* guard.c - see guard.h.
 *
 * Checks run in the caller's process, and exit(0) in a module would look like success to whoever started it. exit runs
 * its handlers on the thread that called it: when that is a thread in the middle of a check, nobody but the module can
 * have called. Other threads of an embedder may end the process as they like. abort and signals are seen by whoever
 * waits for the process; _exit is not found out.
 */
#include "check/guard.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static _Thread_local const char *checked, *current;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void at_exit(void)
{
    if (!checked) return;
    fprintf(stderr,
            "weir: check: %s called exit in %s; nothing may end the process of the host (rule 48 of ABI.md), "
            "return a status instead\n",
            checked, current);
    _exit(1);
}

static void listen_for_exit(void)
{
    atexit(at_exit);
}

void weir__guard_enter(const char *module)
{
    pthread_once(&once, listen_for_exit);
    checked = module;
    current = "its creation";
}

void weir__guard_note(const char *check)
{
    current = check;
}

void weir__guard_leave(void)
{
    checked = NULL;
}
