/* gemm_narrow_body.h - products whose right side has few columns: one precision, one vector length; included by
 * gemm_tile_body.h, in the middle of it, where there are no shorter vectors to leave them to: matrices as networks have them
 * would make most loads of the longest vectors straddle two cache lines. Needs BYTES (of a vector), PART(p, count) (the first
 * `count` < LANES numbers, zeros behind them) and, where there are such loads, HALF(p) and QUARTER(p): half a vector's numbers twice, a
 * quarter's four times.
 *
 * With `columns` = 1, 2 or 4 columns of B, a vector of sums belongs to one row of A: it is as many groups as there are
 * columns, and every step takes a group's length of k, read once from A and spread over the groups. At the end the sums in
 * each group are added up pair by pair. Nothing is multiplied in vain, and each number of A is loaded once. Rows of A are
 * contiguous here. The order of sums depends on k and on `columns`. */

#if defined(QUARTER)
#define NARROW 4
#elif defined(HALF)
#define NARROW 2
#else
#define NARROW 1
#endif

/* Rows of A whose sums are made together: enough to keep the multipliers busy, few enough for their addresses to be in
 * registers. */
#define BLOCK 8

/* EVEN and ODD of every two numbers in each 16 bytes, which is what instructions do at once; a's come before b's there. A
 * vector of 32 bytes also needs LOWER and UPPER halves side by side, and what puts results in order: TURNED_2 for two
 * columns, TURNED_4 for four. TWICE: the first half's numbers twice each. */
#if LANES == 8
#define EVEN(a, b)  __builtin_shufflevector(a, b, 0, 2, 8, 10, 4, 6, 12, 14)
#define ODD(a, b)   __builtin_shufflevector(a, b, 1, 3, 9, 11, 5, 7, 13, 15)
#define LOWER(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define UPPER(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)
#define TURNED_2(a) __builtin_shufflevector(a, a, 0, 4, 1, 5, 2, 6, 3, 7)
#define TURNED_4(a) __builtin_shufflevector(a, a, 0, 1, 4, 5, 2, 3, 6, 7)
#define TWICE(a)    __builtin_shufflevector(a, a, 0, 0, 1, 1, 2, 2, 3, 3)
#elif LANES == 4 && BYTES == 32
#define EVEN(a, b)  __builtin_shufflevector(a, b, 0, 4, 2, 6)
#define ODD(a, b)   __builtin_shufflevector(a, b, 1, 5, 3, 7)
#define LOWER(a, b) __builtin_shufflevector(a, b, 0, 1, 4, 5)
#define UPPER(a, b) __builtin_shufflevector(a, b, 2, 3, 6, 7)
#define TURNED_2(a) __builtin_shufflevector(a, a, 0, 2, 1, 3)
#define TWICE(a)    __builtin_shufflevector(a, a, 0, 0, 1, 1)
#elif LANES == 4
#define EVEN(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6)
#define ODD(a, b)  __builtin_shufflevector(a, b, 1, 3, 5, 7)
#define TWICE(a)   __builtin_shufflevector(a, a, 0, 0, 1, 1)
#else
#define EVEN(a, b) __builtin_shufflevector(a, b, 0, 2)
#define ODD(a, b)  __builtin_shufflevector(a, b, 1, 3)
#define TWICE(a)   __builtin_shufflevector(a, a, 0, 0)
#endif

/* ---- sums ----------------------------------------------------------------------------------- */

/* By pointer: wide vectors as values would depend on the instruction set. */
static inline __attribute__((always_inline)) void NAME(spread)(const int columns, const REAL *a,
                                                               vector *spread)
{
    *spread = (vector){0};
    if (columns == 1) *spread = *(const loose *)a;
#ifdef HALF
    if (columns == 2) *spread = HALF(a);
#endif
#ifdef QUARTER
    if (columns == 4) *spread = QUARTER(a);
#endif
}

/* The last, incomplete group of a row. */
static inline __attribute__((always_inline)) void NAME(spread_part)(const int columns, const REAL *a,
                                                                    int64_t count, vector *spread)
{
    *spread = PART(a, count);
    if (columns == 1) return;
    const vector part = *spread;
    NAME(spread)(columns, (const REAL *)&part, spread);
}

static inline __attribute__((always_inline)) void NAME(group_sums)(const int rows, const int columns,
                                                                   int64_t k, const REAL *a,
                                                                   const int64_t a_row, const REAL *b,
                                                                   vector sum[BLOCK])
{
    const int length = LANES / columns;
    vector left;
    UNROLL
    for (int i = 0; i < BLOCK; i++) sum[i] = (vector){0};
    for (; k >= length; k -= length) {
        const vector right = *(const loose *)b;
        UNROLL
        for (int i = 0; i < rows; i++) {
            NAME(spread)(columns, a + i * a_row, &left);
            sum[i] += left * right;
        }
        a += length;
        b += LANES;
    }
    if (k == 0) return;
    vector right;
    if (columns == 1) {
        right = PART(b, k);
    } else {
        right = *(const loose *)b;
    }
    UNROLL
    for (int i = 0; i < rows; i++) {
        NAME(spread_part)(columns, a + i * a_row, k, &left);
        sum[i] += left * right;
    }
}

static inline __attribute__((always_inline)) void NAME(add_pairs)(const int count, vector sum[BLOCK])
{
    UNROLL
    for (int i = 0; i < count; i++)
        sum[i] = EVEN(sum[2 * i], sum[2 * i + 1]) + ODD(sum[2 * i], sum[2 * i + 1]);
}

/* The groups of `rows` vectors become single numbers, side by side: row after row, column after column. */
static inline __attribute__((always_inline)) void NAME(add_groups)(const int rows, const int columns,
                                                                   vector sum[BLOCK])
{
    const int length = LANES / columns, lane = 16 / (int)sizeof(REAL);
    const int count = rows > length ? rows : length;
    if (length >= 2) NAME(add_pairs)(count / 2, sum);
    if (length >= 4 && lane >= 4) NAME(add_pairs)(count / 4, sum);
#ifdef LOWER
    UNROLL
    for (int i = 0; i * length < rows; i++) {
        if (columns == 1) sum[i] = LOWER(sum[2 * i], sum[2 * i + 1]) + UPPER(sum[2 * i], sum[2 * i + 1]);
        if (columns == 2) sum[i] = TURNED_2(sum[i]);
#ifdef TURNED_4
        if (columns == 4) sum[i] = TURNED_4(sum[i]);
#endif
    }
#endif
}

/* ---- from sums to C ------------------------------------------------------------------------- */

/* A block of C and its copy side by side, n of the columns; moves have constant lengths where they can. */
static inline __attribute__((always_inline)) void NAME(copy_block)(const int rows, const int columns,
                                                                   int64_t n, const REAL *from,
                                                                   int64_t from_row, REAL *to, int64_t to_row)
{
    if (from_row == columns && to_row == columns && n == columns) {
        memcpy(to, from, (size_t)(rows * columns) * sizeof(REAL));
        return;
    }
    for (int i = 0; i < rows; i++, from += from_row, to += to_row) {
        if (n == columns) {
            memcpy(to, from, (size_t)columns * sizeof(REAL));
        } else {
            for (int64_t j = 0; j < n; j++) to[j] = from[j];
        }
    }
}

/* The bias of `count` rows from row `first` on, once for each column. */
static inline __attribute__((always_inline)) void NAME(spread_bias)(const int columns,
                                                                    const NAME(product) * p, int first,
                                                                    const int count, vector *bias)
{
    const REAL *const from = p->bias + first * p->bias_step;
    if (p->bias_step == 0) {
        *bias = (vector){0} + *from;
        return;
    }
    if (count == LANES) {
        *bias = *(const loose *)from;
    } else {
        *bias = PART(from, count);
    }
    if (columns > 1) *bias = TWICE(*bias);
    if (columns > 2) *bias = TWICE(*bias);
}

static inline __attribute__((always_inline)) void NAME(finish_results)(const int rows, const int columns,
                                                                       const NAME(product) * p,
                                                                       vector sum[BLOCK])
{
    const int length = LANES / columns;
    UNROLL
    for (int i = 0; i * length < rows; i++) {
        vector bias;
        NAME(spread_bias)
        (columns, p, i * length, rows - i * length < length ? rows - i * length : length, &bias);
        sum[i] += bias;
        if (p->activation == WEIR_ACTIVATION_RELU) sum[i] = GREATER((vector){0}, sum[i]);
        if (p->activation == WEIR_ACTIVATION_LEAKY_RELU)
            sum[i] = GREATER((REAL)WEIR__LEAKY_SLOPE * sum[i], sum[i]);
    }
}

/* rows and columns are constants in every call; n of the columns exist. */
static inline __attribute__((always_inline)) void NAME(narrow_block)(const int rows, const int columns,
                                                                     const NAME(product) * p, int64_t n)
{
    const int length = LANES / columns;
    vector sum[BLOCK];
    _Alignas(64) REAL side[BLOCK * NARROW];
    NAME(group_sums)(rows, columns, p->k, p->a, p->a_row, p->b, sum);
    NAME(add_groups)(rows, columns, sum);
    if (p->alpha != 1) {
        UNROLL
        for (int i = 0; i * length < rows; i++) sum[i] *= p->alpha;
    }
    if (p->beta != 0) {
        NAME(copy_block)(rows, columns, n, p->c, p->c_row, side, columns);
        UNROLL
        for (int i = 0; i * length < rows; i++) sum[i] += p->beta * *(const vector *)(side + i * LANES);
    }
    if (p->bias) NAME(finish_results)(rows, columns, p, sum);
    UNROLL
    for (int i = 0; i * length < rows; i++) *(vector *)(side + i * LANES) = sum[i];
    NAME(copy_block)(rows, columns, n, side, columns, p->c, p->c_row);
}

#define BLOCKS(columns)                                                                                      \
    static void NAME(narrow_##columns)(int64_t m, int64_t n, NAME(product) p)                                \
    {                                                                                                        \
        for (; m >= BLOCK; m -= BLOCK, NAME(next_piece)(&p, BLOCK))                                          \
            NAME(narrow_block)(BLOCK, columns, &p, n);                                                       \
        for (; m >= 4; m -= 4, NAME(next_piece)(&p, 4)) NAME(narrow_block)(4, columns, &p, n);               \
        for (; m >= 1; m -= 1, NAME(next_piece)(&p, 1)) NAME(narrow_block)(1, columns, &p, n);               \
    }
BLOCKS(1)
#if NARROW >= 2
BLOCKS(2)
#endif
#if NARROW >= 4
BLOCKS(4)
#endif
#undef BLOCKS

/* ---- B in groups ---------------------------------------------------------------------------- */

/* Columns of B, group beside group, with zeros where there is no column or no row. */
static inline __attribute__((always_inline)) void NAME(group_columns)(const int columns,
                                                                      const NAME(product) * p, int64_t n,
                                                                      REAL *groups)
{
    const int length = LANES / columns;
    const int64_t vectors = (p->k + length - 1) / length;
    *(vector *)(groups + (vectors - 1) * LANES) = (vector){0};
    for (int j = 0; j < columns; j++) {
        const REAL *b = p->b + j * p->b_col;
        REAL *to = groups + j * length;
        int64_t left = j < n ? p->k : 0;
        for (; left >= length; left -= length, to += LANES) {
            if (p->b_row == 1) {
                memcpy(to, b, (size_t)length * sizeof(REAL));
            } else {
                UNROLL
                for (int l = 0; l < length; l++) to[l] = b[l * p->b_row];
            }
            b += length * p->b_row;
        }
        for (int64_t l = 0; l < left; l++) to[l] = b[l * p->b_row];
        for (; j >= n && to < groups + vectors * LANES; to += LANES)
            memset(to, 0, (size_t)length * sizeof(REAL));
    }
}

/* At most NARROW columns of one slice of k. */
static void NAME(narrow_slice)(int64_t m, int64_t n, const NAME(product) * p)
{
    _Alignas(64) REAL groups[(DEPTH + LANES) * NARROW];
    NAME(product) part = *p;
    if (n == 1 && (p->b_row == 1 || p->k == 1)) {
        NAME(narrow_1)(m, n, part);
        return;
    }
    part.b = groups;
    if (n == 1) {
        NAME(group_columns)(1, p, n, groups);
        NAME(narrow_1)(m, n, part);
#if NARROW >= 2
    } else if (n == 2) {
        NAME(group_columns)(2, p, n, groups);
        NAME(narrow_2)(m, n, part);
#endif
#if NARROW >= 4
    } else {
        NAME(group_columns)(4, p, n, groups);
        NAME(narrow_4)(m, n, part);
#endif
    }
}

#undef BLOCK
#undef EVEN
#undef ODD
#undef LOWER
#undef UPPER
#undef TURNED_2
#undef TURNED_4
#undef TWICE
