/* products.c - the NEON kernels beside the triple loop, over random shapes and layouts; command.neon runs it on an emulated Arm
 * processor. The large products that go to BLIS elsewhere are the triple loop's here.
 *
 * SPDX-License-Identifier: MIT
 */
#include "math/activation.h"
#include "math/gemm_finished.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SPACE 70000

WEIR__GEMM(weir__gemm_blis_f32)
{
    weir__gemm_plain_f32(m, n, k, alpha, a, a_row, a_col, b, b_row, b_col, beta, c, c_row, c_col);
}

WEIR__GEMM(weir__gemm_blis_f64)
{
    weir__gemm_plain_f64(m, n, k, alpha, a, a_row, a_col, b, b_row, b_col, beta, c, c_row, c_col);
}

static double a[SPACE], b[SPACE], c[SPACE], want[SPACE], bias[512];
static uint64_t state = UINT64_C(0x8f14e45fceea167a);

static int64_t below(int64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (int64_t)(state % (uint64_t)n);
}

static void fill(int single, double *array, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const double value = (double)(below(2001) - 1000) / 512;
        if (single) {
            ((float *)array)[i] = (float)value;
        } else {
            array[i] = value;
        }
    }
}

static double at(int single, const double *array, int64_t i)
{
    return single ? (double)((const float *)array)[i] : array[i];
}

typedef struct shape {
    int64_t m, n, k, a_row, a_col, b_row, b_col, c_row;
    double beta;
} shape;

static shape some_shape(void)
{
    shape s = {.m = 1 + below(60), .n = 1 + below(70), .k = 1 + below(300), .beta = (double)below(2)};
    if (below(4) == 0) s.n = 1 + below(4);
    const int turned_a = below(3) == 0, turned_b = below(3) == 0;
    s.a_row = turned_a ? 1 : s.k + below(5);
    s.a_col = turned_a ? s.m + below(5) : 1;
    s.b_row = turned_b ? 1 : s.n + below(5);
    s.b_col = turned_b ? s.k + below(5) : 1;
    s.c_row = s.n + below(5);
    return s;
}

/* The same, finished by hand; 0 when a number is further off than its sum of magnitudes allows, or when C is touched elsewhere. */
static int right(int single, const shape *s, int32_t activation, int finished)
{
    const double eps = single ? 0x1p-23 : 0x1p-52;
    for (int64_t i = 0; i < s->m; i++) {
        for (int64_t j = 0; j < s->c_row; j++) {
            double w = at(single, want, i * s->c_row + j);
            if (j < s->n && finished) w += at(single, bias, i);
            if (j < s->n && finished && activation == WEIR_ACTIVATION_RELU && w < 0) w = 0;
            if (j < s->n && finished && activation == WEIR_ACTIVATION_LEAKY_RELU && w < 0)
                w *= WEIR__LEAKY_SLOPE;
            const double off = fabs(at(single, c, i * s->c_row + j) - w);
            if (!(off <= (j < s->n ? eps * (8 * (double)s->k + 16) : 0))) return 0;
        }
    }
    return 1;
}

static int one(int single, WEIR__GEMM_FINISHED((*kernel)), WEIR__GEMM((*plain)))
{
    const shape s = some_shape();
    const int32_t activation = (int32_t)below(3); /* none, relu, leaky_relu */
    const weir__finish finish = {.bias = bias, .activation = activation};
    fill(single, a, SPACE);
    fill(single, b, SPACE);
    fill(single, c, SPACE);
    fill(single, bias, 512);
    memcpy(want, c, sizeof c);
    plain(s.m, s.n, s.k, 1, a, s.a_row, s.a_col, b, s.b_row, s.b_col, s.beta, want, s.c_row, 1);
    const int done =
        kernel(s.m, s.n, s.k, 1, a, s.a_row, s.a_col, b, s.b_row, s.b_col, s.beta, c, s.c_row, 1, &finish);
    if (right(single, &s, activation, done)) return done ? 1 : 2;
    printf("f%d: %d x %d x %d, A by %d and %d, B by %d and %d, beta %g: wrong\n", single ? 32 : 64, (int)s.m,
           (int)s.n, (int)s.k, (int)s.a_row, (int)s.a_col, (int)s.b_row, (int)s.b_col, s.beta);
    return 0;
}

int main(void)
{
    int ways[3] = {0};
    for (int i = 0; i < 400; i++) {
        ways[one(1, weir__gemm_finished_neon_f32, weir__gemm_plain_f32)]++;
        ways[one(0, weir__gemm_finished_neon_f64, weir__gemm_plain_f64)]++;
    }
    printf("%d finished, %d not, %d wrong\n", ways[1], ways[2], ways[0]);
    return ways[0] || ways[1] < 400;
}
