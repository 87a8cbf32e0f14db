/* open.h - opening a module for the checks: what must be called before it can be checked. */
#ifndef WEIR__CHECK_OPEN_H
#define WEIR__CHECK_OPEN_H

#include "check/call.h"

/** Opens the module, lets it observe where it wants to, and finds which points it takes. */
weir_status weir__subject_open(weir__subject *subject, const weir__candidate *candidate,
                               const weir__setting *setting, int32_t precision, weir_error *error);
void weir__subject_close(weir__subject *subject);
/** Perturbs every parameter by noise large enough to leave the identity. */
weir_status weir__subject_train(weir__subject *subject, weir_error *error);

#endif
