/* network.c - incremental calls for an autoregressive network that has none. */
#include "supply/supply.h"

uint32_t weir__fill_network(weir__supplied *s, weir_child *child)
{
    (void)s;
    (void)child;
    return 0;
}
