/* gemm_finished.c - which kernel multiplies and finishes at once; the two passes one after the other elsewhere. */
#include "math/gemm_finished.h"

#include "math/activation.h"

/* The kernel behind a table, known by the table's own product: a table from elsewhere has none. */
typedef WEIR__GEMM_FINISHED((*kernel));

static kernel kernel_of(const weir_math *math)
{
#if WEIR__X86_64 || WEIR__AARCH64
    static const struct {
        WEIR__GEMM((*plain));
        kernel finished;
    } list[] = {
#if WEIR__X86_64
        {weir__gemm_avx512_f32, weir__gemm_finished_avx512_f32},
        {weir__gemm_avx512_f64, weir__gemm_finished_avx512_f64},
        {weir__gemm_avx2_f32, weir__gemm_finished_avx2_f32},
        {weir__gemm_avx2_f64, weir__gemm_finished_avx2_f64},
        {weir__gemm_sse2_f32, weir__gemm_finished_sse2_f32},
        {weir__gemm_sse2_f64, weir__gemm_finished_sse2_f64},
#else
        {weir__gemm_neon_f32, weir__gemm_finished_neon_f32},
        {weir__gemm_neon_f64, weir__gemm_finished_neon_f64},
#endif
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        if (math->gemm == list[i].plain) return list[i].finished;
    }
#endif
    (void)math;
    return NULL;
}

int weir__gemm_takes(int32_t activation)
{
    return activation == WEIR_ACTIVATION_NONE || activation == WEIR_ACTIVATION_RELU ||
           activation == WEIR_ACTIVATION_LEAKY_RELU;
}

void weir__gemm_finish(const weir_math *math, int64_t m, int64_t n, int64_t k, const void *a, int64_t a_row,
                       const void *b, int64_t b_row, double beta, void *c, int64_t c_row,
                       const weir__finish *finish)
{
    const int nothing = !finish->bias && finish->activation == WEIR_ACTIVATION_NONE;
    const kernel fused = !nothing && weir__gemm_takes(finish->activation) ? kernel_of(math) : NULL;
    if (fused) {
        if (fused(m, n, k, 1.0, a, a_row, 1, b, b_row, 1, beta, c, c_row, 1, finish)) return;
    } else {
        math->gemm(m, n, k, 1.0, a, a_row, 1, b, b_row, 1, beta, c, c_row, 1);
    }
    if (!nothing) weir__activate(math, finish->activation, m, n, finish->bias, c, c_row);
}
