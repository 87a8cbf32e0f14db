/* test_lua_univariate.c - a univariate in Lua, called below a model: parameters that are no numbers, at any stride.
 *
 * SPDX-License-Identifier: MIT
 */
#include "models.h"

#include "model/solo.h"

TestSuite(lua_univariate);

enum { ROWS = 20, FEATURES = 3, LANES = 2 * FEATURES, SPACE = 4096 };

#define MARK 4.25e17

typedef struct scene {
    weir__solo *solo;
    weir_tile x, y, bar, x_bar;
} scene;

/* A tile in memory of its own; the first lane lies at the end when lanes run backwards. */
static weir_tile tile_in(double *memory, int64_t stride, const weir_frame *frame)
{
    const int64_t span = stride < 0 ? -stride : stride;
    return (weir_tile){.struct_size = (uint32_t)sizeof(weir_tile),
                       .features = LANES,
                       .data = memory + 1024 + (stride < 0 ? (LANES - 1) * span : 0),
                       .stride = stride,
                       .rows = ROWS,
                       .width = frame->width};
}

static double *lane(const weir_tile *tile, int32_t f)
{
    return (double *)tile->data + f * tile->stride;
}

static void fill(const weir_tile *tile, double from)
{
    for (int32_t f = 0; f < tile->features; f++)
        for (int32_t r = 0; r < tile->width; r++) lane(tile, f)[r] = from + 0.1 * f - 0.01 * r;
}

/* Forward and its VJP with a NaN in one row's parameters, or without: into p_bar, all of whose memory is marked first. */
static void pull(scene *s, int64_t stride, int64_t bar_stride, int with_nan, double *p_bar)
{
    static _Alignas(64) double p[SPACE];
    weir_frame *const frame = weir__solo_frame(s->solo, ROWS, WEIR_MODE_TRAIN, 1, 1, NULL, NULL);
    const weir_tile params = tile_in(p, stride, frame), params_bar = tile_in(p_bar, bar_stride, frame);
    const weir_child *const c = weir__solo_child(s->solo);
    for (int i = 0; i < SPACE; i++) p[i] = p_bar[i] = MARK;
    fill(&params, 0.3);
    if (with_nan) lane(&params, 2)[7] = (double)NAN;
    cr_assert(c->univariate->forward(c->self, frame, &s->x, &params, &s->y, NULL) <= WEIR_DISCARD);
    cr_assert_eq(c->univariate->forward_vjp(c->self, frame, &s->x, &params, &s->y, &s->bar, NULL, &s->x_bar,
                                            &params_bar),
                 WEIR_OK, "%s", weir__solo_message(s->solo));
}

static void expect_one_row_lost(scene *s, int64_t stride, int64_t bar_stride)
{
    static _Alignas(64) double whole[SPACE], hurt[SPACE];
    pull(s, stride, bar_stride, 0, whole);
    pull(s, stride, bar_stride, 1, hurt);
    const weir_frame *const frame = weir__solo_frame(s->solo, ROWS, WEIR_MODE_TRAIN, 1, 1, NULL, NULL);
    const weir_tile a = tile_in(whole, bar_stride, frame), b = tile_in(hurt, bar_stride, frame);
    int marks = 0;
    for (int i = 0; i < SPACE; i++) marks += hurt[i] == MARK;
    cr_assert_eq(marks, SPACE - LANES * frame->width, "strides %d, %d: written beside the lanes", (int)stride,
                 (int)bar_stride);
    for (int32_t f = 0; f < LANES; f++)
        for (int32_t r = 0; r < ROWS; r++)
            if (r != 7)
                cr_assert_eq(lane(&a, f)[r], lane(&b, f)[r], "strides %d, %d: lane %d, row %d: %g, not %g",
                             (int)stride, (int)bar_stride, (int)f, (int)r, lane(&b, f)[r], lane(&a, f)[r]);
}

Test(lua_univariate, a_nan_among_parameters_moves_no_cotangent_of_another_row)
{
    static const int64_t strides[] = {48, 80, -48, -80};
    weir_runtime *const rt = open_weir(1);
    json_t *const node =
        json_pack("{s:s, s:{s:s}}", "type", "lua_univariate", "options", "file", "affine.lua");
    const weir__solo_spec spec = {.node = node, .precision = WEIR_F64, .features = 1, .supply = 1};
    scene s = {.solo = NULL};
    MUST(weir__solo_open(rt, &spec, &s.solo, &error));
    s.x = weir__solo_tile(s.solo, FEATURES, ROWS);
    s.y = weir__solo_tile(s.solo, FEATURES, ROWS);
    s.bar = weir__solo_tile(s.solo, FEATURES, ROWS);
    s.x_bar = weir__solo_tile(s.solo, FEATURES, ROWS);
    fill(&s.x, -0.4);
    fill(&s.bar, 1);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) expect_one_row_lost(&s, strides[i], strides[j]);
    weir__solo_close(s.solo);
    json_decref(node);
    weir_close(rt);
}
