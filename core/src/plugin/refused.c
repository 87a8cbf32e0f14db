/* refused.c - the files that were found and may not be used, and why.
 *
 * SPDX-License-Identifier: MIT
 */
#include "plugin/refused.h"

#include <stdlib.h>
#include <string.h>

static void clear_one(weir__refusal *refusal)
{
    weir__listing_free(refusal->listing);
    free(refusal->message);
    free(refusal->path);
}

void weir__refusals_add(weir__refusals *list, const char *path, const char *message, int by_lock,
                        weir__listing *listing)
{
    weir__refusal made = {
        .path = strdup(path), .message = strdup(message), .by_lock = by_lock, .listing = listing};
    weir__refusal *const longer = realloc(list->items, ((size_t)list->count + 1) * sizeof *longer);
    if (longer) list->items = longer;
    if (longer && made.path && made.message)
        list->items[list->count++] = made;
    else
        clear_one(&made);
}

void weir__refusals_clear(weir__refusals *list)
{
    for (int64_t i = 0; i < list->count; i++) clear_one(&list->items[i]);
    free(list->items);
    *list = (weir__refusals){NULL, 0};
}

static int holds(const weir__listing *listing, const char *id)
{
    for (int64_t i = 0; listing && i < listing->count; i++)
        if (strcmp(listing->modules[i].id, id) == 0) return 1;
    return 0;
}

const weir__refusal *weir__refusals_of_module(const weir__refusals *list, const char *id)
{
    for (int64_t i = 0; i < list->count; i++)
        if (list->items[i].by_lock && holds(list->items[i].listing, id)) return &list->items[i];
    return NULL;
}

static int is_called(const char *path, const char *plugin)
{
    const char *const slash = strrchr(path, '/'), *const name = slash ? slash + 1 : path;
    const size_t n = strlen(plugin);
    return strncmp(name, plugin, n) == 0 && strcmp(name + n, ".so") == 0;
}

const weir__refusal *weir__refusals_of_plugin(const weir__refusals *list, const char *plugin)
{
    for (int64_t i = 0; i < list->count; i++)
        if (is_called(list->items[i].path, plugin)) return &list->items[i];
    return NULL;
}

const char *weir__refusal_reason(const weir__refusal *refusal)
{
    const size_t n = strlen(refusal->path);
    const char *const text = refusal->message;
    return strncmp(text, refusal->path, n) == 0 && strncmp(text + n, ": ", 2) == 0 ? text + n + 2 : text;
}
