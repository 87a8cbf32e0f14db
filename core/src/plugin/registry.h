/* registry.h - which modules exist, and where: search folders, manifests, probes, loading.
 *
 * Invariants: a folder that others may write is never read. A file is dlopened only after its ELF header and
 * segments are whole, and after a helper process (weir-probe) has loaded it without harm, unless a manifest or the
 * probe cache vouches for the same path, inode, size and mtime. Nothing is ever dlclosed. The floating-point control
 * state is as before after every load. Only plugins that hold a module asked for are loaded. Thread-safe: one lock
 * around everything, never held while a plugin's code runs module code (create, tiles).
 */
#ifndef WEIR__REGISTRY_H
#define WEIR__REGISTRY_H

#include "error.h"

#include <jansson.h>
#include <weir/module.h>

typedef struct weir__registry weir__registry;

/** One module, loaded. Lives as long as the registry. */
typedef struct weir__entry {
    const char *id;
    int32_t kind;
    const char *plugin; /* plugin name */
    const char *plugin_version;
    const char *file;       /* absolute path of the .so */
    const weir_module *f32; /* NULL: not offered */
    const weir_module *f64;
} weir__entry;

/** The descriptor for a precision; the other one when that is missing. */
const weir_module *weir__entry_module(const weir__entry *entry, int32_t precision);

/** log may be NULL. plugin_path: ':'-separated, first; may be NULL. Then WEIR_PLUGIN_PATH, then the default folders
 *  (beside libweir: ../plugins in a build tree, weir/plugins in an install tree). Broken plugins are reported through
 *  `log` at level 2 and skipped. lock: a lock file; NULL: WEIR_LOCK, or none. What it does not name is not used, nor
 *  probed, and is reported at level 1. */
weir_status weir__registry_open(const char *plugin_path, const char *lock,
                                void (*log)(void *, int32_t, const char *), void *user,
                                weir__registry **registry, weir_error *error);
void weir__registry_close(weir__registry *registry);

/** Finds a module by id and loads its plugin when it is not yet loaded. INVALID, with the nearest id and the folders
 *  searched, when there is none. */
weir_status weir__registry_find(weir__registry *registry, const char *id, const weir__entry **entry,
                                weir_error *error);
/** Number of known module ids, and the i-th (sorted), without loading. */
int64_t weir__registry_count(weir__registry *registry);
const char *weir__registry_id(weir__registry *registry, int64_t index);
/** Loads one file that need not be on the search path (weir check FILE.so), and gives its modules. The list is the
 *  registry's. */
weir_status weir__registry_load_file(weir__registry *registry, const char *path,
                                     const weir__entry *const **entries, int64_t *count, weir_error *error);

/** A line for the log that the registry was opened with. Safe from any thread. */
void weir__registry_log(const weir__registry *registry, int32_t level, const char *text);

/** Why the file PLUGIN.so of a plugin was refused: "PATH: why" in *error, and 1; else 0. */
int weir__registry_why_refused(weir__registry *registry, const char *plugin, weir_error *error);
/** What is found where, see weir_plugins in weir.h; NULL when memory is exhausted. */
json_t *weir__registry_inventory(weir__registry *registry);
/** What a lock file is to name. */
typedef struct weir__lock_wish {
    const weir__entry *const *entries; /* their plugins; NULL: all plugins that have a module in use */
    int64_t entry_count;
    char *const *files; /* paths of other files; with entries NULL: all that modules might ask for */
    int64_t file_count;
} weir__lock_wish;
weir_status weir__registry_lock(weir__registry *registry, const weir__lock_wish *wish, const char *path,
                                weir_error *error);

#endif
