/* arguments.c - see arguments.h. */
#include "arguments.h"

static void make_usual(int64_t n, weir_real *values)
{
    for (int64_t i = 0; i < n; i++) values[i] = values[i] == values[i] ? values[i] : WEIR_C(NAN);
}

int WEIR_NAME(lua_any_nan)(const weir_real *values, int64_t count)
{
    int32_t found = 0;
    for (int64_t i = 0; i < count; i++) found |= values[i] != values[i];
    return found;
}

/* ---- mathematics: the host's, whose NaNs may be of any bits ------------------------------------------------------ */

static const weir_math *host_math; /* one table for the whole process in this precision */

#define SAFE_FUNCTION(name, text)                                                                            \
    static void safe_##name(int64_t n, const void *x, void *y) WEIR_NOEXCEPT                                 \
    {                                                                                                        \
        __atomic_load_n(&host_math, __ATOMIC_RELAXED)->name(n, x, y);                                        \
        make_usual(n, y);                                                                                    \
    }
WEIR_MATH_LIST(SAFE_FUNCTION)

/* Sums and products of usual numbers have no NaN but the usual one. */
static void safe_gemm(int64_t m, int64_t n, int64_t k, double alpha, const void *a, int64_t a_row,
                      int64_t a_col, const void *b, int64_t b_row, int64_t b_col, double beta, void *c,
                      int64_t c_row, int64_t c_col) WEIR_NOEXCEPT
{
    __atomic_load_n(&host_math, __ATOMIC_RELAXED)
        ->gemm(m, n, k, alpha, a, a_row, a_col, b, b_row, b_col, beta, c, c_row, c_col);
}

#define SAFE_MEMBER(name, text) .name = safe_##name,
static const weir_math safe_math = {
    .struct_size = (uint32_t)sizeof(weir_math),
    .precision = WEIR_PRECISION,
    WEIR_MATH_LIST(SAFE_MEMBER).gemm = safe_gemm,
};

/* ---- tiles and lanes --------------------------------------------------------------------------------------------- */

static int tile_has_nan(const weir_tile *tile)
{
    int found = 0;
    for (int32_t f = 0; f < tile->features; f++)
        found |= WEIR_NAME(lua_any_nan)(weir_lane(tile, f), tile->width);
    return found;
}

/* *usual is the tile itself, or a copy without unusual NaNs. */
static int without_unusual(weir_frame *frame, const weir_tile *tile, weir_tile *usual)
{
    *usual = *tile;
    if (!tile_has_nan(tile)) return 1;
    if (!weir_take_tile(frame, tile->features, usual)) return 0;
    for (int32_t f = 0; f < tile->features; f++) {
        weir_copy_lane(frame, weir_lane(tile, f), weir_lane(usual, f));
        make_usual(frame->width, weir_lane(usual, f));
    }
    return 1;
}

static int take_zeros(weir_frame *frame, int32_t features, weir_tile *tile)
{
    const int32_t lanes = features > 0 ? features : 1;
    if (!weir_take_tile(frame, lanes, tile)) return 0;
    memset(tile->data, 0, (size_t)weir_tile_bytes(frame, lanes));
    return 1;
}

static int put(lua_instance *i, int index, const weir_tile *tile, int32_t features)
{
    i->call.tile[index] = (weir_lua_tile){tile->data, (double)tile->stride, features, 0};
    return 1;
}

int WEIR_NAME(lua_in)(lua_instance *i, int index, const weir_tile *tile, int32_t features)
{
    weir_tile usual;
    const int good = tile && features > 0 ? without_unusual(i->outer, tile, &usual)
                                          : take_zeros(i->outer, features, &usual);
    return good && put(i, index, &usual, features);
}

int WEIR_NAME(lua_out)(lua_instance *i, int index, const weir_tile *tile, int32_t features)
{
    weir_tile spare;
    if (!tile || features <= 0)
        return take_zeros(i->outer, features, &spare) && put(i, index, &spare, features);
    for (int32_t f = 0; f < features; f++) weir_zero_lane(i->outer, weir_lane(tile, f));
    return put(i, index, tile, features);
}

int WEIR_NAME(lua_sum)(lua_instance *i, void *lane)
{
    weir_tile spare;
    if (!lane && !take_zeros(i->outer, 1, &spare)) return 0;
    i->call.lane = lane ? lane : spare.data;
    make_usual(i->outer->width, i->call.lane);
    return 1;
}

int WEIR_NAME(lua_bar)(lua_instance *i, const void *lane)
{
    weir_tile usual, given = weir_tile_over(i->outer, (void *)(uintptr_t)lane, 1);
    if (!(lane ? without_unusual(i->outer, &given, &usual) : take_zeros(i->outer, 1, &usual))) return 0;
    i->call.lane = usual.data;
    return 1;
}

/* ---- the frame ----------------------------------------------------------------------------------------------------- */

static int set_context(lua_instance *i, const weir_frame *frame)
{
    const weir_tile *const bar = frame->context_bar;
    for (int32_t f = 0; bar && f < bar->features; f++) make_usual(frame->width, weir_lane(bar, f));
    if (!frame->context || !tile_has_nan(frame->context)) return 1;
    weir_tile *const copy = weir_take(i->outer, (int64_t)sizeof *copy);
    if (!copy || !without_unusual(i->outer, frame->context, copy)) return 0;
    copy->lanes = NULL;
    i->frame.context = copy;
    return 1;
}

int WEIR_NAME(lua_frame)(lua_instance *i, weir_frame *frame)
{
    __atomic_store_n(&host_math, frame->math, __ATOMIC_RELAXED);
    i->outer = frame;
    i->frame = *frame;
    i->frame.struct_size = (uint32_t)sizeof i->frame;
    i->frame.math = &safe_math;
    i->call.frame = &i->frame;
    return set_context(i, frame);
}
