/* mixture_cdf.h - the modules of this plugin. */
#ifndef MIXTURE_CDF_MIXTURE_CDF_H
#define MIXTURE_CDF_MIXTURE_CDF_H

#include <weir/plugin.h>

#define COMPONENTS_MOST 64

extern const weir_module WEIR_NAME(gaussian_mixture_cdf_module);
extern const weir_module WEIR_NAME(logistic_mixture_cdf_module);
extern const weir_module WEIR_NAME(deep_sigmoidal_module);

/** Where component k of `count` starts: spread over [-1, 1], so that no two of them have the same gradient for ever. */
WEIR_INLINE double spread_start(int32_t k, int32_t count)
{
    return count > 1 ? 2.0 * k / (count - 1) - 1 : 0;
}

#endif
