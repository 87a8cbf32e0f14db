/* random.c - random numbers for scripts: shuffles and synthetic data, the same for a seed on every machine.
 *
 * xoshiro256** (Blackman and Vigna 2021) seeded by SplitMix64. Streams of a model (noise, samples) are not these: the host
 * draws them by counters.
 */
#include "array.h"
#include "handle.h"

#include <math.h>
#include <string.h>

static const char random_name[] = "weir.random";

typedef struct random_state {
    uint64_t s[4];
} random_state;

static uint64_t split_mix(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t rotate(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

static uint64_t next(random_state *r)
{
    const uint64_t result = rotate(r->s[1] * 5, 7) * 9, t = r->s[1] << 17;
    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = rotate(r->s[3], 45);
    return result;
}

static void seed_with(random_state *r, uint64_t seed, uint64_t stream)
{
    uint64_t mix = seed ^ (split_mix(&stream) | 1);
    for (int i = 0; i < 4; i++) r->s[i] = split_mix(&mix);
}

/* On [0, 1). */
static double uniform_value(random_state *r)
{
    return (double)(next(r) >> 11) * 0x1p-53;
}

static double normal_value(random_state *r)
{
    const double u = 1 - uniform_value(r), v = uniform_value(r);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* Unbiased: numbers below the remainder are drawn again. */
static uint64_t below(random_state *r, uint64_t n)
{
    const uint64_t least = (0 - n) % n;
    uint64_t x = next(r);
    while (x < least) x = next(r);
    return x % n;
}

static uint64_t seed_at(lua_State *L, int index)
{
    return lua_isnoneornil(L, index) ? 0
                                     : (uint64_t)weir__integer_check(L, index, 0, INT64_C(9007199254740991));
}

/** random([seed [, stream]]): a generator with methods uniform, normal, integer. */
static int make(lua_State *L)
{
    const uint64_t seed = seed_at(L, 1), stream = seed_at(L, 2);
    random_state *const r = lua_newuserdata(L, sizeof *r);
    seed_with(r, seed, stream);
    luaL_getmetatable(L, random_name);
    lua_setmetatable(L, -2);
    return 1;
}

/* Without arguments one number, with (rows [, columns]) an array. */
static int draw(lua_State *L, double (*value)(random_state *))
{
    random_state *const r = luaL_checkudata(L, 1, random_name);
    if (lua_isnoneornil(L, 2)) return lua_pushnumber(L, value(r)), 1;
    const int64_t rows = weir__integer_check(L, 2, 0, INT32_MAX);
    weir__array *const made =
        lua_isnoneornil(L, 3)
            ? weir__array_push_vector(L, WEIR_DTYPE_F64, rows)
            : weir__array_push_matrix(L, WEIR_DTYPE_F64, rows, weir__integer_check(L, 3, 0, INT32_MAX));
    for (int64_t i = 0; i < made->count; i++) ((double *)made->data)[i] = value(r);
    return 1;
}

static int uniform(lua_State *L)
{
    return draw(L, uniform_value);
}

static int normal(lua_State *L)
{
    return draw(L, normal_value);
}

/** integer(n): one of 1..n. */
static int integer(lua_State *L)
{
    random_state *const r = luaL_checkudata(L, 1, random_name);
    lua_pushnumber(L,
                   (double)(below(r, (uint64_t)weir__integer_check(L, 2, 1, INT64_C(9007199254740991))) + 1));
    return 1;
}

/** permutation(n [, seed [, stream]]): 1..n in random order, as an i64 vector. */
static int permutation(lua_State *L)
{
    const int64_t n = weir__integer_check(L, 1, 0, INT64_C(1) << 40);
    random_state r;
    seed_with(&r, seed_at(L, 2), seed_at(L, 3));
    int64_t *const p = weir__array_push_vector(L, WEIR_DTYPE_I64, n)->data;
    for (int64_t i = 0; i < n; i++) {
        const int64_t j = (int64_t)below(&r, (uint64_t)i + 1);
        p[i] = p[j];
        p[j] = i + 1;
    }
    return 1;
}

static const luaL_Reg methods[] = {
    {"uniform", uniform}, {"normal", normal}, {"integer", integer}, {NULL, NULL}};
static const luaL_Reg functions[] = {{"random", make}, {"permutation", permutation}, {NULL, NULL}};

void weir__random_register(lua_State *L)
{
    luaL_newmetatable(L, random_name);
    lua_newtable(L);
    luaL_register(L, NULL, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_register(L, NULL, functions);
}
