/* load.h - bringing a plugin into this process, for good. */
#ifndef WEIR__LOAD_H
#define WEIR__LOAD_H

#include "plugin/listing.h"
#include "plugin/report.h"

#include <weir/module.h>

/** A plugin whose handshake and descriptors have passed. Module i is f32[i] and f64[i]; one of the two may be NULL. */
typedef struct weir__loaded {
    const weir_root *root;
    const weir_module **f32, **f64;
    int64_t count;
} weir__loaded;

/** Opens the file at an absolute path, shakes hands and checks every module. The message does not name the file. The
 *  file stays in the process even when it is refused: unloading code that may have left threads or destructors behind
 *  is how processes die later. The floating-point state is as before, and a plugin that changed it is
 *  reported (reporter may be NULL). */
weir_status weir__load(const char *path, const weir__reporter *reporter, weir__loaded *loaded,
                       weir_error *error);
/** Frees the lists, not the plugin. */
void weir__loaded_clear(weir__loaded *loaded);

/** What was loaded, as a listing; NULL when memory is exhausted. */
weir__listing *weir__loaded_listing(const weir__loaded *loaded);

#endif
