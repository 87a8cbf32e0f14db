/* function.h - one function of a library: found by its symbol, called by its signature. */
#ifndef FOREIGN_FUNCTION_H
#define FOREIGN_FUNCTION_H

#include <weir/plugin.h>

#include <ffi.h>

#define FOREIGN_ARGUMENTS 6

/** "d(di)": what it gives, and what it takes: d double, f float, i int, l long. */
typedef struct foreign_function {
    char symbol[128], library[300];
    char gives, takes[FOREIGN_ARGUMENTS + 1];
    int32_t count;                       /* of arguments; 0: there is no such function */
    int32_t place;                       /* which of them is x */
    double constants[FOREIGN_ARGUMENTS]; /* the others */
    void (*address)(void);
    void *handle; /* of the library */
    ffi_cif cif;  /* points into types: a function stays where it is once it is open */
    ffi_type *types[FOREIGN_ARGUMENTS];
} foreign_function;

/** Reads the signature; 0, with a line in `why`, when it is none or its constants do not suit it. */
int WEIR_NAME(foreign_signature)(foreign_function *function, const char *text, char *why, size_t room);
/** Opens the library, a bare name as the dynamic loader seeks it, an absolute path, or ./NAME beside the file `beside`, and
 *  finds the symbol. Rounding and the other settings of floating-point arithmetic are what they were after. */
int WEIR_NAME(foreign_open)(foreign_function *function, const char *beside, char *why, size_t room);
void WEIR_NAME(foreign_close)(foreign_function *function);

/** y[i] = f(x[i]); errno and floating-point settings stay as they are. */
void WEIR_NAME(foreign_evaluate)(const foreign_function *function, int32_t n, const double *x, double *y);

#endif
