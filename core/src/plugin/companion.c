/* companion.c - see companion.h. */
#include "plugin/companion.h"

#include "plugin/lock.h"
#include "plugin/place.h"
#include "plugin/scan.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nothing that could lead out of the folders. */
static int is_bare_name(const char *name)
{
    const size_t n = strlen(name);
    const char *const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    return n > 0 && n <= 200 && name[0] != '.' && strspn(name, allowed) == n;
}

static weir_status not_there(const weir__registry *r, const char *name, weir_error *error)
{
    char where[600] = "";
    size_t used = 0;
    for (int64_t i = 0; i < r->folders.count && used < sizeof where; i++)
        used +=
            (size_t)snprintf(where + used, sizeof where - used, "%s%s", i ? ", " : "", r->folders.paths[i]);
    return weir__fail(
        error, WEIR_INVALID,
        "there is no file \"%s\" in the plugin folders (searched %s): put it there, or add its folder to "
        "WEIR_PLUGIN_PATH or plugin_path",
        name, *where ? where : "none");
}

static weir_status is_private(const char *path, const struct stat *st, weir_error *error)
{
    if (!(st->st_mode & S_IWOTH)) return WEIR_OK;
    return weir__fail(error, WEIR_INVALID, "%s: everybody may write to this file; chmod o-w it", path);
}

weir_status weir__companion_find(const weir__registry *r, const char *name, char **path, weir_error *error)
{
    struct stat st;
    if (!is_bare_name(name))
        return weir__fail(
            error, WEIR_INVALID,
            "\"%.64s\" is not the bare name of a file (letters, digits, - _ and ., no folder): put the "
            "file into a plugin folder and give its name",
            name);
    for (int64_t i = 0; i < r->folders.count; i++) {
        char *const here = weir__place_join(r->folders.paths[i], name);
        if (!here) return weir__no_memory(error, "a path");
        if (stat(here, &st) != 0 || !S_ISREG(st.st_mode)) {
            free(here);
            continue;
        }
        weir_status status = is_private(here, &st, error);
        if (!status && r->lock) status = weir__lock_check(r->lock, here, &st, error);
        if (!status) return *path = here, WEIR_OK;
        free(here);
        return status;
    }
    return not_there(r, name, error);
}

weir_status weir__companion_permits(const weir__registry *r, const char *path, const char *sha256,
                                    weir_error *error)
{
    struct stat st;
    if (stat(path, &st) != 0) return weir__fail(error, WEIR_INVALID, "%s: %s", path, strerror(errno));
    const weir_status status = is_private(path, &st, error);
    return !status && r->lock ? weir__lock_permits(r->lock, path, sha256, error) : status;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static int ends_in(const char *name, const char *ending)
{
    const size_t n = strlen(name), m = strlen(ending);
    return n > m && strcmp(name + n - m, ending) == 0;
}

/* Which files belong to a plugin nobody says before one asks for them. Scripts and declarations do by what they are called;
 * a folder where a plugin is built holds much else. */
static int may_be_one(const char *name, const char *ending)
{
    if (!is_bare_name(name) || strcmp(name, "manifest.json") == 0) return 0;
    return ending ? ends_in(name, ending) : ends_in(name, ".lua") || ends_in(name, ".json");
}

static int is_listed(const weir__companions *list, const char *path)
{
    for (int64_t i = 0; i < list->count; i++)
        if (strcmp(list->paths[i], path) == 0) return 1;
    return 0;
}

static weir_status add(weir__companions *list, char *path, weir_error *error)
{
    char **const longer = realloc(list->paths, ((size_t)list->count + 1) * sizeof *longer);
    if (!longer) {
        free(path);
        return weir__no_memory(error, "the list of files");
    }
    list->paths = longer;
    list->paths[list->count++] = path;
    return WEIR_OK;
}

/* A name that several folders have is found in the first, from whichever it was learnt; one that is refused there is left
 * out. */
static weir_status add_name(const weir__registry *r, const char *name, weir__companions *list,
                            weir_error *error)
{
    char *path = NULL;
    if (weir__companion_find(r, name, &path, NULL) != WEIR_OK) return WEIR_OK;
    if (!is_listed(list, path)) return add(list, path, error);
    free(path);
    return WEIR_OK;
}

weir_status weir__companion_list(const weir__registry *r, const char *ending, weir__companions *list,
                                 weir_error *error)
{
    weir_status status = WEIR_OK;
    *list = (weir__companions){NULL, 0};
    for (int64_t i = 0; i < r->folders.count && !status; i++) {
        struct dirent **names = NULL;
        const int count = scandir(r->folders.paths[i], &names, NULL, alphasort);
        for (int k = 0; k < count; k++) {
            if (!status && may_be_one(names[k]->d_name, ending))
                status = add_name(r, names[k]->d_name, list, error);
            free(names[k]);
        }
        free(names);
    }
    if (status) weir__companions_clear(list);
    return status;
}

void weir__companions_clear(weir__companions *list)
{
    for (int64_t i = 0; i < list->count; i++) free(list->paths[i]);
    free(list->paths);
    *list = (weir__companions){NULL, 0};
}
