/* adapter.h - the adapter's calls of each kind. */
#ifndef WEIR__ADAPTER_H
#define WEIR__ADAPTER_H

#include "supply/passage.h"

/** Each sets every call of `ops` that the inner module offers. */
void weir__adapt_layer(const weir_layer_ops *own, weir_layer_ops *ops);
void weir__adapt_univariate(const weir_univariate_ops *own, weir_univariate_ops *ops);
void weir__adapt_network(const weir_network_ops *own, weir_network_ops *ops);
void weir__adapt_density(const weir_density_ops *own, weir_density_ops *ops);

#endif
