/* search.h - the folders in which plugins are sought. */
#ifndef WEIR__SEARCH_H
#define WEIR__SEARCH_H

#include "plugin/report.h"

/** Absolute paths, each once, in the order of search. */
typedef struct weir__folders {
    char **paths;
    int64_t count;
} weir__folders;

/** plugin_path (may be NULL), WEIR_PLUGIN_PATH, then the default folder. A folder that is not there, or that others
 *  may write, is left out with a warning. */
weir_status weir__search_folders(const char *plugin_path, const weir__reporter *reporter,
                                 weir__folders *folders, weir_error *error);
void weir__search_free(weir__folders *folders);

#endif
