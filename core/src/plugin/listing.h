/* listing.h - what a plugin file holds, as known without loading it. */
#ifndef WEIR__LISTING_H
#define WEIR__LISTING_H

#include "error.h"

#include <jansson.h>

/** A manifest says so; a probe of an earlier start did; weir-probe has just loaded it; this process had to. */
#define WEIR__CHECKED_MANIFEST "manifest"
#define WEIR__CHECKED_BEFORE   "before"
#define WEIR__CHECKED_NOW      "now"
#define WEIR__CHECKED_NEVER    "never"

typedef struct weir__listed {
    char *id;
    int32_t kind;  /* WEIR_LAYER, ... */
    int32_t has32; /* offered in f32 */
    int32_t has64;
} weir__listed;

/** The same JSON object in a manifest, in the probe cache and in the answer of weir-probe: {"plugin", "version",
 *  "needs", "modules": [{"id", "kind": "layer", "precisions": [32, 64]}]}. Text in it has passed the checks that a
 *  plugin's own names pass, wherever it comes from. */
typedef struct weir__listing {
    char *plugin, *version, *needs;
    weir__listed *modules;
    int64_t count;
    const char *checked; /* how it is known: WEIR__CHECKED_*; not part of the JSON */
} weir__listing;

/** NULL with a message when the object is not as above. */
weir__listing *weir__listing_parse(const json_t *object, weir_error *error);
/** NULL when memory is exhausted. */
json_t *weir__listing_json(const weir__listing *listing);
void weir__listing_free(weir__listing *listing);

/** "layer", ..., or NULL. */
const char *weir__kind_name(int32_t kind);

#endif
