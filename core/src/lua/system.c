/* system.c - the little of the operating system that scripts need and Lua lacks: clock, terminal, folders. */
#include "handle.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/** clock(): seconds that only grow. */
static int clock_now(lua_State *L)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    lua_pushnumber(L, (double)now.tv_sec + (double)now.tv_nsec * 1e-9);
    return 1;
}

/** terminal(1 or 2): its width when standard output or error is a terminal, else nil. */
static int terminal(lua_State *L)
{
    const int file = (int)luaL_checkinteger(L, 1);
    struct winsize size;
    if (!isatty(file)) return lua_pushnil(L), 1;
    const int known = ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    lua_pushnumber(L, known ? size.ws_col : 80);
    return 1;
}

/** file_kind(path): "file", "folder", "other", or nil when there is nothing. */
static int file_kind(lua_State *L)
{
    struct stat status;
    if (stat(luaL_checkstring(L, 1), &status)) return lua_pushnil(L), 1;
    lua_pushstring(L, S_ISREG(status.st_mode) ? "file" : S_ISDIR(status.st_mode) ? "folder" : "other");
    return 1;
}

/** list_folder(path): the names in it, in no order; nil and a message. */
static int list_folder(lua_State *L)
{
    const char *const path = luaL_checkstring(L, 1);
    DIR *const folder = opendir(path);
    if (!folder) return lua_pushnil(L), lua_pushfstring(L, "%s: %s", path, strerror(errno)), 2;
    DIR **const guard =
        lua_newuserdata(L, sizeof(DIR *)); /* closed by the collector if a push below raises */
    *guard = folder;
    luaL_getmetatable(L, "weir.folder");
    lua_setmetatable(L, -2);
    lua_newtable(L);
    int count = 0;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.') continue;
        lua_pushstring(L, entry->d_name);
        lua_rawseti(L, -2, ++count);
    }
    closedir(folder);
    *guard = NULL;
    return 1;
}

static int close_folder(lua_State *L)
{
    DIR **const guard = luaL_checkudata(L, 1, "weir.folder");
    if (*guard) closedir(*guard);
    *guard = NULL;
    return 0;
}

/** processors(): how many this process may use. */
static int processors(lua_State *L)
{
    const long count = sysconf(_SC_NPROCESSORS_ONLN);
    lua_pushnumber(L, count > 0 ? (double)count : 1);
    return 1;
}

/** full_path(path): absolute, links resolved; nil when there is no such file. */
static int full_path(lua_State *L)
{
    char *const path = realpath(luaL_checkstring(L, 1), NULL);
    lua_pushstring(L, path); /* nil for NULL */
    free(path);
    return 1;
}

/** make_folder(path): true; nil and a message, also when something of that name exists. */
static int make_folder(lua_State *L)
{
    const char *const path = luaL_checkstring(L, 1);
    if (mkdir(path, 0777)) return lua_pushnil(L), lua_pushfstring(L, "%s: %s", path, strerror(errno)), 2;
    lua_pushboolean(L, 1);
    return 1;
}

static const luaL_Reg functions[] = {{"clock", clock_now},         {"terminal", terminal},
                                     {"file_kind", file_kind},     {"list_folder", list_folder},
                                     {"make_folder", make_folder}, {"processors", processors},
                                     {"full_path", full_path},     {NULL, NULL}};

void weir__system_register(lua_State *L)
{
    luaL_newmetatable(L, "weir.folder");
    lua_pushcfunction(L, close_folder);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    luaL_register(L, NULL, functions);
}
