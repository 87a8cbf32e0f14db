/* files.c - see files.h. */
#include "model/files.h"

#include "model/making.h"
#include "plugin/companion.h"
#include "plugin/sha256.h"

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
