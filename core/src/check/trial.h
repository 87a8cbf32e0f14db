/* trial.h - one check of one module, in every setting and at both weights: what weir_check is made of, and the smallest
 * thing that runs in a process of its own. */
#ifndef WEIR__TRIAL_H
#define WEIR__TRIAL_H

#include "check/demand.h"
#include "check/finding.h"

#define WEIR__SETTINGS_MOST 7
#define WEIR__TRIALS_MOST   160

/** A module, and what it is checked with. */
typedef struct weir__session {
    const weir__demand *demand;
    weir__candidate candidate;
    int32_t kind;
    weir__setting settings[WEIR__SETTINGS_MOST];
    int32_t setting_count;
    uint32_t served; /* a bit for each setting that the module takes */
} weir__session;

typedef struct weir__trial {
    const weir__promise *promise;
    const char *map; /* NULL: not of a map */
    char name[80];   /* "forward.bounds" */
} weir__trial;

/** entry NULL: found by its id when it is opened, one of the host's containers for instance. */
weir_status weir__session_begin(weir__session *session, weir_runtime *runtime, const char *id, int32_t kind,
                                const weir__entry *entry, const weir__demand *demand, weir_error *error);
void weir__session_end(weir__session *session);
/** Opens the module in every setting once. INVALID when none suits it; the reason is that of the first. */
weir_status weir__session_try(weir__session *session, weir_error *error);

/** Fills list[WEIR__TRIALS_MOST] with the checks for the session's kind of module, and returns how many. */
int32_t weir__trials_of(const weir__session *session, weir__trial *list);
/** After weir__session_try. The same seed and name give the same points, whatever ran before. */
void weir__trial_run(const weir__session *session, const weir__trial *trial, weir__finding *finding);

#endif
