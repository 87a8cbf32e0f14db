/* grid.h - the probability that a density of one or two features gives to the cells of a grid over its domain.
 *
 * Each axis follows the domain that the module required of its lane: an interval, a half-line or the line is the image of an
 * evenly divided one by a double exponential map (Takahasi and Mori 1974), under which the midpoint rule hardly minds ends
 * where a density jumps or grows, or tails that fall like a power.
 */
#ifndef WEIR__GRID_H
#define WEIR__GRID_H

#include "check/verdict.h"

typedef struct weir__grid {
    int32_t features; /* 1 or 2 */
    int32_t points;   /* per axis */
    double *node[2];  /* [points] increasing */
    double *mass;     /* [points], or [points][points] with the second feature's index last */
    double *first;    /* [points] mass of the first feature's cells */
} weir__grid;

/** True when the module can be put on a grid: one or two features, in domains that are no joint block. */
int weir__grid_fits(const weir__subject *subject);
/** NULL, and a word in the verdict, when a call failed. */
weir__grid *weir__grid_make(weir__subject *subject, weir__verdict *verdict);
void weir__grid_free(weir__grid *grid);
/** Every row of the call gets the one context that grids are made at. */
void weir__grid_context(weir__call *call);

double weir__grid_total(const weir__grid *grid);
/** masses[points] of one feature, whatever the other. */
void weir__grid_marginal(const weir__grid *grid, int32_t feature, double *masses);
/** Two features: P(first < x) and P(second < y, given that the first is x), interpolated. Of draws (x, y) these are
 *  independent and uniform on (0, 1) (Rosenblatt 1952). */
void weir__grid_uniforms(const weir__grid *grid, double x, double y, double uniforms[2]);

#endif
