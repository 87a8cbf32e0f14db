/* One test of each fate; only `passes` may be counted as a success. */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>

Test(fates, passes)
{
    cr_assert(1);
}

Test(fates, fails)
{
    cr_assert(0);
}

Test(fates, skips)
{
    cr_skip_test("on purpose");
}

Test(fates, crashes)
{
    abort();
}

Test(fates, hangs)
{
    for (volatile int i = 0; i >= 0;) i = 1;
}

Test(fates, leaks)
{
    void *volatile lost = malloc(10);
    lost = NULL;
    cr_assert_null(lost);
}

Test(fates, overflows)
{
    volatile int top = INT_MAX;
    top = top + 1;
    cr_assert(1);
}
