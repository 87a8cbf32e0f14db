/* place.c - finding things relative to libweir itself.
 *
 * SPDX-License-Identifier: MIT
 *
 * No path is compiled in: an install tree may be moved, and a build tree copied. secure_getenv, because in a program
 * with raised privileges the environment must not choose what is executed.
 */
#include "plugin/place.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *weir__place_join(const char *folder, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* The file that this very code was loaded from: libweir.so, or a program that holds it. */
static char *own_file(void)
{
    static const char anchor = 0;
    Dl_info info;
    void *extra = NULL;
    if (!dladdr1(&anchor, &info, &extra, RTLD_DL_LINKMAP)) return NULL;
    const struct link_map *const map = extra;
    const int is_program = !map || !map->l_name || !*map->l_name;
    return realpath(is_program ? "/proc/self/exe" : map->l_name, NULL);
}

static char *own_folder(void)
{
    char *const path = own_file();
    char *const slash = path ? strrchr(path, '/') : NULL;
    if (slash) *slash = '\0';
    return path;
}

static char *beside(const char *relative)
{
    char *const folder = own_folder();
    char *const path = folder ? weir__place_join(folder, relative) : NULL;
    char *const real = path ? realpath(path, NULL) : NULL;
    free(folder);
    free(path);
    return real;
}

/* In an install tree ../plugins may be anybody's, so the installed place goes first. */
char *weir__place_plugins(void)
{
    char *const installed = beside("weir/plugins");
    return installed ? installed : beside("../plugins");
}

static char *helper_in(const char *folder, const char *name)
{
    char *const relative = weir__place_join(folder, name);
    char *const path = relative ? beside(relative) : NULL;
    free(relative);
    if (path && access(path, X_OK) == 0) return path;
    free(path);
    return NULL;
}

char *weir__place_helper(const char *name, const char *variable)
{
    static const char *const folders[] = {
        "../bin",    "../libexec",    "../libexec/weir",
        "../../bin", "../../libexec", "../../libexec/weir", /* <prefix>/lib/<machine>/libweir.so */
        ".",
    };
    const char *const chosen = secure_getenv(variable);
    if (chosen && *chosen) return realpath(chosen, NULL);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char *const path = helper_in(folders[i], name);
        if (path) return path;
    }
    return NULL;
}

char *weir__place_probe(void)
{
    return weir__place_helper("weir-probe", "WEIR_PROBE");
}

/* A relative XDG_CACHE_HOME counts as unset: so says the XDG base directory specification. */
static char *cache_home(void)
{
    const char *const xdg = secure_getenv("XDG_CACHE_HOME"), *const home = secure_getenv("HOME");
    if (xdg && *xdg == '/') return strdup(xdg);
    return home && *home == '/' ? weir__place_join(home, ".cache") : NULL;
}

char *weir__place_cache(void)
{
    char *const home = cache_home();
    char *const folder = home ? weir__place_join(home, "weir") : NULL;
    char *path = NULL;
    if (folder) {
        mkdir(home, 0700);
        mkdir(folder, 0700);
        path = weir__place_join(folder, "probe.json");
    }
    free(home);
    free(folder);
    return path;
}
