// @ID@ - the line with one slope on the left and another on the right, joined smoothly: a bend.
#include <weir/formula.h>

#include <cmath>

namespace
{

constexpr char doc[] =
    "y = x + t sqrt(1 + x^2) + b with t = 0.9 tanh(s): the slope is 1 - t far to the left and 1 + t far to the right.\n"
    "Parameters per element: s, b; 0, 0 is the identity. log|dy/dx| = log(1 + t x / sqrt(1 + x^2)).\n"
    "Inverse, with u = y - b: x = (u - t sqrt(u^2 + 1 - t^2)) / (1 - t^2).\n"
    "Rows whose answer overflows are discarded.";

constexpr double bend_identity[] = {0, 0};

// Nothing may be thrown across the border: what the host calls is noexcept, and so an exception in here would end the
// process. Catch it and leave at->y a NaN: the row is then discarded.
void bend_formula(weir_real x, const weir_real *p, weir_formula *at) noexcept
{
    const weir_real bounded = std::tanh(p[0]), t = WEIR_C(0.9) * bounded;
    const weir_real t_by_s = WEIR_C(0.9) * (1 - bounded * bounded);
    const weir_real root = std::sqrt(1 + x * x), lean = x / root;

    at->y = x + t * root + p[1];
    at->slope = 1 + t * lean;
    at->curve = t / (root * root * root);
    at->y_by[0] = root * t_by_s;
    at->y_by[1] = 1;
    at->slope_by[0] = lean * t_by_s;
}

weir_real bend_solve(weir_real y, const weir_real *p) noexcept
{
    const weir_real t = WEIR_C(0.9) * std::tanh(p[0]), c = 1 - t * t, u = y - p[1];
    return (u - t * std::sqrt(u * u + c)) / c;
}

WEIR_FORMULA_SOLVED(bend, .id = "@ID@", .version = "1.0.0", .summary = "two slopes, joined smoothly",
                    .doc = doc)

} // namespace

WEIR_PLUGIN(&bend_module);
