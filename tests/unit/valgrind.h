/* valgrind.h - what the emulated processor of valgrind is not asked to prove.
 *
 * SPDX-License-Identifier: MIT
 *
 * It computes long double in 64 bits, keeps no flush-to-zero, replaces the allocator and is fifty times slower. scripts/test.sh
 * sets the variable.
 */
#ifndef VALGRIND_H
#define VALGRIND_H

#include <criterion/criterion.h>
#include <stdlib.h>

static inline int under_valgrind(void)
{
    return getenv("WEIR_TEST_VALGRIND") != NULL;
}

/** Ends the test, as skipped, under valgrind; `what` says what valgrind does otherwise. */
#define SKIP_UNDER_VALGRIND(what)                                                                            \
    do {                                                                                                     \
        if (under_valgrind()) cr_skip_test("valgrind " what);                                                \
    } while (0)

#endif
