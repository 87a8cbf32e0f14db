/* mass.h - the probability that a standard normal gives to an interval, in double, however far out. */
#ifndef MASS_H
#define MASS_H

#include <weir/plugin.h>

/** Of [from, to], from < to, ends may be infinite: mass = phi(reference) * exp(log_rest), phi the normal density and
 *  reference the point of the interval that is nearest to 0. */
typedef struct mass {
    double reference, log_rest;
} mass;

mass WEIR_NAME(mass_of)(double from, double to);

/** log of the ratio of two masses. */
WEIR_INLINE double mass_log_ratio(const mass *part, const mass *whole)
{
    const double apart = (whole->reference - part->reference) * (whole->reference + part->reference) / 2;
    return apart + part->log_rest - whole->log_rest;
}

/** phi(e) / mass. */
WEIR_INLINE double mass_density(const mass *whole, double e)
{
    return exp((whole->reference - e) * (whole->reference + e) / 2 - whole->log_rest);
}

#endif
