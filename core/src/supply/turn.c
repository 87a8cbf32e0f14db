/* turn.c - see turn.h. */
#include "supply/turn.h"

#include <pthread.h>

static pthread_mutex_t turn = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void weir__turn_take(void)
{
    pthread_mutex_lock(&turn);
}

void weir__turn_give(void)
{
    pthread_mutex_unlock(&turn);
}
