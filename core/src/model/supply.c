/* supply.c - what the host adds to a module so that its parent can call it without looking. */
#include "model/net.h"

weir_status weir__supply(weir__net *net, weir__instance *instance, weir_error *error)
{
    (void)net;
    (void)error;
    instance->child = instance->own;
    return WEIR_OK;
}
