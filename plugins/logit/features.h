/* features.h - a layer of one interval for each feature: what the modules of this plugin are made of. */
#ifndef LOGIT_FEATURES_H
#define LOGIT_FEATURES_H

#include "interval.h"

#define features_ops  WEIR_NAME(logit_features_ops)
#define features_make WEIR_NAME(logit_features_make)

/** JSON has no infinity: beyond this an end counts as none. */
#define NO_END 1e30

extern const weir_layer_ops features_ops;

/** Makes the instance (freed by free) from lower[features] and upper[features], with domains stated. */
weir_status features_make(weir_builder *build, const double *lower, const double *upper, double alpha,
                          int32_t soft, void **module);

extern const weir_module WEIR_NAME(bounded_module);
extern const weir_module WEIR_NAME(positive_module);

#endif
