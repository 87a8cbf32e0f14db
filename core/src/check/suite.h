/* suite.h - all checks of a plugin or module, in order, wherever each of them runs. */
#ifndef WEIR__SUITE_H
#define WEIR__SUITE_H

#include "check/loading.h"
#include "check/trial.h"

/** Who runs them: this process (check.c), or one process for each (checker/foreman.c). */
typedef struct weir__stage {
    weir_runtime *runtime;
    const weir__demand *demand;
    const char *what; /* as the user named it */
    void *user;
    /** As weir__session_try; in *finding how it ended, when it did not come to its end. */
    weir_status (*try_settings)(const struct weir__stage *stage, weir__session *session,
                                weir__finding *finding, weir_error *error);
    void (*run_trial)(const struct weir__stage *stage, const weir__session *session, const weir__trial *trial,
                      weir__finding *finding);
} weir__stage;

/** True for a path; false for an id. */
int weir__names_file(const char *id_or_file);
/** Checks a module. INVALID when no setting suits it. */
weir_status weir__suite_module(const weir__stage *stage, const char *id, int32_t kind,
                               const weir__entry *entry, weir__findings *report, weir_error *error);
/** Adds {"module": name, "checks": [...]} to `list`, and clears *ok when one does not hold. */
weir_status weir__suite_tell(const weir__stage *stage, const char *name, const weir__findings *report,
                             json_t *list, int32_t *ok, weir_error *error);
/** INVALID when "only" names no check at all. */
weir_status weir__suite_only(const weir__demand *demand, weir_error *error);
/** True when the check is wanted. */
int weir__suite_wants(const weir__demand *demand, const char *name);

#endif
