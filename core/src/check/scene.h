/* scene.h - what is going on while a module is checked, in memory that outlives the process in which it goes on.
 *
 * weir-checker runs every test in a process of its own and reads here what that process was doing when it ended. Nothing
 * in it is trusted afterwards: a stranger's code may have written over it.
 */
#ifndef WEIR__SCENE_H
#define WEIR__SCENE_H

#include <stdint.h>

#define WEIR__STACK_MOST  24
#define WEIR__SCENE_WORDS 65536

/** The calls of modules, in no order. */
/* clang-format off */
#define WEIR__CALLS(X)                                                                                       \
    X(create) X(destroy) X(prepare) X(prepare_vjp)                                                           \
    X(forward) X(inverse) X(forward_vjp) X(inverse_vjp)                                                      \
    X(observe_size) X(observe) X(merge) X(observe_finish) X(observe_vjp) X(observe_vjp_finish)               \
    X(dual) X(dual_vjp) X(sample_points)                                                                     \
    X(vjp) X(begin) X(step) X(begin_vjp) X(step_vjp) X(end_vjp)                                              \
    X(log_density) X(sample) X(sample_vjp)
/* clang-format on */

enum {
    WEIR__CALL_none,
#define WEIR__CALL_NUMBER(name) WEIR__CALL_##name,
    WEIR__CALLS(WEIR__CALL_NUMBER)
#undef WEIR__CALL_NUMBER
        WEIR__CALL_COUNT
};

typedef struct weir__scene {
    _Atomic int32_t call; /* WEIR__CALL_*: what the module was last asked to do; none: the host is at work */
    _Atomic int32_t exiting;  /* 1: somebody called exit */
    _Atomic int32_t finished; /* 1: the test came to its end */
    char setting[160];        /* in which setting */
    int32_t signal;           /* what was caught; 0: nothing */
    char fault[160];          /* which memory was touched, when that is known */
    int32_t depth;            /* frames of the stack, innermost first */
    struct {
        uint64_t offset; /* in the file */
        char name[96];   /* of the function; "" when it is not exported */
        char file[128];
    } stack[WEIR__STACK_MOST];
    char words[WEIR__SCENE_WORDS]; /* what the test has to say to whoever started it */
} weir__scene;

/** NULL: nobody watches. One for the process. */
extern weir__scene *weir__scene_now;

/** "forward_vjp"; "" for none and for what is no call. */
const char *weir__call_name(int32_t call);
void weir__scene_set(const char *setting);

#endif
