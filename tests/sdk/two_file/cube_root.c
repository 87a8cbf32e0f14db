/* The inverse, in a file of its own: not static, so it needs a name of its own in each precision. */
#include "cube.h"

weir_real WEIR_NAME(cube_solve)(weir_real y)
{
    /* Cardano for x^3 + 2 x - 2 y = 0, which has one real root. Of the two cube roots the larger is computed, without
     * cancellation, and the other follows from their product, -2/3. */
    const weir_real s = (weir_real)hypot(y, sqrt(WEIR_C(8) / WEIR_C(27)));
    const weir_real u = (weir_real)cbrt(y < 0 ? y - s : y + s);
    return u - WEIR_C(2) / (3 * u);
}
