/* load.h - bringing a plugin into this process, for good. */
#ifndef WEIR__LOAD_H
#define WEIR__LOAD_H

#include "plugin/listing.h"

#include <weir/module.h>

/** A plugin whose handshake and descriptors have passed. Module i is f32[i] and f64[i]; one of the two may be NULL. */
typedef struct weir__loaded {
    const weir_root *root;
    const weir_module **f32, **f64;
    int64_t count;
    const char *disturbed; /* what loading did to the floating-point state (put back), or NULL */
} weir__loaded;

/** Opens the file at an absolute path, shakes hands and checks every module. The message does not name the file. The
 *  file stays in the process even when it is refused: unloading code that may have left threads or destructors behind
 *  is how processes die later. The floating-point state is as before. */
weir_status weir__load(const char *path, weir__loaded *loaded, weir_error *error);
/** Frees the lists, not the plugin. */
void weir__loaded_clear(weir__loaded *loaded);

/** What was loaded, as a listing; NULL when memory is exhausted. */
weir__listing *weir__loaded_listing(const weir__loaded *loaded);

#endif
