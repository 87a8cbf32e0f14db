/* main.c - the weir command: a LuaJIT state, the paths of its scripts, and nothing else.
 *
 * The one word understood here is --locked, because it must hold before anything else runs. All commands are Lua:
 * scripts/weir/command/init.lua gets the arguments and answers with the exit status. Scripts are looked for relative to
 * this executable (build tree: ../share/weir and ../lua; install tree: the same share folder and WEIR_LUA_FOLDER), never
 * in the working folder, and LUA_PATH is not trusted.
 */
#include "crash.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef WEIR_LUA_FOLDER
#define WEIR_LUA_FOLDER "../lib/weir/lua"
#endif

typedef struct arguments {
    int count;
    char **values;
    int status;
} arguments;

/* The folder this executable is in; NULL when /proc does not say. */
static const char *own_folder(char *path, size_t size)
{
    const ssize_t length = readlink("/proc/self/exe", path, size - 1);
    if (length <= 0) return NULL;
    path[length] = 0;
    return dirname(path);
}

static void set_path(lua_State *L, const char *field, const char *text)
{
    lua_getglobal(L, "package");
    lua_pushstring(L, text);
    lua_setfield(L, -2, field);
    lua_pop(L, 1);
}

static void set_paths(lua_State *L)
{
    char path[PATH_MAX];
    const char *const folder = own_folder(path, sizeof path);
    if (!folder) luaL_error(L, "cannot tell where this program is: is /proc mounted?");
    /* the templates of package.path treat these as special */
    if (strpbrk(folder, ";?")) luaL_error(L, "the folder %s has ; or ? in its name: move it", folder);
    set_path(L, "path",
             lua_pushfstring(L, "%s/../share/weir/?.lua;%s/../share/weir/?/init.lua", folder, folder));
    set_path(L, "cpath", lua_pushfstring(L, "%s/../lua/?.so;%s/%s/?.so", folder, folder, WEIR_LUA_FOLDER));
    lua_pop(L, 2);
}

/* weir --locked FILE ...: for this process and those it starts. The path is made absolute here, because they may work in
 * another folder. Returns 0 when there is no such file. */
static int take_lock(arguments *given)
{
    if (given->count < 2 || strcmp(given->values[1], "--locked") != 0) return 1;
    const char *const name = given->count > 2 ? given->values[2] : "";
    char *const path = realpath(name, NULL);
    if (!path) {
        fprintf(stderr, "weir: --locked: no lock file \"%s\"; weir plugins --lock FILE writes one\n", name);
        return 0;
    }
    setenv("WEIR_LOCK", path, 1);
    free(path);
    given->values[2] = given->values[0];
    given->values += 2;
    given->count -= 2;
    return 1;
}

static int run(lua_State *L)
{
    arguments *const given = lua_touserdata(L, 1);
    luaL_openlibs(L);
    set_paths(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "weir.command");
    lua_call(L, 1, 1);
    lua_createtable(L, given->count, 0);
    for (int i = 1; i < given->count; i++) {
        lua_pushstring(L, given->values[i]);
        lua_rawseti(L, -2, i);
    }
    lua_call(L, 1, 1);
    given->status = (int)lua_tointeger(L, -1);
    return 0;
}

int main(int count, char **values)
{
    arguments given = {count, values, 1};
    if (!take_lock(&given)) return 2;
    weir__crash_watch();
    lua_State *const L = luaL_newstate();
    if (!L) return fputs("weir: out of memory\n", stderr), 1;
    if (lua_cpcall(L, run, &given)) {
        const char *const message = lua_tostring(L, -1);
        fprintf(stderr, "weir: %s\n", message ? message : "an error that is not text");
        given.status = 1;
    }
    lua_close(L);
    weir__crash_ignore_exit();
    if ((fflush(stdout) || ferror(stdout)) && given.status == 0) {
        fputs("weir: cannot write to standard output\n", stderr);
        return 1;
    }
    return given.status;
}
