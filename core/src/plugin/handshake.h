/* handshake.h - comparing a plugin's root with this host before anything else of it is used. */
#ifndef WEIR__HANDSHAKE_H
#define WEIR__HANDSHAKE_H

#include "error.h"

/** OK when plugin and host speak the same ABI. The message names the field that differs, both values and what to do;
 *  it does not name the file. */
weir_status weir__handshake(const weir_root *root, weir_error *error);

#endif
