/* reach.c - see reach.h.
 *
 * A sandboxed script names files by text, so each function here that takes a path asks first. Paths are compared with all
 * links resolved, and a new file's folder is. The kernel is told the same about writing and executing (Landlock, where it
 * has it): that wall stands even if a script should get past this one. It does not rule reading, because plugins, fonts
 * and libraries are read later. Threads that the library started before are not behind it; they run no script.
 */
#include "reach.h"

#include "handle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The process's, as the files are. */
static struct {
    int kept;
    int count;
    char **readable; /* files and folders, resolved */
    char *folder;    /* the one to write in, resolved; NULL: none */
} reach;

/* When the library is unloaded, or the process ends: no script runs any more. */
static __attribute__((destructor)) void forget(void)
{
    for (int i = 0; i < reach.count; i++) free(reach.readable[i]);
    free(reach.readable);
    free(reach.folder);
    reach.count = 0;
    reach.readable = NULL;
    reach.folder = NULL;
}

/* Without the place luaL_error would add: the Lua function that asked is the library's, not the script's. */
static void refuse(lua_State *L, const char *path, const char *why, const char *where)
{
    lua_pushfstring(L, "%s: %s%s", path, why, where);
    lua_error(L);
}

static int is_within(const char *path, const char *place)
{
    const size_t length = strlen(place);
    if (strncmp(path, place, length) != 0) return 0;
    return path[length] == 0 || path[length] == '/' || (length > 0 && place[length - 1] == '/');
}

static int may_read(const char *path)
{
    char resolved[PATH_MAX];
    if (!realpath(path, resolved)) return 0;
    for (int i = 0; i < reach.count; i++)
        if (is_within(resolved, reach.readable[i])) return 1;
    return reach.folder && is_within(resolved, reach.folder);
}

/* Nothing that somebody, weir among them, would later run: no hidden file, no Lua, no library. */
static int is_harmless_name(const char *name)
{
    const char *const dot = strrchr(name, '.');
    if (!*name || *name == '.' || strstr(name, ".so")) return 0;
    return !dot ||
           (strcasecmp(dot, ".lua") != 0 && strcasecmp(dot, ".sh") != 0 && strcasecmp(dot, ".py") != 0);
}

static int may_write(const char *path)
{
    char folder[PATH_MAX], resolved[PATH_MAX];
    struct stat status;
    const char *const slash = strrchr(path, '/');
    const size_t length = slash ? (size_t)(slash - path) + 1 : 0;
    if (!reach.folder || length >= sizeof folder || !is_harmless_name(path + length)) return 0;
    memcpy(folder, path, length);
    folder[length] = 0;
    if (!realpath(length ? folder : ".", resolved) || !is_within(resolved, reach.folder)) return 0;
    return lstat(path, &status) != 0 || S_ISREG(status.st_mode); /* a link would lead out */
}

const char *weir__reach_read(lua_State *L, int index)
{
    const char *const path = luaL_checkstring(L, index);
    if (reach.kept && !may_read(path))
        refuse(L, path, "out of the sandbox's reach: it reads only what its command line names", "");
    return path;
}

const char *weir__reach_write(lua_State *L, int index)
{
    const char *const path = luaL_checkstring(L, index);
    if (!reach.kept || may_write(path)) return path;
    if (!reach.folder) refuse(L, path, "this sandbox writes no files; --output FOLDER says where it may", "");
    refuse(L, path, "out of the sandbox's reach: it writes data, models and pictures only in ", reach.folder);
    return NULL;
}

void weir__reach_refuse(lua_State *L, const char *what)
{
    if (reach.kept) refuse(L, what, "not in a sandbox", "");
}

/** reach(path, "read" or "write" or "run"): the path, or an error. Nothing that is named by a path may be run. */
static int lua_reach(lua_State *L)
{
    static const char *const ways[] = {"read", "write", "run", NULL};
    const int way = luaL_checkoption(L, 2, NULL, ways);
    if (way == 2) weir__reach_refuse(L, luaL_checkstring(L, 1));
    lua_pushstring(L, way == 0   ? weir__reach_read(L, 1)
                      : way == 1 ? weir__reach_write(L, 1)
                                 : luaL_checkstring(L, 1));
    return 1;
}

/* ---- the kernel's wall ---------------------------------------------------------------------------------------------- */

/* What the first version of Landlock knows, without reading. */
#define RULED                                                                                                \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |            \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |           \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |             \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define IN_FOLDER                                                                                            \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG)

static int allow_folder(int rules, const char *path)
{
    const int folder = open(path, O_PATH | O_CLOEXEC);
    if (folder < 0) return 0;
    const struct landlock_path_beneath_attr rule = {.allowed_access = IN_FOLDER, .parent_fd = folder};
    const long failed = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(folder);
    return !failed;
}

/* 1: it stands, 0: this kernel has none, -1: it has, and it failed. */
static int build_wall(void)
{
    const struct landlock_ruleset_attr attributes = {.handled_access_fs = RULED};
    const int rules = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (rules < 0) return errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM ? 0 : -1;
    const int stands = (!reach.folder || allow_folder(rules, reach.folder)) &&
                       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                       syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    close(rules);
    return stands ? 1 : -1;
}

/* ---- keep_to ---------------------------------------------------------------------------------------------------------- */

static char *resolve(lua_State *L, const char *path)
{
    char *const resolved = realpath(path, NULL);
    if (!resolved) luaL_error(L, "%s: %s", path, strerror(errno));
    return resolved;
}

/** keep_to(list, folder or nil): from now on, and for ever, scripts read only the files of the list, what lies in its
 *  folders, and the folder; write only in the folder; and run nothing else. Returns whether the kernel watches too. */
static int keep_to(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    weir__reach_refuse(L, "keep_to");
    const int count = (int)lua_objlen(L, 1);
    char **const list = calloc((size_t)count + 1, sizeof *list);
    if (!list) return luaL_error(L, "out of memory");
    reach.readable = list; /* stays as long as the process, also when an error comes between */
    reach.kept = 1;
    for (int i = 0; i < count; i++) {
        lua_rawgeti(L, 1, i + 1);
        list[i] = resolve(L, luaL_checkstring(L, -1));
        lua_pop(L, 1);
        reach.count = i + 1;
    }
    if (!lua_isnoneornil(L, 2)) reach.folder = resolve(L, luaL_checkstring(L, 2));
    const int stands = build_wall();
    if (stands < 0) return luaL_error(L, "the kernel refuses the sandbox: %s", strerror(errno));
    lua_pushboolean(L, stands);
    return 1;
}

static const luaL_Reg functions[] = {{"reach", lua_reach}, {"keep_to", keep_to}, {NULL, NULL}};

void weir__reach_register(lua_State *L)
{
    luaL_register(L, NULL, functions);
}
