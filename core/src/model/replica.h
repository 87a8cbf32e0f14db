/* replica.h - instances are made and destroyed, one at a time in the whole process; modules that are made per worker have
 * one more for every worker, over the tensors and children of the first. */
#ifndef WEIR__REPLICA_H
#define WEIR__REPLICA_H

#include "model/net.h"

/** One instance for each module of the net that is made per worker; *replicas is NULL when there is none. */
weir_status weir__replicas_make(const weir__net *net, void ***replicas, weir_error *error);
void weir__replicas_free(const weir__net *net, void **replicas);

#endif
