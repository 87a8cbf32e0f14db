/* test_sum_lane.c - the sum over a lane's rows: all of them, none of the padding, for every count.
 *
 * SPDX-License-Identifier: MIT
 */
#define WEIR_REAL 64
#include <weir/plugin.h>

#include <criterion/criterion.h>

TestSuite(sum_lane);

#define MOST 70

Test(sum_lane, hold_every_row_once_and_no_padding)
{
    double lane[MOST];
    weir_frame frame = {.struct_size = (uint32_t)sizeof frame};
    for (int32_t rows = 0; rows < MOST; rows++) {
        double wanted = 0;
        for (int32_t r = 0; r < MOST; r++) lane[r] = r < rows ? (double)(1 + r * r) : (double)NAN;
        for (int32_t r = 0; r < rows; r++) wanted += lane[r];
        frame.rows = rows;
        cr_assert_eq(weir_sum_lane(&frame, lane), wanted, "%d rows: %g instead of %g", (int)rows,
                     weir_sum_lane(&frame, lane), wanted);
    }
}
