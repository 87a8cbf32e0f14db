/* where.h - what another process must be told to find the same plugins. */
#ifndef WEIR__WHERE_H
#define WEIR__WHERE_H

#include "plugin/registry.h"

/** The folders of the search, joined by ':'. All three: malloc'ed; NULL when there is none, or no memory. */
char *weir__registry_folders(weir__registry *registry);
char *weir__registry_lock_path(weir__registry *registry);
/** The file that holds the module of that id. Loads nothing. */
char *weir__registry_file_of(weir__registry *registry, const char *id);

/** Whether the lock, if there is one, lets a file be used; `path` must be absolute. */
weir_status weir__registry_permits(weir__registry *registry, const char *path, weir_error *error);

#endif
