/* plain.c - the reference tables: the C library's functions one by one, and a triple loop. */
#include "math/tables.h"

#include <math.h>

#define REAL         float
#define LIBM(g)      g##f
#define WIDE         double
#define WIDE_LIBM(g) g
#define NAME(f)      f##_f32
#define PRECISION    WEIR_F32
#include "math/plain_body.h"
#undef REAL
#undef LIBM
#undef WIDE
#undef WIDE_LIBM
#undef NAME
#undef PRECISION

#define REAL         double
#define LIBM(g)      g
#define WIDE         long double
#define WIDE_LIBM(g) g##l
#define NAME(f)      f##_f64
#define PRECISION    WEIR_F64
#include "math/plain_body.h"
