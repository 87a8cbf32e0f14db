/* gemm_tile_body.h - products of small matrices whose columns are rows of a tile: one precision, one vector length;
 * included by gemm_tile_*.c. Needs REAL, LANES (numbers in a vector), ROWS (most rows of C, two vectors each, held in registers: 12 or 6),
 * GREATER(a, b) (a > b ? a : b, lane by lane), what gemm_narrow_body.h asks for, NAME(f), BIG (the product of large matrices)
 * and, if there is one, SHORT (of fewer columns than a vector has lanes).
 *
 * C is made in pieces of at most ROWS x PANEL numbers that stay in registers while k runs: every step loads two vectors of
 * B and spreads one number for each row of A. A is read where it lies, with any strides. B is read where it lies when its
 * columns are contiguous; otherwise, and at a ragged right edge, a panel of it is copied to the stack. The order of sums
 * depends on nothing but k; that of a few columns depends on how many they are too. Bias and activation, where asked for,
 * are applied to the registers before the last slice of k leaves them. */

#define PANEL  (2 * LANES)
#define TALL   12 /* most rows of one vector each: with fewer sums the multipliers would wait for them */
#define vector NAME(vector)
#define loose  NAME(loose)

typedef REAL vector __attribute__((vector_size(LANES * sizeof(REAL))));
typedef REAL loose __attribute__((vector_size(LANES * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));
typedef REAL NAME(quad) __attribute__((vector_size(4 * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));

/* One product: everything but the place of the piece. activation is looked at only where there is a bias. */
typedef struct NAME(product) {
    int64_t k;
    REAL alpha, beta;
    const REAL *a, *b;
    REAL *c;
    int64_t a_row, a_col, b_row, b_col, c_row;
    const REAL *bias; /* of the first row of C, the next bias_step further on; NULL: C is not finished yet */
    int64_t bias_step;
    int32_t activation;
} NAME(product);

/* ---- the end of a product -------------------------------------------------------------------- */

static const REAL NAME(no_bias) = 0;

static NAME(product) NAME(finished)(NAME(product) p, const weir__finish *finish)
{
    if (!finish) return p;
    p.bias = finish->bias ? finish->bias : &NAME(no_bias);
    p.bias_step = finish->bias != NULL;
    p.activation = finish->activation;
    return p;
}

static NAME(product) NAME(unfinished)(NAME(product) p)
{
    p.bias = NULL;
    return p;
}

/* Row i of C, one number and one vector at a time. The order of the operands lets NaN and the sign of zero through. */
static REAL NAME(finish_one)(const NAME(product) * p, int64_t i, REAL x)
{
    if (!p->bias) return x;
    x += p->bias[i * p->bias_step];
    if (p->activation == WEIR_ACTIVATION_RELU) return x < 0 ? 0 : x;
    return p->activation == WEIR_ACTIVATION_LEAKY_RELU && x < 0 ? (REAL)WEIR__LEAKY_SLOPE * x : x;
}

static inline __attribute__((always_inline)) void NAME(finish)(const int rows, const int vectors,
                                                               const NAME(product) * p, vector sum[TALL][2])
{
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int v = 0; v < vectors; v++) sum[i][v] += p->bias[i * p->bias_step];
    }
    if (p->activation == WEIR_ACTIVATION_RELU) {
        UNROLL
        for (int i = 0; i < rows; i++) {
            UNROLL
            for (int v = 0; v < vectors; v++) sum[i][v] = GREATER((vector){0}, sum[i][v]);
        }
    } else if (p->activation == WEIR_ACTIVATION_LEAKY_RELU) {
        UNROLL
        for (int i = 0; i < rows; i++) {
            UNROLL
            for (int v = 0; v < vectors; v++)
                sum[i][v] = GREATER((REAL)WEIR__LEAKY_SLOPE * sum[i][v], sum[i][v]);
        }
    }
}

/* ---- pieces --------------------------------------------------------------------------------- */

/* alpha sum + beta C, where the factors are not 1 and 0. */
static inline __attribute__((always_inline)) void NAME(scale)(const int rows, const int vectors,
                                                              const NAME(product) * p, vector sum[TALL][2])
{
    const REAL alpha = p->alpha, beta = p->beta;
    if (alpha != 1) {
        UNROLL
        for (int i = 0; i < rows; i++) {
            UNROLL
            for (int v = 0; v < vectors; v++) sum[i][v] *= alpha;
        }
    }
    if (beta != 0) {
        UNROLL
        for (int i = 0; i < rows; i++) {
            UNROLL
            for (int v = 0; v < vectors; v++)
                sum[i][v] += beta * *(const loose *)(p->c + i * p->c_row + v * LANES);
        }
    }
}

/* rows and vectors are constants in every call, so that the accumulators are registers. */
static inline __attribute__((always_inline)) void NAME(piece)(const int rows, const int vectors,
                                                              const NAME(product) * p, const int64_t a_row)
{
    vector sum[TALL][2];
    const REAL *a = p->a, *b = p->b;
    const int64_t a_col = p->a_col, b_row = p->b_row;
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int v = 0; v < vectors; v++) sum[i][v] = (vector){0};
    }
    for (int64_t step = p->k; step > 0; step--) {
        vector right[2];
        UNROLL
        for (int v = 0; v < vectors; v++) right[v] = *(const loose *)(b + v * LANES);
        UNROLL
        for (int i = 0; i < rows; i++) {
            UNROLL
            for (int v = 0; v < vectors; v++) sum[i][v] += a[i * a_row] * right[v];
        }
        a += a_col;
        b += b_row;
    }
    NAME(scale)(rows, vectors, p, sum);
    if (p->bias) NAME(finish)(rows, vectors, p, sum);
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int v = 0; v < vectors; v++) *(loose *)(p->c + i * p->c_row + v * LANES) = sum[i][v];
    }
}

/* Two copies of each piece: in the second the numbers of a column of A are neighbours, as in a transposed matrix. */
#define PIECE(rows, vectors)                                                                                 \
    static void NAME(piece_##rows##_##vectors)(const NAME(product) * p)                                      \
    {                                                                                                        \
        NAME(piece)(rows, vectors, p, p->a_row);                                                             \
    }                                                                                                        \
    static void NAME(turned_##rows##_##vectors)(const NAME(product) * p)                                     \
    {                                                                                                        \
        NAME(piece)(rows, vectors, p, 1);                                                                    \
    }
#define PIECES(rows) PIECE(rows, 1) PIECE(rows, 2)
PIECES(1)
PIECES(2)
PIECES(3)
PIECES(4)
PIECES(6)
PIECE(8, 1)
PIECE(12, 1)
#if ROWS == 12
PIECE(8, 2)
PIECE(12, 2)
#endif
#undef PIECES
#undef PIECE

/* How many rows the next piece takes when `left` are left: a single row at the end would leave the multipliers idle. */
static int NAME(next_rows)(int64_t left, int vectors)
{
    static const signed char end[] = {0, 1, 2, 3, 4, 3, 6, 4, 8, 6, 6, 8};
    const int most = vectors == 1 ? TALL : ROWS;
    if (left < most) return end[left];
    if (left == most + 1) return most == 12 ? 8 : 4;
    return most;
}

#define ONE(rows)                                                                                            \
    case rows:                                                                                               \
        run = p->a_row == 1 ? NAME(turned_##rows##_1) : NAME(piece_##rows##_1);                              \
        break;
#define TWO(rows)                                                                                            \
    case rows + 2 * TALL:                                                                                    \
        run = p->a_row == 1 ? NAME(turned_##rows##_2) : NAME(piece_##rows##_2);                              \
        break;

static void NAME(run_piece)(int rows, int vectors, const NAME(product) * p)
{
    void (*run)(const NAME(product) *) = NULL;
    switch (vectors == 1 ? rows : rows + 2 * TALL) {
        ONE(1)
        ONE(2)
        ONE(3)
        ONE(4)
        ONE(6)
        ONE(8)
        ONE(12)
        TWO(1)
        TWO(2)
        TWO(3)
        TWO(4)
        TWO(6)
#if ROWS == 12
        TWO(8)
        TWO(12)
#endif
    default:
        return;
    }
    run(p);
}
#undef ONE
#undef TWO

/* ---- copies of B ---------------------------------------------------------------------------- */

/* Four columns of B, each contiguous, become four columns of a row-major panel. */
static void NAME(turn_four)(int64_t k, const REAL *b, int64_t b_col, REAL *panel)
{
    typedef NAME(quad) quad;
    int64_t p = 0;
    for (; p + 4 <= k; p += 4) {
        const quad r0 = *(const quad *)(b + p), r1 = *(const quad *)(b + p + b_col);
        const quad r2 = *(const quad *)(b + p + 2 * b_col), r3 = *(const quad *)(b + p + 3 * b_col);
        const quad low01 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5),
                   low23 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
        const quad high01 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7),
                   high23 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
        REAL *const to = panel + p * PANEL;
        *(quad *)to = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
        *(quad *)(to + PANEL) = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
        *(quad *)(to + 2 * PANEL) = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
        *(quad *)(to + 3 * PANEL) = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
    }
    for (; p < k; p++) {
        for (int j = 0; j < 4; j++) panel[p * PANEL + j] = b[p + j * b_col];
    }
}

/* Columns [0, count) of B as rows of PANEL numbers, zeros behind them up to whole vectors. */
static void NAME(copy_panel)(const NAME(product) * p, int64_t count, REAL *panel)
{
    const int64_t whole = (count + LANES - 1) / LANES * LANES;
    int64_t j = 0;
    for (; p->b_row == 1 && j + 4 <= count; j += 4)
        NAME(turn_four)(p->k, p->b + j * p->b_col, p->b_col, panel + j);
    for (int64_t step = 0; step < p->k; step++) {
        const REAL *const b = p->b + step * p->b_row;
        REAL *const to = panel + step * PANEL;
        for (int64_t l = j; l < count; l++) to[l] = b[l * p->b_col];
        for (int64_t l = count; l < whole; l++) to[l] = 0;
    }
}

/* ---- copies of A ---------------------------------------------------------------------------- */

/* A transposed matrix gives ROWS numbers of each of its rows, which lie far apart: where they serve OFTEN columns, they are
 * brought together first, by loads that wait for nothing but memory. For half as many columns that costs what it gains. */
#define OFTEN 128

static void NAME(copy_columns)(NAME(product) * p, REAL *columns)
{
    const REAL *a = p->a;
    for (int64_t k = 0; k < p->k; k++, a += p->a_col) memcpy(columns + k * ROWS, a, ROWS * sizeof(REAL));
    p->a = columns;
    p->a_col = ROWS;
}

/* ---- loops ---------------------------------------------------------------------------------- */

static void NAME(next_piece)(NAME(product) * p, int rows)
{
    p->a += rows * p->a_row;
    p->c += rows * p->c_row;
    if (p->bias) p->bias += rows * p->bias_step;
}

#ifndef SHORT
#include "math/gemm_narrow_body.h"
#endif

/* m rows by one panel of `vectors` vectors, read and written where they lie. */
static void NAME(column)(int64_t m, int vectors, NAME(product) p)
{
    for (int rows; m > 0; m -= rows) {
        rows = NAME(next_rows)(m, vectors);
        NAME(run_piece)(rows, vectors, &p);
        NAME(next_piece)(&p, rows);
    }
}

/* The first `count` numbers of one row that was made aside go to C, four at a time where there is no end to them, as in
 * gradients of weights. */
static void NAME(add_ragged)(const NAME(product) * p, int64_t row, int64_t count, const REAL *own)
{
    typedef NAME(quad) quad;
    REAL *const c = p->c + row * p->c_row;
    int64_t j = 0;
    for (; !p->bias && j + 4 <= count; j += 4) {
        quad sum = *(const quad *)(own + j);
        if (p->beta != 0) sum += p->beta * *(const quad *)(c + j);
        *(quad *)(c + j) = sum;
    }
    for (; j < count; j++) c[j] = NAME(finish_one)(p, row, p->beta == 0 ? own[j] : p->beta * c[j] + own[j]);
}

/* The same where C ends inside a vector: each piece is made aside and its first `count` columns are added to C. */
static void NAME(ragged_column)(int64_t m, int64_t count, NAME(product) p)
{
    const int vectors = count > LANES ? 2 : 1;
    REAL aside[TALL * PANEL];
    NAME(product) part = NAME(unfinished)(p);
    part.c = aside;
    part.c_row = PANEL;
    part.beta = 0;
    for (int rows; m > 0; m -= rows) {
        rows = NAME(next_rows)(m, vectors);
        NAME(run_piece)(rows, vectors, &part);
        for (int i = 0; i < rows; i++) NAME(add_ragged)(&p, i, count, aside + i * PANEL);
        part.a += rows * p.a_row;
        NAME(next_piece)(&p, rows);
    }
}

/* Columns of B through a copy, panel by panel. */
static void NAME(through_copies)(int64_t m, int64_t n, const NAME(product) * p)
{
    _Alignas(64) REAL panel[DEPTH * PANEL];
    for (int64_t j = 0; j < n; j += PANEL) {
        const int64_t count = n - j < PANEL ? n - j : PANEL;
        NAME(product) part = *p;
        part.b += j * p->b_col;
        NAME(copy_panel)(&part, count, panel);
        part.b = panel;
        part.b_row = PANEL;
        part.c += j;
        if (count % LANES == 0) {
            NAME(column)(m, (int)(count / LANES), part);
        } else {
            NAME(ragged_column)(m, count, part);
        }
    }
}

/* B where it lies. Rows outside, so that the few rows of A that a piece needs stay in the first-level cache; a last vector
 * goes by itself where that makes its pieces taller. */
static void NAME(in_place)(int64_t m, int64_t n, const NAME(product) * p)
{
    const int64_t together = ROWS < TALL ? n / PANEL * PANEL : n;
    NAME(product) row = *p;
    for (int64_t left = together ? m : 0; left > 0;) {
        const int rows = NAME(next_rows)(left, 2);
        NAME(product) part = row;
        REAL columns[DEPTH * ROWS];
        if (rows == ROWS && row.a_row == 1 && together >= OFTEN) NAME(copy_columns)(&part, columns);
        for (int64_t j = 0; j < together;) {
            const int vectors = together - j >= PANEL ? 2 : 1;
            NAME(run_piece)(rows, vectors, &part);
            part.b += vectors * LANES;
            part.c += vectors * LANES;
            j += vectors * LANES;
        }
        NAME(next_piece)(&row, rows);
        left -= rows;
    }
    if (together == n) return;
    row = *p;
    row.b += together;
    row.c += together;
    NAME(column)(m, 1, row);
}

/* How many columns at the end are not worth a vector that would be at most half full: they are left to shorter vectors or,
 * where there are none, made by groups of k. */
static int64_t NAME(tail)(int64_t n, const NAME(product) * p)
{
    const int64_t tail = n % LANES;
#ifdef SHORT
    return (void)p, tail <= LANES / 2 ? tail : 0;
#else
    return p->a_col == 1 ? tail : 0;
#endif
}

static void NAME(slice)(int64_t m, int64_t n, const NAME(product) * p)
{
    const int64_t whole = p->b_col == 1 ? n / LANES * LANES : 0;
    if (whole) NAME(in_place)(m, whole, p);
    if (whole == n) return;
    NAME(product) rest = *p;
    rest.b += whole * p->b_col;
    rest.c += whole;
    const int64_t tail = NAME(tail)(n - whole, p), copied = n - whole - tail;
    if (copied) NAME(through_copies)(m, copied, &rest);
    if (tail == 0) return;
    rest.b += copied * p->b_col;
    rest.c += copied;
#ifdef SHORT
    const weir__finish finish = {.bias = p->bias_step ? p->bias : NULL, .activation = p->activation};
    SHORT(m, tail, p->k, (double)p->alpha, p->a, p->a_row, p->a_col, rest.b, p->b_row, p->b_col,
          (double)p->beta, rest.c, p->c_row, 1, p->bias ? &finish : NULL);
#else
    for (int64_t j = 0; j < tail; j += NARROW, rest.b += NARROW * p->b_col, rest.c += NARROW)
        NAME(narrow_slice)(m, tail - j < NARROW ? tail - j : NARROW, &rest);
#endif
}

WEIR__GEMM_FINISHED(NAME(weir__gemm_finished))
{
    if (m <= 0 || n <= 0) return 1;
    const int column = n == 1 && a_col == 1;
    if (c_col != 1 && c_row == 1 && !column) {
        NAME(weir__gemm)(n, m, k, alpha, b, b_col, b_row, a, a_col, a_row, beta, c, c_col, c_row);
        return !finish;
    }
    if (k <= 0 || alpha == 0 || (c_col != 1 && n > 1) || (m > LARGE && n > LARGE && k > LARGE)) {
        BIG(m, n, k, alpha, a, a_row, a_col, b, b_row, b_col, beta, c, c_row, c_col);
        return !finish;
    }
    NAME(product)
    p = {.k = k, .alpha = (REAL)alpha, .beta = (REAL)beta, .a = a, .b = b, .c = c, .a_row = a_row};
    p.a_col = a_col;
    p.b_row = b_row;
    p.b_col = b_col;
    p.c_row = c_row;
#ifdef SHORT
    if (n < LANES) return SHORT(m, n, k, alpha, a, a_row, a_col, b, b_row, b_col, beta, c, c_row, 1, finish);
#else
    if (column && b_row == 1) {
        p = NAME(finished)(p, finish);
        NAME(narrow_slice)(m, 1, &p);
        return 1;
    }
#endif
    /* Slices of k of nearly equal depth. */
    const int64_t slices = (k + DEPTH - 1) / DEPTH;
    for (int64_t s = 0; s < slices; s++) {
        p.k = k * (s + 1) / slices - k * s / slices;
        if (s == slices - 1) p = NAME(finished)(p, finish);
        NAME(slice)(m, n, &p);
        p.a += p.k * a_col;
        p.b += p.k * b_row;
        p.beta = 1;
    }
    return 1;
}

WEIR__GEMM(NAME(weir__gemm))
{
    NAME(weir__gemm_finished)
    (m, n, k, alpha, a, a_row, a_col, b, b_row, b_col, beta, c, c_row, c_col, NULL);
}

#undef PANEL
#undef TALL
#undef OFTEN
#undef NARROW
#undef PART
#undef HALF
#undef QUARTER
#undef vector
#undef loose
#undef REAL
#undef LANES
#undef GREATER
#undef NAME
#undef BIG
#undef SHORT
