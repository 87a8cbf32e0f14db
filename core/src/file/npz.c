/* npz.c - NumPy's .npz archives: zip files whose members are .npy files.
 *
 * SPDX-License-Identifier: MIT
 */
#include "parsers.h"
#include "zip.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_SIZE  300 /* characters of a message that may list members */
#define LABEL_SIZE 512

/* The name without ".npy"; 0 for a member that is no array. */
static int32_t stem_length(const weir__zip_entry *e)
{
    const int32_t stem = e->name_length - 4;
    return stem > 0 && !memcmp(e->name + stem, ".npy", 4) ? stem : 0;
}

static bool is_called(const weir__zip_entry *e, const char *member)
{
    const size_t length = strlen(member), full = (size_t)e->name_length, stem = (size_t)stem_length(e);
    return (length == stem || length == full) && !memcmp(e->name, member, length);
}

typedef struct search {
    int64_t arrays;  /* in the archive */
    int64_t matches; /* of the member asked for, or of any */
    weir__zip_entry entry;
    char list[LIST_SIZE];
} search;

static void add_to_list(search *s, const weir__zip_entry *e, int32_t stem)
{
    const size_t used = strlen(s->list);
    if (used + (size_t)stem + sizeof ", ..." < sizeof s->list)
        snprintf(s->list + used, sizeof s->list - used, "%s%.*s", used ? ", " : "", (int)stem, e->name);
    else if (used + sizeof ", ..." <= sizeof s->list && (used < 3 || strcmp(s->list + used - 3, "...") != 0))
        snprintf(s->list + used, sizeof s->list - used, "%s...", used ? ", " : "");
}

static weir_status look(weir__zip zip, const char *member, search *s, weir_error *error)
{
    for (;;) {
        weir__zip_entry e;
        int32_t found;
        const weir_status status = weir__zip_next(&zip, &e, &found, error);
        if (status || !found) return status;
        const int32_t stem = stem_length(&e);
        if (!stem) continue;
        s->arrays++;
        add_to_list(s, &e, stem);
        if (member && !is_called(&e, member)) continue;
        s->matches++;
        s->entry = e;
    }
}

static weir_status check_found(const search *s, const char *name, const char *member, weir_error *error)
{
    if (s->arrays == 0)
        return weir__fail(error, WEIR_INVALID, "%s: holds no arrays; save some with numpy.savez", name);
    if (s->matches == 1) return WEIR_OK;
    if (!member)
        return weir__fail(error, WEIR_INVALID, "%s: holds %lld arrays; name one of them: %s", name,
                          (long long)s->arrays, s->list);
    if (s->matches == 0)
        return weir__fail(error, WEIR_INVALID, "%s: holds no array named '%s'; it holds %s", name, member,
                          s->list);
    return weir__fail(error, WEIR_INVALID, "%s: holds %lld arrays named '%s'; save it again", name,
                      (long long)s->matches, member);
}

weir_status weir__npz_parse(const unsigned char *data, int64_t size, const char *name, const char *member,
                            weir_array **array, weir_error *error)
{
    weir__zip zip;
    search s = {0};
    weir_status status = weir__zip_open(data, size, name, &zip, error);
    if (!status) status = look(zip, member, &s, error);
    if (!status) status = check_found(&s, name, member, error);
    if (status) return status;

    char label[LABEL_SIZE];
    const unsigned char *bytes;
    unsigned char *block;
    snprintf(label, sizeof label, "%s: %.*s", name, (int)s.entry.name_length, s.entry.name);
    status = weir__zip_contents(&zip, &s.entry, label, &bytes, &block, error);
    if (status) return status;
    status = weir__npy_parse(bytes, s.entry.size, label, array, error);
    free(block);
    return status;
}
