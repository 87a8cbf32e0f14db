/* stretch.h - the global scale and shift of every feature, u = v * h + t with v > 0. */
#ifndef COUPLING_STRETCH_H
#define COUPLING_STRETCH_H

#include <weir/plugin.h>

typedef struct stretch {
    int32_t features;
    int scaled; /* 0: v = 1, and there is no parameter for it */
    int exponential;
    weir_handle scale, shift;        /* parameters [D] */
    weir_handle factors, log_volume; /* derived [D], [1] */
} stretch;

/** Reads the option `scale` of COUPLING_STRETCH_OPTION. */
weir_status WEIR_NAME(stretch_declare)(weir_builder *build, stretch *self, int scaled);
weir_status WEIR_NAME(stretch_prepare)(const stretch *self, weir_frame *frame);
void WEIR_NAME(stretch_prepare_vjp)(const stretch *self, const weir_frame *frame);

/** u = v * h + t, and back. */
void WEIR_NAME(stretch_forward)(const stretch *self, const weir_frame *frame, const weir_tile *h,
                                const weir_tile *u, weir_real *log_det);
void WEIR_NAME(stretch_inverse)(const stretch *self, const weir_frame *frame, const weir_tile *u,
                                const weir_tile *h, weir_real *log_det);
/** h_bar from u_bar, and the gradients. */
void WEIR_NAME(stretch_forward_vjp)(const stretch *self, const weir_frame *frame, const weir_tile *h,
                                    const weir_tile *u_bar, const weir_real *log_det_bar,
                                    const weir_tile *h_bar);
/** u_bar from h_bar, and the gradients. */
void WEIR_NAME(stretch_inverse_vjp)(const stretch *self, const weir_frame *frame, const weir_tile *h,
                                    const weir_tile *h_bar, const weir_real *log_det_bar,
                                    const weir_tile *u_bar);

#define COUPLING_STRETCH_OPTION                                                                              \
    {                                                                                                        \
        .struct_size = (uint32_t)sizeof(weir_option), .type = WEIR_STRING, .name = "scale",                  \
        .default_json = "\"softplus\"", .choices = "softplus|exp",                                           \
        .summary = "what makes the global scale positive"                                                    \
    }

#endif
