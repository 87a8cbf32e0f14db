/* interrupt.c - Ctrl-C as a question that long calls ask, instead of a sudden end.
 *
 * While caught, the first SIGINT only raises a flag: training stops after its step, evaluation between tiles. A second one
 * before the flag is taken down ends the process as usual, so that a script that never asks can still be stopped. The flag
 * is the one global of this module: signals are the process's.
 */
#include "handle.h"

#include <signal.h>

static volatile sig_atomic_t raised;
static struct sigaction before;
static int depth;

static void on_interrupt(int number)
{
    if (raised) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    raised = 1;
}

int32_t weir__interrupted(void *unused)
{
    (void)unused;
    return raised ? 1 : 0;
}

/** catch_interrupt(on): true starts (calls nest), false ends. Also where a shell started the process with SIGINT ignored,
 *  as it does for jobs in the background: whoever sends it there means it. */
static int catch_interrupt(lua_State *L)
{
    if (lua_toboolean(L, 1)) {
        if (depth++ > 0) return 0;
        struct sigaction action = {0};
        action.sa_handler = on_interrupt;
        sigemptyset(&action.sa_mask);
        action.sa_flags = SA_RESTART;
        raised = 0;
        sigaction(SIGINT, &action, &before);
    } else if (depth > 0 && --depth == 0) {
        sigaction(SIGINT, &before, NULL);
    }
    return 0;
}

/** interrupted([clear]): whether Ctrl-C was pressed; with true the flag is taken down. */
static int interrupted(lua_State *L)
{
    lua_pushboolean(L, raised != 0);
    if (lua_toboolean(L, 1)) raised = 0;
    return 1;
}

static const luaL_Reg functions[] = {
    {"catch_interrupt", catch_interrupt}, {"interrupted", interrupted}, {NULL, NULL}};

void weir__interrupt_register(lua_State *L)
{
    luaL_register(L, NULL, functions);
}
