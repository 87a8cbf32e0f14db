/* adapter.c - tiles gathered and converted on their way into a module. */
#include "supply/supply.h"

void weir__adapt(weir__supplied *s, weir_child *child)
{
    (void)s;
    (void)child;
}
