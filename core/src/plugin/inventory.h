/* inventory.h - what is found where, as JSON: for the user to read, and to lock. */
#ifndef WEIR__INVENTORY_H
#define WEIR__INVENTORY_H

#include "plugin/lock.h"
#include "plugin/refused.h"
#include "plugin/search.h"
#include "plugin/shelf.h"

/** The object that weir_plugins gives; NULL when memory is exhausted. */
json_t *weir__inventory(const weir__folders *folders, const weir__lock *lock, const weir__shelf *shelf,
                        const weir__refusals *refusals);

/** An entry of a lock file for a file that is no plugin. */
weir_status weir__inventory_file(const char *path, json_t **entry, weir_error *error);
/** An entry of a lock file. */
weir_status weir__inventory_entry(const weir__plugin *plugin, json_t **entry, weir_error *error);

#endif
