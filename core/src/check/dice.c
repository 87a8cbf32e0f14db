/* dice.c - SplitMix64 (Steele, Lea, Flood 2014) and Box-Muller: small, and independent of the generator under check. */
#include "check/dice.h"

#include <math.h>

static uint64_t next(weir__dice *dice)
{
    uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

weir__dice weir__dice_from(uint64_t seed, uint64_t purpose)
{
    weir__dice dice = {seed * UINT64_C(0xd1342543de82ef95) + purpose};
    next(&dice);
    return dice;
}

double weir__dice_uniform(weir__dice *dice)
{
    return ((double)(next(dice) >> 12) + 0.5) * 0x1p-52;
}

double weir__dice_normal(weir__dice *dice)
{
    const double radius = sqrt(-2 * log(weir__dice_uniform(dice)));
    return radius * cos(6.283185307179586 * weir__dice_uniform(dice));
}

int32_t weir__dice_below(weir__dice *dice, int32_t bound)
{
    return (int32_t)(weir__dice_uniform(dice) * bound);
}
