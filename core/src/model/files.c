/* files.c - see files.h. */
#include "model/files.h"

#include "model/making.h"
#include "plugin/companion.h"
#include "plugin/sha256.h"
#include "run/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a lock file of the model must name. Each worker of a module asks again, and adds nothing. */
static int remember(weir__net *net, const char *path)
{
    for (int32_t i = 0; i < net->file_count; i++)
        if (strcmp(net->files[i], path) == 0) return 1;
    char *const copy = strdup(path);
    char **const longer = realloc(net->files, ((size_t)net->file_count + 1) * sizeof *longer);
    if (longer) net->files = longer;
    if (longer && copy)
        longer[net->file_count++] = copy;
    else
        free(copy);
    return longer && copy;
}

static weir_status find(weir_builder *b, const char *name, char *path, int64_t capacity)
{
    weir__making *const m = weir__making_of(b);
    char *found = NULL;
    weir_error why;
    if (m->failed) return WEIR_INVALID;
    if (weir__companion_find(m->net->registry, name, &found, &why) != WEIR_OK)
        return weir__refuse(m, why.message);
    const size_t size = strlen(found) + 1;
    const int fits = capacity > 0 && size <= (size_t)capacity;
    if (fits) memcpy(path, found, size);
    const int kept = !fits || remember(m->net, found);
    free(found);
    if (!kept) return weir__refuse(m, "out of memory");
    return fits ? WEIR_OK : weir__refuse(m, "the path of a file is too long");
}

static void sha256(const void *data, int64_t bytes, char *text)
{
    weir__sha256(data, (size_t)(bytes > 0 ? bytes : 0), text);
}

static const weir_files files = {
    .struct_size = (uint32_t)sizeof(weir_files),
    .find = find,
    .sha256 = sha256,
};

const weir_files *weir__files(void)
{
    return &files;
}

/* ---- while a model lives ------------------------------------------------------------------------------------------ */

static weir_status permits(const weir_frame *frame, const char *path, const char *sha256, char *why,
                           int64_t capacity)
{
    const weir__run *const run = frame->host;
    weir_error error;
    const weir_status status = weir__companion_permits(run->net->registry, path, sha256, &error);
    if (status && capacity > 0) snprintf(why, (size_t)capacity, "%s", error.message);
    return status;
}

static const weir_file_guard guard = {
    .struct_size = (uint32_t)sizeof(weir_file_guard),
    .permits = permits,
};

const weir_file_guard *weir__file_guard(void)
{
    return &guard;
}
