/* companion.h - files that go with plugins: scripts, tables, manifests, beside them in their folders. */
#ifndef WEIR__COMPANION_H
#define WEIR__COMPANION_H

#include "plugin/registry.h"

/** The first file of that bare name in the plugin folders; the caller frees *path. INVALID, with the folders searched,
 *  when there is none, when everybody may write the one that there is, or when a lock file does not
 *  name it. Safe from any thread. */
weir_status weir__companion_find(const weir__registry *registry, const char *name, char **path,
                                 weir_error *error);

#endif
