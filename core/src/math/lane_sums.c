/* lane_sums.c - which build of the sums serves this processor. */
#include "math/lane_sums.h"

WEIR__LANE_SUMS(weir__lane_sums)
{
#if WEIR__X86_64
    if (weir__math_has_avx2()) {
        weir__lane_sums_avx2(precision, lanes, rows, data, stride, sums);
        return;
    }
#endif
    weir__lane_sums_base(precision, lanes, rows, data, stride, sums);
}
