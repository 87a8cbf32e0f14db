/* sleef_body.h - the functions of one table, by SLEEF; included by sleef_*.c for each vector type.
 *
 * Needs REAL, SINGLE (1 for float), LIBM(f), NAME(f), PRECISION, TABLE, GEMM and of the vector type: VECTOR, LANES, LOAD, STORE, SPLAT, MAGNITUDE(v),
 * ABOVE_ZERO(v) (v or 0, NaN stays), NEGATIVE(x, a, b) (b where x < 0, else a), ANY_BEYOND(v, limit) (some |v| > limit, or
 * NaN), WITHIN(v, limit) (v, or 0 where |v| > limit or NaN), and SLEEF10(f), SLEEF35(f), FAST(f): SLEEF's functions with
 * 1.0 and 3.5 ulp, and the cheaper one that this precision's promise allows.
 *
 * An element's result depends on nothing but the element: the tail runs through a full vector, and where SLEEF takes
 * another path for large arguments (for the whole vector as soon as one lane needs it), such lanes never reach SLEEF. */

typedef VECTOR (*NAME(vector_function))(VECTOR);

static inline __attribute__((always_inline)) void NAME(sweep)(int64_t n, const void *x, void *y,
                                                              NAME(vector_function) f)
{
    const REAL *const in = x;
    REAL *const out = y;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) STORE(out + i, f(LOAD(in + i)));
    if (i == n) return;
    REAL part[LANES] = {0};
    for (int64_t j = i; j < n; j++) part[j - i] = in[j];
    STORE(part, f(LOAD(part)));
    for (int64_t j = i; j < n; j++) out[j] = part[j - i];
}

/* f where |x| is at most the limit; other lanes are the C library's. */
static inline __attribute__((always_inline)) VECTOR NAME(guarded)(VECTOR x, NAME(vector_function) f,
                                                                  REAL limit, REAL (*one)(REAL))
{
    const VECTOR y = f(WITHIN(x, limit));
    if (!ANY_BEYOND(x, limit)) return y;
    REAL in[LANES], out[LANES];
    STORE(in, x);
    STORE(out, y);
    for (int j = 0; j < LANES; j++) {
        if (!(LIBM(fabs)(in[j]) <= limit)) out[j] = one(in[j]);
    }
    return LOAD(out);
}

/* With t = e^-|x|: 1 / (1 + t) right of zero; left of it t / (1 + t) as t - t * (t / (1 + t)), where the errors of sum and
 * quotient are multiplied by t. */
static inline VECTOR NAME(logistic)(VECTOR x)
{
    const VECTOR one = SPLAT((REAL)1), t = SLEEF10(exp)(-MAGNITUDE(x));
    const VECTOR quotient = NEGATIVE(x, one, t) / (one + t);
    return NEGATIVE(x, quotient, t - t * quotient);
}

/* log(1 + t) of softplus, for t in [0, 1]. In single precision as 2 artanh(s), s = t / (2 + t) <= 1/3, which SLEEF's log1p
 * cannot assume: artanh(s) = s + s w (...), w = s^2, a minimax polynomial with relative error 5e-9 on [0, 1/9]. */
#if SINGLE
static inline VECTOR NAME(log_of_sum)(VECTOR t)
{
    const VECTOR twice = (t + t) / (SPLAT(2) + t), w = twice * twice * SPLAT(0.25F);
    const VECTOR series =
        SPLAT(0.333332066F) + w * (SPLAT(0.200108495F) + w * (SPLAT(0.139995705F) + w * SPLAT(0.140122294F)));
    return twice + twice * (w * series);
}
#else
static inline VECTOR NAME(log_of_sum)(VECTOR t)
{
    return SLEEF10(log1p)(t);
}
#endif

static inline VECTOR NAME(soft_ramp)(VECTOR x)
{
    return ABOVE_ZERO(x) + NAME(log_of_sum)(SLEEF10(exp)(-MAGNITUDE(x)));
}

/* SLEEF's declarations carry attributes that make their type another one to some compilers: hence one_vector. */
#define SWEEP(name, f)                                                                                       \
    static inline VECTOR NAME(name##_vector)(VECTOR x)                                                       \
    {                                                                                                        \
        return f(x);                                                                                         \
    }                                                                                                        \
    static void NAME(name##_all)(int64_t n, const void *x, void *y)                                          \
    {                                                                                                        \
        NAME(sweep)(n, x, y, NAME(name##_vector));                                                           \
    }
#define SWEEP_WITHIN(name, f, limit)                                                                         \
    static inline VECTOR NAME(name##_near)(VECTOR x)                                                         \
    {                                                                                                        \
        return f(x);                                                                                         \
    }                                                                                                        \
    static inline VECTOR NAME(name##_guarded)(VECTOR x)                                                      \
    {                                                                                                        \
        return NAME(guarded)(x, NAME(name##_near), (REAL)(limit), LIBM(name));                               \
    }                                                                                                        \
    SWEEP(name, NAME(name##_guarded))
SWEEP(exp, SLEEF10(exp))
SWEEP(expm1, SLEEF10(expm1))
SWEEP(log, FAST(log))
SWEEP_WITHIN(log1p, SLEEF10(log1p), 1e30)
SWEEP(tanh, FAST(tanh))
SWEEP(sigmoid, NAME(logistic))
SWEEP(softplus, NAME(soft_ramp))
SWEEP_WITHIN(sin, FAST(sin), 100)
SWEEP_WITHIN(cos, FAST(cos), 100)
SWEEP(erf, SLEEF10(erf))
#undef SWEEP
#undef SWEEP_WITHIN

#define MEMBER(name, text) .name = NAME(name##_all),
const weir_math TABLE = {
    .struct_size = (uint32_t)sizeof(weir_math),
    .precision = PRECISION,
    WEIR_MATH_LIST(MEMBER).gemm = GEMM,
};
#undef MEMBER

#undef REAL
#undef LIBM
#undef NAME
#undef PRECISION
#undef SINGLE
#undef GEMM
#undef TABLE
#undef VECTOR
#undef LANES
#undef LOAD
#undef STORE
#undef SPLAT
#undef MAGNITUDE
#undef ABOVE_ZERO
#undef NEGATIVE
#undef ANY_BEYOND
#undef WITHIN
#undef SLEEF10
#undef SLEEF35
#undef FAST
