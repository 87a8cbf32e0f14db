/* shelf.h - the plugins that are known, by file and by the ids of their modules. */
#ifndef WEIR__SHELF_H
#define WEIR__SHELF_H

#include "plugin/listing.h"
#include "plugin/registry.h"
#include "plugin/report.h"

#include <sys/stat.h>

/** A file whose contents are known. It is loaded when one of its modules is asked for. */
typedef struct weir__plugin {
    char *path;        /* absolute, links resolved */
    struct stat known; /* as it was when its contents were found out */
    weir__listing *listing;
    weir__entry *entries; /* NULL until loaded */
    const weir__entry **list;
    int64_t count;
    weir_error refusal; /* why loading failed; status WEIR_OK: it has not */
} weir__plugin;

typedef struct weir__known_id {
    const char *id; /* the listing's */
    weir__plugin *owner;
} weir__known_id;

typedef struct weir__shelf {
    weir__plugin **plugins;
    int64_t plugin_count;
    weir__known_id *ids; /* sorted by id, each once */
    int64_t id_count;
} weir__shelf;

void weir__shelf_clear(weir__shelf *shelf);
/** The plugin that is this very file, under whatever name, or NULL. */
weir__plugin *weir__shelf_file(const weir__shelf *shelf, const struct stat *st);
/** Takes `listing`. */
weir_status weir__shelf_add(weir__shelf *shelf, const char *path, const struct stat *st,
                            weir__listing *listing, weir__plugin **made, weir_error *error);

weir__plugin *weir__shelf_owner(const weir__shelf *shelf, const char *id);
/** Makes `id`, a string that lives as long as the shelf, mean `owner` unless it already means another. */
weir_status weir__shelf_name(weir__shelf *shelf, const char *id, weir__plugin *owner, weir_error *error);
const char *weir__shelf_nearest(const weir__shelf *shelf, const char *id);

/** True when the file is unchanged. */
int weir__plugin_is(const weir__plugin *plugin, const struct stat *st);
/** Accepts a changed file, and forgets why the old one was refused. */
void weir__plugin_renew(weir__plugin *plugin, const struct stat *st);
/** Loads it unless it is loaded. A plugin that was refused stays refused, with the same message. */
weir_status weir__plugin_load(weir__plugin *plugin, const weir__reporter *reporter, weir_error *error);

#endif
