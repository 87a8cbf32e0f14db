/* location_scale.h - densities of independent features z = m + s e, with e from one standard density.
 *
 * A family is that standard density, lane by lane; the tiles, the location m, the scale s and their gradients are here.
 */
#ifndef LOCATION_SCALE_H
#define LOCATION_SCALE_H

#include <weir/plugin.h>

typedef struct location_scale location_scale;

/** One standard density q on the line, for lanes of frame->width elements. A call may take scratch; it fails only when
 *  there is none. */
typedef struct family {
    /** l[i] = log q(e[i]) of feature f; where `score` is not NULL, score[i] = d log q / de. */
    weir_status (*evaluate)(const location_scale *self, weir_frame *frame, int32_t f, const weir_real *e,
                            weir_real *l, weir_real *score);
    /** e[i] ~ q, of feature f. */
    weir_status (*draw)(const location_scale *self, weir_frame *frame, int32_t f, weir_real *e);
} family;

struct location_scale {
    int32_t features;
    uint32_t stream;
    const family *family;
    weir_handle location, log_scale; /* [features]: parameters, or buffers when they are fixed */
    double *shape;                   /* [features] a number of the family's own, or NULL */
};

#define LOCATION_SCALE_OPTIONS                                                                               \
    {.struct_size = (uint32_t)sizeof(weir_option),                                                           \
     .type = WEIR_NUMBERS,                                                                                   \
     .name = "location",                                                                                     \
     .default_json = "[0]",                                                                                  \
     .minimum = -1e30,                                                                                       \
     .maximum = 1e30,                                                                                        \
     .summary = "centre: one number for all features, or one for each"},                                     \
        {.struct_size = (uint32_t)sizeof(weir_option),                                                       \
         .type = WEIR_NUMBERS,                                                                               \
         .name = "scale",                                                                                    \
         .default_json = "[1]",                                                                              \
         .minimum = 1e-30,                                                                                   \
         .maximum = 1e30,                                                                                    \
         .summary = "width, in units of z: one number for all features, or one for each"},                   \
    {                                                                                                        \
        .struct_size = (uint32_t)sizeof(weir_option), .type = WEIR_BOOLEAN, .name = "trainable",             \
        .default_json = "false", .summary = "learn location and log-scale per feature, from these values"    \
    }

#define LOCATION_SCALE_DOC                                                                                     \
    "Tensors location [D] = m and log_scale [D] = log s: parameters if `trainable`, else fixed. Samples are\n" \
    "z = m + s e, so gradients reach m and s through them too. Cost: O(D) a row, both ways.\n"                 \
    "Rows whose log-density is not finite (NaN, infinities) are discarded.\n"

/** *self becomes a location_scale. */
weir_status WEIR_NAME(location_scale_create)(weir_builder *build, const family *of, void **self);
void WEIR_NAME(location_scale_destroy)(void *self);
extern const weir_density_ops WEIR_NAME(location_scale_ops);

#endif
