/* refused.h - the files that were found and may not be used, and why. */
#ifndef WEIR__REFUSED_H
#define WEIR__REFUSED_H

#include "plugin/listing.h"

typedef struct weir__refusal {
    char *path;
    char *message;          /* "PATH: why" */
    int by_lock;            /* the lock does not name it */
    weir__listing *listing; /* what it is said to hold, by a manifest or the cache; NULL: nobody knows */
} weir__refusal;

typedef struct weir__refusals {
    weir__refusal *items;
    int64_t count;
} weir__refusals;

/** Takes `listing`. Without memory the refusal is forgotten, and the file still not used. */
void weir__refusals_add(weir__refusals *list, const char *path, const char *message, int by_lock,
                        weir__listing *listing);
void weir__refusals_clear(weir__refusals *list);

/** A file that the lock keeps out and that is said to hold a module; or NULL. */
const weir__refusal *weir__refusals_of_module(const weir__refusals *list, const char *id);
/** A file called PLUGIN.so, or NULL. */
const weir__refusal *weir__refusals_of_plugin(const weir__refusals *list, const char *plugin);
/** The message without the path that it begins with. */
const char *weir__refusal_reason(const weir__refusal *refusal);

#endif
