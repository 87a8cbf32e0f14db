/* making.c - see making.h. */
#include "model/making.h"

#include <pthread.h>

weir_status weir__refuse(weir__making *m, const char *text)
{
    if (!m->failed)
        weir__fail(m->error, WEIR_INVALID, "%s (%s): %s", m->request->path, m->instance->module->id, text);
    m->failed = 1;
    return WEIR_INVALID;
}

/* A module may make its children while it is made. */
static pthread_mutex_t creation = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

weir_status weir__create(const weir_module *module, weir_builder *builder, void **self)
{
    pthread_mutex_lock(&creation);
    const weir_status status = module->create(builder, self);
    pthread_mutex_unlock(&creation);
    return status;
}

void weir__destroy(const weir_module *module, void *self)
{
    if (!self || !module->destroy) return;
    pthread_mutex_lock(&creation);
    module->destroy(self);
    pthread_mutex_unlock(&creation);
}
