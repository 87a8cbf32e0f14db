/* search.c - the folders in which plugins are sought, and which of them can be trusted.
 *
 * SPDX-License-Identifier: MIT
 *
 * Code from these folders runs with the user's rights, so a folder in which any other user could put a file is left
 * out. Group-writable is common and harmless where the group is root's or the user's own (umask 002).
 */
#include "plugin/search.h"

#include "plugin/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int group_may_be_strangers(const struct stat *st)
{
    const int own = st->st_gid == 0 || st->st_gid == getegid() || (st->st_uid == st->st_gid);
    return (st->st_mode & S_IWGRP) && !own;
}

static int is_trusted(const char *path, const weir__reporter *reporter)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        weir__report(reporter, WEIR__WARNING, "%s: not a folder; plugins are not sought there", path);
        return 0;
    }
    if (!(st.st_mode & S_IWOTH) && !group_may_be_strangers(&st)) return 1;
    weir__report(reporter, WEIR__WARNING,
                 "%s: %s may write to this folder, so its plugins are not used; chmod %s it", path,
                 st.st_mode & S_IWOTH ? "everybody" : "other users", st.st_mode & S_IWOTH ? "o-w" : "g-w");
    return 0;
}

static int is_known(const weir__folders *folders, const char *path)
{
    for (int64_t i = 0; i < folders->count; i++)
        if (strcmp(folders->paths[i], path) == 0) return 1;
    return 0;
}

/* Takes `path`. */
static weir_status append(weir__folders *folders, char *path, const weir__reporter *reporter,
                          weir_error *error)
{
    if (is_known(folders, path) || !is_trusted(path, reporter)) {
        free(path);
        return WEIR_OK;
    }
    char **const longer = realloc(folders->paths, ((size_t)folders->count + 1) * sizeof *longer);
    if (!longer) {
        free(path);
        return weir__no_memory(error, "the plugin folders");
    }
    folders->paths = longer;
    folders->paths[folders->count++] = path;
    return WEIR_OK;
}

static weir_status add_one(weir__folders *folders, const char *given, const weir__reporter *reporter,
                           weir_error *error)
{
    char *const real = realpath(given, NULL);
    if (real) return append(folders, real, reporter, error);
    weir__report(reporter, WEIR__WARNING, "plugin folder %s: %s; correct or remove it in the search path",
                 given, strerror(errno));
    return WEIR_OK;
}

/* Empty parts of a list are skipped: they must not come to mean the working directory. */
static weir_status add_list(weir__folders *folders, const char *list, const weir__reporter *reporter,
                            weir_error *error)
{
    if (!list) return WEIR_OK;
    char *const copy = strdup(list);
    if (!copy) return weir__no_memory(error, "the plugin folders");
    weir_status status = WEIR_OK;
    char *rest = NULL;
    for (char *part = strtok_r(copy, ":", &rest); part && !status; part = strtok_r(NULL, ":", &rest))
        status = add_one(folders, part, reporter, error);
    free(copy);
    return status;
}

weir_status weir__search_folders(const char *plugin_path, const weir__reporter *reporter,
                                 weir__folders *folders, weir_error *error)
{
    *folders = (weir__folders){NULL, 0};
    weir_status status = add_list(folders, plugin_path, reporter, error);
    if (!status) status = add_list(folders, secure_getenv("WEIR_PLUGIN_PATH"), reporter, error);
    char *const beside = status ? NULL : weir__place_plugins();
    if (beside) status = append(folders, beside, reporter, error);
    if (status) weir__search_free(folders);
    return status;
}

void weir__search_free(weir__folders *folders)
{
    for (int64_t i = 0; i < folders->count; i++) free(folders->paths[i]);
    free(folders->paths);
    *folders = (weir__folders){NULL, 0};
}
