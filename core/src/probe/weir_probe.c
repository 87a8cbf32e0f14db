/* weir_probe.c - loads one plugin so that the host need not be the first to do it; writes manifests.
 *
 * SPDX-License-Identifier: MIT
 *
 *     weir-probe FILE                 for the host: loads FILE, answers on file descriptor 3, see plugin/probe.h
 *     weir-probe --manifest FOLDER    tries every .so of FOLDER, each in a process of its own, and writes
 *                                     FOLDER/manifest.json; exit status 1 when one of them is broken
 */
#include "plugin/examine.h"
#include "plugin/load.h"
#include "plugin/place.h"
#include "plugin/probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define FILE_LIMIT       ((int64_t)1 << 30)
#define MANIFEST_TIMEOUT 10000 /* milliseconds: built once, on a machine that may be busy */

/* ---- one file ----------------------------------------------------------------------------------- */

static int say(const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        const ssize_t n = write(WEIR__PROBE_FD, text, left);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return 0;
        text += n;
        left -= (size_t)n;
    }
    return 1;
}

static int say_json(json_t *object)
{
    char *const text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    const int said = text && say(text) && say("\n");
    free(text);
    json_decref(object);
    return said;
}

static json_t *try_file(const char *path)
{
    weir__loaded loaded;
    weir_error error;
    if (weir__load(path, NULL, &loaded, &error) != WEIR_OK) return json_pack("{s:s}", "error", error.message);
    weir__listing *const listing = weir__loaded_listing(&loaded);
    json_t *const object = listing ? weir__listing_json(listing) : NULL;
    weir__listing_free(listing);
    weir__loaded_clear(&loaded);
    return object;
}

/* The process ends by _exit: destructors of a stranger's code have nothing left to do, and may crash. No core file is
 * worth keeping, and when the host dies this process must not stay behind with a constructor that hangs. */
static void probe_one(const char *path)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    fcntl(WEIR__PROBE_FD, F_SETFD, FD_CLOEXEC);
    if (!say(WEIR__PROBE_GREETING "\n")) _exit(1);
    _exit(say_json(try_file(path)) ? 0 : 1);
}

/* ---- a manifest --------------------------------------------------------------------------------- */

static int add_file(weir__vouch *manifest, weir__examiner *examiner, const char *folder, const char *name)
{
    struct stat st;
    weir_error error = {.status = WEIR_OK, .message = "cannot be read"};
    weir__listing *listing = NULL;
    char *const path = weir__place_join(folder, name);
    const int good =
        path && stat(path, &st) == 0 && weir__examine(examiner, path, &st, &listing, &error) == WEIR_OK;
    if (good)
        weir__vouch_put(manifest, name, &st, listing);
    else
        fprintf(stderr, "weir-probe: %s\n", error.message);
    weir__listing_free(listing);
    free(path);
    return good;
}

static int is_plugin_name(const struct dirent *entry)
{
    const size_t n = strlen(entry->d_name);
    return n > 3 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 3, ".so") == 0;
}

static int add_files(weir__vouch *manifest, char *self, const char *folder)
{
    weir__examiner examiner = {.helper = self, .timeout = MANIFEST_TIMEOUT};
    struct dirent **names = NULL;
    const int count = scandir(folder, &names, is_plugin_name, alphasort);
    int good = count >= 0;
    if (!good) fprintf(stderr, "weir-probe: %s: %s\n", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        good &= add_file(manifest, &examiner, folder, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return good;
}

static int write_manifest(const char *given)
{
    weir_error error;
    int good = 0;
    char *const self = realpath("/proc/self/exe", NULL), *const folder = realpath(given, NULL);
    char *const path = folder ? weir__place_join(folder, "manifest.json") : NULL;
    weir__vouch *const manifest = path ? weir__vouch_open(path, 0) : NULL;
    if (!self || !manifest) {
        fprintf(stderr, "weir-probe: %s: %s; name a folder of plugins\n", given, strerror(errno));
    } else {
        weir__vouch_clear(manifest);
        good = add_files(manifest, self, folder);
        if (weir__vouch_save(manifest, &error) != WEIR_OK) {
            fprintf(stderr, "weir-probe: %s\n", error.message);
            good = 0;
        }
    }
    weir__vouch_close(manifest);
    free(path);
    free(folder);
    free(self);
    return good;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--manifest") == 0) return write_manifest(argv[2]) ? 0 : 1;
    if (argc == 2 && argv[1][0] == '/' && fcntl(WEIR__PROBE_FD, F_GETFD) >= 0) probe_one(argv[1]);
    fprintf(stderr, "usage: weir-probe --manifest FOLDER\n"
                    "writes FOLDER/manifest.json, which says what each plugin in it holds\n");
    return 2;
}
