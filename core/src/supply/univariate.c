/* univariate.c - a univariate's missing inverse and inverse VJP. */
#include "supply/supply.h"

uint32_t weir__fill_univariate(weir__supplied *s, weir_child *child)
{
    (void)s;
    (void)child;
    return 0;
}
