/* test_rows.c - every way to hand over rows, and what is said about wrong ones.
 *
 * SPDX-License-Identifier: MIT
 */
#include "models.h"

TestSuite(rows);

static void expect(weir_status status, const char *wanted)
{
    cr_assert_eq(status, WEIR_INVALID);
    cr_assert_str_eq(error.message, wanted);
}

Test(rows, wrong_matrices_are_refused)
{
    weir_runtime *const rt = open_weir(1);
    weir_model *const m = must_build(rt, MODEL("f64", 4, 3, COUPLING("half", "affine"))),
                      *const free_of = must_build(rt, MODEL("f64", 4, 0, REVERSE));
    weir_matrix x = some_data(10, 4, 2), c = some_data(9, 3, 2), z = room(10, 4);
    weir_call call = seeded(0, &c);
    double p[10];
    expect(weir_log_prob(m, &x, NULL, p, &error), "the model needs a context of 3 columns");
    expect(weir_log_prob(m, &x, &call, p, &error), "context has 9 rows, the data 10");
    expect(weir_model_initialize(m, &x, &call, 0, &error), "context has 9 rows, the data 10");
    expect(weir_log_prob(free_of, &x, &call, p, &error), "context given, but the model takes none");
    x.columns = 3;
    expect(weir_log_prob(free_of, &x, NULL, p, &error), "data: 3 columns, the model has 4");
    x.columns = 4;
    x.row_stride = 3;
    expect(weir_log_prob(free_of, &x, NULL, p, &error), "data: 10 rows with a row stride of 3 make no sense");
    x.row_stride = 0;
    x.dtype = 99;
    expect(weir_log_prob(free_of, &x, NULL, p, &error), "data: dtype 99 is not known");
    x.dtype = WEIR_DTYPE_F64;
    z.dtype = WEIR_DTYPE_I32;
    expect(weir_forward(free_of, &x, NULL, &z, NULL, &error),
           "latent: results are written as f32 or f64 only");
    z.dtype = WEIR_DTYPE_F64;
    z.rows = 9;
    expect(weir_forward(free_of, &x, NULL, &z, NULL, &error), "10 rows in, room for 9 rows out");
    z.data = NULL;
    expect(weir_sample(free_of, NULL, &z, NULL, &error), "samples: no data given");
    expect(weir_log_prob(free_of, NULL, NULL, p, &error), "data: no data given");
    weir_model_close(m);
    weir_model_close(free_of);
    weir_close(rt);
}

Test(rows, no_rows_are_no_error)
{
    weir_runtime *const rt = open_weir(2);
    weir_model *const m = must_build(rt, MODEL("f32", 4, 0, MIXED));
    const weir_matrix none = {.struct_size = (uint32_t)sizeof none, .dtype = WEIR_DTYPE_F64, .columns = 4};
    weir_call call = seeded(0, NULL);
    call.discarded = 5;
    MUST(weir_log_prob(m, &none, &call, NULL, &error));
    MUST(weir_forward(m, &none, NULL, &none, NULL, &error));
    MUST(weir_sample(m, NULL, &none, NULL, &error));
    MUST(weir_score(m, &none, NULL, &none, NULL, &error));
    cr_assert_eq(call.discarded, 0);
    cr_assert_eq(weir_model_initialize(m, &none, NULL, 0, &error), WEIR_INVALID);
    weir_model_close(m);
    weir_close(rt);
}

/* ---- how rows lie in memory ------------------------------------------------------------------------------------------ */

#define FILL(type)                                                                                           \
    for (int i = 0; i < 80; i++)                                                                             \
        for (int j = 0; j < 4; j++) ((type *)raw)[7 * i + j] = (type)((double *)x.data)[4 * i + j];          \
    break

Test(rows, every_dtype_and_stride_gives_the_same_result)
{
    weir_runtime *const rt = open_weir(2);
    weir_model *const m =
        must_build(rt, MODEL("f64", 4, 0, COUPLING("half", "affine") ",{\"type\":\"lu_linear\"}"));
    shake(m, 0.2);
    const weir_matrix x = room(80, 4);
    /* The least and the most of every dtype, as far as a double counts without gaps. */
    static const double ends[][2] = {
        [WEIR_DTYPE_F32] = {-0x1p20, 0x1p20}, [WEIR_DTYPE_F64] = {-0x1p20, 0x1p20},
        [WEIR_DTYPE_U8] = {0, UINT8_MAX},     [WEIR_DTYPE_I32] = {INT32_MIN, INT32_MAX},
        [WEIR_DTYPE_I64] = {-0x1p53, 0x1p53}, [WEIR_DTYPE_I8] = {INT8_MIN, INT8_MAX},
        [WEIR_DTYPE_U16] = {0, UINT16_MAX},   [WEIR_DTYPE_I16] = {INT16_MIN, INT16_MAX},
        [WEIR_DTYPE_U32] = {0, UINT32_MAX},   [WEIR_DTYPE_BOOL] = {0, 1},
    };
    double wanted[80], got[80];
    static int64_t raw[80 * 7];
    for (int32_t dtype = WEIR_DTYPE_F32; dtype <= WEIR_DTYPE_BOOL; dtype++) {
        for (int i = 0; i < 320; i++)
            ((double *)x.data)[i] =
                floor(ends[dtype][0] + (i * 37 % 101) / 100.0 * (ends[dtype][1] - ends[dtype][0]));
        memset(raw, 0x7f, sizeof raw);
        switch (dtype) {
        case WEIR_DTYPE_F32:
            FILL(float);
        case WEIR_DTYPE_F64:
            FILL(double);
        case WEIR_DTYPE_I8:
            FILL(int8_t);
        case WEIR_DTYPE_U16:
            FILL(uint16_t);
        case WEIR_DTYPE_I16:
            FILL(int16_t);
        case WEIR_DTYPE_U32:
            FILL(uint32_t);
        case WEIR_DTYPE_I32:
            FILL(int32_t);
        case WEIR_DTYPE_I64:
            FILL(int64_t);
        default:
            FILL(uint8_t);
        }
        const weir_matrix same = {.struct_size = (uint32_t)sizeof same,
                                  .dtype = dtype,
                                  .rows = 80,
                                  .columns = 4,
                                  .row_stride = 7,
                                  .data = raw};
        MUST(weir_log_prob(m, &x, NULL, wanted, &error));
        MUST(weir_log_prob(m, &same, NULL, got, &error));
        cr_assert_arr_eq(wanted, got, sizeof wanted, "dtype %d", (int)dtype);
        for (int i = 0; i < 80; i++) cr_assert(isfinite(got[i]));
    }
    weir_model_close(m);
    weir_close(rt);
}

Test(rows, results_keep_to_their_columns)
{
    weir_runtime *const rt = open_weir(2);
    weir_model *const m = must_build(rt, MODEL("f32", 4, 0, MIXED));
    const weir_matrix x = some_data(80, 4, 2), z = room(80, 4);
    static float wide[80 * 7];
    for (int i = 0; i < 560; i++) wide[i] = -77;
    const weir_matrix narrow = {.struct_size = (uint32_t)sizeof narrow,
                                .dtype = WEIR_DTYPE_F32,
                                .rows = 80,
                                .columns = 4,
                                .row_stride = 7,
                                .data = wide};
    MUST(weir_forward(m, &x, NULL, &z, NULL, &error));
    MUST(weir_forward(m, &x, NULL, &narrow, NULL, &error));
    for (int i = 0; i < 560; i++)
        cr_assert_eq((double)wide[i], i % 7 < 4 ? ((double *)z.data)[i / 7 * 4 + i % 7] : -77);
    weir_model_close(m);
    weir_close(rt);
}
