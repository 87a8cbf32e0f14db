/* probe.h - letting another process load a plugin first. */
#ifndef WEIR__PROBE_H
#define WEIR__PROBE_H

#include "plugin/listing.h"
#include "plugin/spawn.h"

/** The first line of the helper's answer; a helper that says anything else belongs to another Weir. */
#define WEIR__PROBE_GREETING "weir-probe 1"
#define WEIR__PROBE_FD       WEIR__HELPER_FD
#define WEIR__PROBE_TIMEOUT  2000 /* milliseconds */

/** Has `helper` load `file` (absolute) and gets its contents. INVALID: the file is at fault, and the message, without
 *  its name, says how. UNSUPPORTED: the helper could not be used. */
weir_status weir__probe(const char *helper, const char *file, int32_t timeout, weir__listing **listing,
                        weir_error *error);

#endif
