/* math.h - the host's mathematics: tables of vector functions and GEMM, chosen for this processor at run time. */
#ifndef WEIR__MATH_H
#define WEIR__MATH_H

#include <weir/frame.h>

/** The best table for this processor (SLEEF AVX-512, AVX2+FMA, SSE2 or NEON; our own products, BLIS for large ones). precision WEIR_F32 or WEIR_F64. */
const weir_math *weir__math(int32_t precision);
/** The plain C reference of the same (libm, triple loop): always there to compare with; also used when WEIR_MATH=plain
 *  is in the environment. */
const weir_math *weir__math_plain(int32_t precision);
/** "avx512", "avx2", "sse2", "neon" or "plain": what weir__math chose. */
const char *weir__math_name(void);

#endif
