/* node.h - reading one node of a model description, {"type", "options", "children", "share", "frozen"}. */
#ifndef WEIR__NODE_H
#define WEIR__NODE_H

#include "model/making.h"

/** An object with no key but those five, each of its type. */
weir_status weir__node_keys(const json_t *node, const char *path, weir_error *error);
/** Children stand in slots that the module has. */
weir_status weir__node_children(const weir_module *module, const json_t *children, const char *path,
                                weir_error *error);
/** After create: what is given but not taken would be left out of the model without a word. */
weir_status weir__node_all_taken(const weir__making *making, weir_error *error);
/** The module of a type. A host's own comes first, *entry NULL: a plugin cannot take its name. */
weir_status weir__node_module(weir__net *net, const weir__request *request, const char *type,
                              const weir_module **module, const weir__entry **entry, weir_error *error);
/** Joins, or begins, the share of that name. */
weir_status weir__node_share(weir__making *making, const char *name, weir_error *error);

#endif
