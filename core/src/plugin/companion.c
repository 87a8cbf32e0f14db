/* companion.c - see companion.h. */
#include "plugin/companion.h"

#include "plugin/lock.h"
#include "plugin/place.h"
#include "plugin/scan.h"

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
        weir_status status = WEIR_OK;
        if (st.st_mode & S_IWOTH)
            status =
                weir__fail(error, WEIR_INVALID, "%s: everybody may write to this file; chmod o-w it", here);
        else if (r->lock)
            status = weir__lock_check(r->lock, here, &st, error);
        if (!status) return *path = here, WEIR_OK;
        free(here);
        return status;
    }
    return not_there(r, name, error);
}
