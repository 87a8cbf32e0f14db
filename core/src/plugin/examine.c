/* examine.c - what a file holds: remembered, else checked and tried in another process.
 *
 * SPDX-License-Identifier: MIT
 */
#include "plugin/examine.h"

#include "file/file.h"
#include "plugin/elf.h"
#include "plugin/load.h"
#include "plugin/place.h"
#include "plugin/probe.h"

#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT ((int64_t)1 << 30)

void weir__examiner_open(weir__examiner *x, const weir__reporter *reporter)
{
    memset(x, 0, sizeof *x);
    x->reporter = *reporter;
    x->timeout = WEIR__PROBE_TIMEOUT;
    x->helper = weir__place_probe();
    char *const cache = weir__place_cache();
    x->cache = cache ? weir__vouch_open(cache, 1) : NULL;
    free(cache);
}

/* A cache that cannot be written costs time later, and nothing else. */
void weir__examiner_save(weir__examiner *x)
{
    if (x->cache) weir__vouch_save(x->cache, NULL);
}

void weir__examiner_close(weir__examiner *x)
{
    weir__vouch_close(x->cache);
    free(x->helper);
    x->cache = NULL;
    x->helper = NULL;
}

static weir_status check_bytes(const char *path, weir_error *error)
{
    unsigned char *data = NULL;
    int64_t size = 0;
    weir_error why;
    if (weir__file_read(path, FILE_LIMIT, &data, &size, error) != WEIR_OK) return WEIR_INVALID;
    weir_status status = weir__elf_check(data, size, &why);
    free(data);
    return status ? weir__fail(error, status, "%s: %s", path, why.message) : WEIR_OK;
}

/* Without a helper the file is loaded here: less safe, but plugins work. */
static weir_status list_here(const char *path, const weir__reporter *reporter, weir__listing **listing,
                             weir_error *error)
{
    weir__loaded loaded;
    weir_status status = weir__load(path, reporter, &loaded, error);
    if (status) return status;
    *listing = weir__loaded_listing(&loaded);
    weir__loaded_clear(&loaded);
    return *listing ? WEIR_OK : weir__no_memory(error, path);
}

static void report_helper(weir__examiner *x, const char *why)
{
    if (!x->reported)
        weir__report(&x->reporter, WEIR__WARNING,
                     "%s; new plugins are loaded without being tried in another process", why);
    x->reported = 1;
}

static weir_status probe_file(weir__examiner *x, const char *path, weir__listing **listing, weir_error *error)
{
    weir_error why = {.status = WEIR_OK};
    weir_status status = WEIR_UNSUPPORTED;
    if (!x->helper)
        report_helper(x, "weir-probe was not found beside libweir");
    else if ((status = weir__probe(x->helper, path, x->timeout, listing, &why)) == WEIR_UNSUPPORTED)
        report_helper(x, why.message);
    const char *const checked = status == WEIR_UNSUPPORTED ? WEIR__CHECKED_NEVER : WEIR__CHECKED_NOW;
    if (status == WEIR_UNSUPPORTED) status = list_here(path, &x->reporter, listing, &why);
    if (!status) (*listing)->checked = checked;
    return status ? weir__fail(error, status, "%s: %s", path, why.message) : WEIR_OK;
}

weir__listing *weir__examiner_recall(const weir__examiner *x, const char *path, const struct stat *st)
{
    return x->cache ? weir__vouch_find(x->cache, path, st) : NULL;
}

weir_status weir__examine(weir__examiner *x, const char *path, const struct stat *st, weir__listing **listing,
                          weir_error *error)
{
    if ((*listing = weir__examiner_recall(x, path, st))) return WEIR_OK;
    weir_status status = check_bytes(path, error);
    if (!status) status = probe_file(x, path, listing, error);
    if (!status && x->cache) weir__vouch_put(x->cache, path, st, *listing);
    return status;
}
