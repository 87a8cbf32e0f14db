/* root.h - the root of an increasing or decreasing function, by a bracket that only shrinks.
 *
 * The caller evaluates: a search says where (`x`), is told what came out, and says where next, until it is over. So many
 * searches can share one evaluation of a whole lane. */
#ifndef WEIR__ROOT_H
#define WEIR__ROOT_H

#include <stdint.h>

typedef struct weir__root {
    double x; /* where to evaluate next; when it is over, the root */
    double target;
    int32_t phase;  /* WEIR__ROOT_* */
    int32_t narrow; /* 1: every x is a float */
    int32_t evaluations;
    /* The bracket, or while it is being looked for: the best point so far at `low`, limits of sense at either side. */
    double low, high, at_low, at_high;
    double weight_low, weight_high; /* what the secant takes for at_low and at_high */
    double step, amid;
    double forbidden[2]; /* the nearest numbers on either side that must not be asked for */
    int32_t side, tried, held, slow;
    double before; /* half the bracket's width one step ago */
} weir__root;

#define WEIR__ROOT_START   0 /* evaluates near the target itself */
#define WEIR__ROOT_AGAIN   1 /* where f is not a number: evaluates amid the interval */
#define WEIR__ROOT_SEARCH  2 /* walks downhill until the sign changes */
#define WEIR__ROOT_SHRINK  3
#define WEIR__ROOT_FOUND   4
#define WEIR__ROOT_NOWHERE 5 /* there is none, or it was not found */

/** The root is looked for on [lower, upper], whose ends may be infinite. */
void weir__root_start(weir__root *root, double target, double lower, double upper, int32_t narrow);
/** f at root->x. Nothing happens once it is over. */
void weir__root_tell(weir__root *root, double value);
int weir__root_is_over(const weir__root *root);
/** |f(root) - target|; infinite when there is no root. */
double weir__root_residual(const weir__root *root);

#endif
