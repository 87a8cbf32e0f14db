/* scan.h - what a registry is made of, and filling it from the folders. */
#ifndef WEIR__SCAN_H
#define WEIR__SCAN_H

#include "plugin/examine.h"
#include "plugin/inventory.h"
#include "plugin/registry.h"

#include <pthread.h>

struct weir__registry {
    pthread_mutex_t mutex;
    weir__reporter reporter;
    weir__examiner examiner;
    weir__folders folders;
    weir__shelf shelf;
    weir__refusals refusals;
    weir__lock *lock; /* NULL: any plugin may be used */
};

/** Looks through all folders, under a lock file when there is one. */
weir_status weir__scan(weir__registry *registry, const char *plugin_path, const char *lock,
                       weir_error *error);
/** Makes the ids of a plugin's modules mean it, where they do not yet mean another. */
weir_status weir__scan_names(weir__registry *registry, weir__plugin *plugin, int warn, weir_error *error);

#endif
