/* registry.c - many threads ask one registry at once: for ids, for modules not yet loaded, for a file by name.
 *
 * SPDX-License-Identifier: MIT
 */
#include "plugin/registry.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 8

static weir__registry *registry;
static const weir__entry *found[THREADS];

static void quiet(void *user, int32_t level, const char *line)
{
    (void)user, (void)level, (void)line;
}

static void *ask(void *argument)
{
    const weir__entry **const mine = argument;
    const weir__entry *const *entries = NULL;
    int64_t count = 0;
    weir_error error;
    if (weir__registry_load_file(registry, WEIR_TEST_FIXTURES "/good.so", &entries, &count, &error) !=
        WEIR_OK)
        return NULL;
    for (int64_t i = 0; i < weir__registry_count(registry); i++) {
        const weir__entry *entry;
        const char *const id = weir__registry_id(registry, i);
        if (id) weir__registry_find(registry, id, &entry, &error);
    }
    return weir__registry_find(registry, "fixture.good", mine, &error) == WEIR_OK ? (void *)(uintptr_t)*mine
                                                                                  : NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    weir_error error;
    int wrong = 0;
    if (weir__registry_open(NULL, NULL, quiet, NULL, &registry, &error) != WEIR_OK)
        return fprintf(stderr, "%s\n", error.message), 1;
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, ask, (void *)(uintptr_t)&found[i]) != 0) return 1;
    for (int i = 0; i < THREADS; i++) {
        void *entry;
        pthread_join(threads[i], &entry);
        wrong += !entry || entry != (void *)(uintptr_t)found[0];
    }
    if (wrong) fprintf(stderr, "%d threads got no entry, or another\n", wrong);
    weir__registry_close(registry);
    return wrong != 0;
}
