/* foreman.h - one process for each test, and what is to be made of its end. */
#ifndef WEIR__FOREMAN_H
#define WEIR__FOREMAN_H

#include "check/suite.h"

/** Checks what the stage names and adds to the list; errors are those of weir_check. */
weir_status weir__foreman_check(weir__stage *stage, json_t *list, int32_t *ok, weir_error *error);

#endif
