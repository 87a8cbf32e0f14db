/* companion.h - files that go with plugins: scripts, tables, manifests, beside them in their folders. */
#ifndef WEIR__COMPANION_H
#define WEIR__COMPANION_H

#include "plugin/registry.h"

/** The first file of that bare name in the plugin folders; the caller frees *path. INVALID, with the folders searched,
 *  when there is none, when everybody may write the one that there is, or when a lock file does not
 *  name it. Safe from any thread. */
weir_status weir__companion_find(const weir__registry *registry, const char *name, char **path,
                                 weir_error *error);
/** Whether a file that was found may be read again, now that its bytes have this digest. Safe from any thread. */
weir_status weir__companion_permits(const weir__registry *registry, const char *path, const char *sha256,
                                    weir_error *error);

typedef struct weir__companions {
    char **paths;
    int64_t count;
} weir__companions;

/** The files that modules might ask for, by how their names end; NULL: scripts (.lua) and declarations (.json). Those that
 *  would be refused are left out. */
weir_status weir__companion_list(const weir__registry *registry, const char *ending, weir__companions *list,
                                 weir_error *error);
void weir__companions_clear(weir__companions *list);

#endif
