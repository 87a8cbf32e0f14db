/* The inverse, in a file of its own: not static, so it needs a name of its own in each precision. */
#include "cube.h"

weir_real WEIR_NAME(cube_solve)(weir_real y)
{
    /* Cardano for x^3 + 2 x - 2 y = 0, which has one real root; the smaller cube root follows from the larger. */
    const weir_real h = fabs(y) > 0 ? y : 0;
    const weir_real s = (weir_real)sqrt(h * h + WEIR_C(8) / WEIR_C(27));
    const weir_real u = (weir_real)cbrt(h >= 0 ? h + s : h - s);
    return u - WEIR_C(2) / (3 * u);
}
