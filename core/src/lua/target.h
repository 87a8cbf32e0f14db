/* target.h - a Lua function as the target density of reverse KL. */
#ifndef WEIR__LUA_TARGET_H
#define WEIR__LUA_TARGET_H

#include <lua.h>

#include <stdint.h>

/** A Lua function f(x) -> values [, gradients]: x is an f64 array of rows, values a vector (log density up to a constant),
 *  gradients an array like x. Without gradients they are taken by central differences, 2 D more calls a batch. */
typedef struct weir__lua_target {
    lua_State *L;
    int function; /* stack index of the function in L */
    int failed;   /* an error message is at the top of L's stack */
    int *warned;  /* the warning about differences has been given */
    /* what the library asked, for the protected part */
    int64_t rows, columns;
    const double *x;
    double *log_p, *gradient;
} weir__lua_target;

/** A weir_target; `user` is a weir__lua_target. Runs on the thread that called weir_trainer_step: L's own. */
int32_t weir__lua_target_call(void *user, int64_t rows, int64_t columns, const double *x, double *log_p,
                              double *gradient);

#endif
