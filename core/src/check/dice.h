/* dice.h - the suite's own random numbers: a seed gives the same points everywhere, whatever the host's streams do. */
#ifndef WEIR__DICE_H
#define WEIR__DICE_H

#include <stdint.h>

typedef struct weir__dice {
    uint64_t state;
} weir__dice;

weir__dice weir__dice_from(uint64_t seed, uint64_t purpose);
/** In (0, 1). */
double weir__dice_uniform(weir__dice *dice);
double weir__dice_normal(weir__dice *dice);
/** In [0, bound). */
int32_t weir__dice_below(weir__dice *dice, int32_t bound);

#endif
