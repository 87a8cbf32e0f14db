/* plain_body.h - the reference table in one precision; included by plain.c for each.
 * Needs REAL, LIBM(g) (the C library's g for REAL), WIDE, WIDE_LIBM(g), NAME(f) and PRECISION. */

/* These three in the next wider type: the C library's tanh, and quotients of rounded terms, err by more than 2 ulp. */
static inline REAL NAME(tanh_one)(REAL x)
{
    return (REAL)WIDE_LIBM(tanh)((WIDE)x);
}

static inline REAL NAME(sigmoid_one)(REAL x)
{
    const WIDE t = WIDE_LIBM(exp)(-WIDE_LIBM(fabs)((WIDE)x));
    return (REAL)((x < 0 ? t : (WIDE)1) / (1 + t));
}

static inline REAL NAME(softplus_one)(REAL x)
{
    const WIDE t = WIDE_LIBM(exp)(-WIDE_LIBM(fabs)((WIDE)x));
    return (REAL)((x > 0 ? (WIDE)x : (WIDE)0) + WIDE_LIBM(log1p)(t));
}

#define PLAIN(name, one)                                                                                     \
    static void NAME(name)(int64_t n, const void *x, void *y)                                                \
    {                                                                                                        \
        const REAL *const in = x;                                                                            \
        REAL *const out = y;                                                                                 \
        for (int64_t i = 0; i < n; i++) out[i] = one(in[i]);                                                 \
    }
PLAIN(exp_all, LIBM(exp))
PLAIN(expm1_all, LIBM(expm1))
PLAIN(log_all, LIBM(log))
PLAIN(log1p_all, LIBM(log1p))
PLAIN(tanh_all, NAME(tanh_one))
PLAIN(sigmoid_all, NAME(sigmoid_one))
PLAIN(softplus_all, NAME(softplus_one))
PLAIN(sin_all, LIBM(sin))
PLAIN(cos_all, LIBM(cos))
PLAIN(erf_all, LIBM(erf))
#undef PLAIN

WEIR__GEMM(NAME(weir__gemm_plain))
{
    const REAL *const left = a, *const right = b;
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n; j++) {
            REAL *const out = (REAL *)c + i * c_row + j * c_col;
            REAL sum = 0;
            for (int64_t p = 0; p < k && alpha != 0; p++)
                sum += left[i * a_row + p * a_col] * right[p * b_row + j * b_col];
            sum *= (REAL)alpha;
            *out = beta == 0 ? sum : (REAL)beta * *out + sum;
        }
    }
}

#define MEMBER(name, text) .name = NAME(name##_all),
const weir_math NAME(weir__math_plain) = {
    .struct_size = (uint32_t)sizeof(weir_math),
    .precision = PRECISION,
    WEIR_MATH_LIST(MEMBER).gemm = NAME(weir__gemm_plain),
};
#undef MEMBER
