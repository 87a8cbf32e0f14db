/* where.c - see where.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "plugin/where.h"

#include "plugin/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *join(const weir__folders *folders)
{
    size_t length = 1;
    for (int64_t i = 0; i < folders->count; i++) length += strlen(folders->paths[i]) + 1;
    char *const text = malloc(length);
    char *to = text;
    if (!text) return NULL;
    *to = '\0';
    for (int64_t i = 0; i < folders->count; i++) {
        if (i) *to++ = ':';
        to = stpcpy(to, folders->paths[i]);
    }
    return text;
}

char *weir__registry_folders(weir__registry *r)
{
    pthread_mutex_lock(&r->mutex);
    char *const text = join(&r->folders);
    pthread_mutex_unlock(&r->mutex);
    return text;
}

char *weir__registry_lock_path(weir__registry *r)
{
    if (!r->lock) return NULL;
    char *const real = realpath(weir__lock_path(r->lock), NULL);
    return real ? real
                : strdup(weir__lock_path(r->lock)); /* gone: whoever opens it is told, and goes no further */
}

char *weir__registry_file_of(weir__registry *r, const char *id)
{
    pthread_mutex_lock(&r->mutex);
    const weir__plugin *const owner = weir__shelf_owner(&r->shelf, id);
    char *const path = owner ? strdup(owner->path) : NULL;
    pthread_mutex_unlock(&r->mutex);
    return path;
}

weir_status weir__registry_permits(weir__registry *r, const char *path, weir_error *error)
{
    struct stat st;
    if (stat(path, &st) != 0) return weir__fail(error, WEIR_INVALID, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return weir__fail(error, WEIR_INVALID, "%s: not a regular file; a plugin is a shared object", path);
    return r->lock ? weir__lock_check(r->lock, path, &st, error) : WEIR_OK;
}
