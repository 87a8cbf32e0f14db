/* test_lanes.c - what weir/lanes.h makes of functions over one lane, whatever the strides of the tiles.
 *
 * SPDX-License-Identifier: MIT
 */
#define WEIR_REAL 64
#include <criterion/criterion.h>
#include <stdlib.h>
#include <weir/lanes.h>

TestSuite(lanes);

enum { ROWS = 8, STRIDE = 16, FEATURES = 2, EACH = 3, ROOM = 4096 };

/* ---- scratch of known size, between marks that nobody may overwrite ---------------------------------------------- */

#define MARK 12345.678

static double scratch[ROOM];
static int64_t used, reserved;

static void *take(weir_frame *frame, int64_t bytes)
{
    (void)frame;
    cr_assert(bytes >= 0 && bytes <= 512 * (int64_t)sizeof *scratch, "%lld bytes are asked for",
              (long long)bytes);
    double *const at = scratch + used + 16;
    used += 32 + bytes / (int64_t)sizeof *scratch;
    if (used > reserved) reserved = used;
    for (int64_t i = 0; i < 16; i++) at[-1 - i] = at[bytes / (int64_t)sizeof *scratch + i] = MARK;
    return at;
}

static int64_t mark(weir_frame *frame)
{
    (void)frame;
    return used;
}

static void release(weir_frame *frame, int64_t position)
{
    (void)frame;
    used = position;
}

static const weir_services services = {.struct_size = (uint32_t)sizeof services,
                                       .scratch_take = take,
                                       .scratch_mark = mark,
                                       .scratch_release = release};

static int marks(void)
{
    int count = 0;
    for (int64_t i = 0; i < reserved; i++) count += scratch[i] == MARK;
    return count;
}

/* ---- a univariate whose cotangents tell from which parameter they are ------------------------------------------- */

static weir_status pull(const void *self, weir_frame *frame, int32_t n, const weir_real *x,
                        const weir_real *p, int64_t s, const weir_real *y, const weir_real *y_bar,
                        const weir_real *log_det_bar, weir_real *x_bar, weir_real *p_bar)
{
    (void)self, (void)frame, (void)y;
    for (int32_t i = 0; i < n; i++) {
        x_bar[i] = x[i] + y_bar[i] + log_det_bar[i];
        for (int32_t k = 0; k < EACH; k++) p_bar[i + k * s] = 2 * p[i + k * s];
    }
    return WEIR_OK;
}

/* A tile of its own memory whose first lane lies at the end when the stride is negative. */
static weir_tile tile_of(int32_t features, int64_t stride, double *memory)
{
    const int64_t span = stride < 0 ? -stride : stride;
    return (weir_tile){.struct_size = (uint32_t)sizeof(weir_tile),
                       .features = features,
                       .data = stride < 0 ? memory + (features - 1) * span : memory,
                       .stride = stride,
                       .rows = ROWS,
                       .width = ROWS};
}

static void expect_pulled(int64_t stride, int64_t bar_stride, int wanted)
{
    static double x[64], y[64], bar[64], x_bar[64], p[1024], p_bar[1024];
    const weir_tile from = tile_of(FEATURES, STRIDE, x), to = tile_of(FEATURES, STRIDE, y);
    const weir_tile to_bar = tile_of(FEATURES, STRIDE, bar), from_bar = tile_of(FEATURES, STRIDE, x_bar);
    const weir_tile params = tile_of(FEATURES * EACH, stride, p);
    const weir_tile params_bar = tile_of(FEATURES * EACH, bar_stride, p_bar);
    weir_frame frame = {.struct_size = (uint32_t)sizeof frame,
                        .precision = WEIR_F64,
                        .rows = ROWS,
                        .width = ROWS,
                        .stride = STRIDE,
                        .services = &services};
    memset(scratch, 0, sizeof scratch);
    used = reserved = 0;
    for (int i = 0; i < 1024; i++) p[i] = p_bar[i] = MARK;
    for (int32_t f = 0; f < FEATURES * EACH; f++)
        for (int32_t r = 0; r < ROWS; r++) weir_lane(&params, f)[r] = 100 * f + r;
    cr_assert_eq(weir_vjp_lanes(pull, NULL, &frame, &from, &params, &to, &to_bar, NULL, &from_bar,
                                wanted ? &params_bar : NULL),
                 WEIR_OK);
    int outside = 0;
    for (int i = 0; i < 1024; i++) outside += p_bar[i] == MARK;
    cr_assert_eq(outside, 1024 - (wanted ? FEATURES * EACH * ROWS : 0), "strides %d and %d", (int)stride,
                 (int)bar_stride);
    for (int32_t f = 0; wanted && f < FEATURES * EACH; f++)
        for (int32_t r = 0; r < ROWS; r++)
            cr_assert_eq(weir_lane(&params_bar, f)[r], 2. * (100 * f + r), "strides %d and %d, lane %d",
                         (int)stride, (int)bar_stride, (int)f);
}

Test(lanes, cotangents_of_parameters_find_their_place_at_any_stride)
{
    static const int64_t strides[] = {STRIDE, 40, -STRIDE, -40};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) expect_pulled(strides[i], strides[j], 1);
}

Test(lanes, cotangents_of_parameters_that_nobody_wants_go_nowhere)
{
    static const int64_t strides[] = {STRIDE, 40, -STRIDE, -40};
    for (int i = 0; i < 4; i++) {
        expect_pulled(strides[i], STRIDE, 0);
        /* the lane of zeros that stands for log_det_bar, and the lanes of the parameters */
        cr_assert_eq(marks(), 2 * 32, "stride %d: something beside the scratch is overwritten",
                     (int)strides[i]);
    }
}
