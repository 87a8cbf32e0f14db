/* weir/explicit.h - writes the calls of a layer whose formula g goes one way, and that the user may point either way.
 *
 * SPDX-License-Identifier: MIT
 *
 * Several layers of the literature have a formula in one direction only, and which direction that should be depends on
 * the use: explicit = forward evaluates densities of given data quickly, explicit = inverse samples quickly, as
 * variational inference wants. The author writes three functions over a struct NAME that has an int member `inverted`
 * (0: forward is g, 1: inverse is g), and says WEIR_EXPLICIT_LAYER(NAME) to get NAME_ops, a weir_layer_ops:
 *
 *   static weir_status NAME_run(const NAME *self, weir_frame *frame, const weir_tile *s, const weir_tile *y,
 *                               weir_real *log_det)
 *              y = g(s); adds log |det dy/ds| unless log_det is NULL
 *   static weir_status NAME_solve(const NAME *self, weir_frame *frame, const weir_tile *y, const weir_tile *s,
 *                                 weir_real *log_det)
 *              s with g(s) = y; adds log |det ds/dy|
 *   static weir_status NAME_pull(const NAME *self, weir_frame *frame, const weir_tile *s, const weir_tile *out_bar,
 *                                const weir_real *log_det_bar, const weir_tile *in_bar, int solved)
 *              the VJP of NAME_run at s (solved = 0), or of NAME_solve at its output s (solved = 1); in_bar may be NULL
 *
 * Both VJPs start from s, the side on which g is known, so neither needs the tape.
 */
#ifndef WEIR_EXPLICIT_H
#define WEIR_EXPLICIT_H

#include <weir/plugin.h>

/** The option that such a layer offers; read it with weir_explicit_inverted. */
#define WEIR_EXPLICIT_OPTION                                                                                 \
    {                                                                                                        \
        .struct_size = (uint32_t)sizeof(weir_option), .type = WEIR_STRING, .name = "explicit",               \
        .default_json = "\"forward\"", .choices = "forward|inverse",                                         \
        .summary = "the direction that the formula gives: inverse for sampling and variational use"          \
    }

/** What `inverted` is to hold; 0 when the option cannot be read (the builder then knows why). */
WEIR_INLINE int weir_explicit_inverted(weir_builder *build)
{
    const char *const direction = build->string(build, "explicit");
    return direction && strcmp(direction, "inverse") == 0;
}

#define WEIR_EXPLICIT_LAYER(name)                                                                            \
    static weir_status name##_forward(const void *module, weir_frame *frame, const weir_tile *x,             \
                                      const weir_tile *z, void *log_det) WEIR_NOEXCEPT                       \
    {                                                                                                        \
        const name *const self = (const name *)module;                                                       \
        return (self->inverted ? name##_solve : name##_run)(self, frame, x, z, (weir_real *)log_det);        \
    }                                                                                                        \
    static weir_status name##_inverse(const void *module, weir_frame *frame, const weir_tile *z,             \
                                      const weir_tile *x, void *log_det) WEIR_NOEXCEPT                       \
    {                                                                                                        \
        const name *const self = (const name *)module;                                                       \
        return (self->inverted ? name##_run : name##_solve)(self, frame, z, x, (weir_real *)log_det);        \
    }                                                                                                        \
    static weir_status name##_forward_vjp(const void *module, weir_frame *frame, const weir_tile *x,         \
                                          const weir_tile *z, const weir_tile *z_bar,                        \
                                          const void *log_det_bar, const weir_tile *x_bar) WEIR_NOEXCEPT     \
    {                                                                                                        \
        const name *const self = (const name *)module;                                                       \
        return name##_pull(self, frame, self->inverted ? z : x, z_bar, (const weir_real *)log_det_bar,       \
                           x_bar, self->inverted);                                                           \
    }                                                                                                        \
    static weir_status name##_inverse_vjp(const void *module, weir_frame *frame, const weir_tile *z,         \
                                          const weir_tile *x, const weir_tile *x_bar,                        \
                                          const void *log_det_bar, const weir_tile *z_bar) WEIR_NOEXCEPT     \
    {                                                                                                        \
        const name *const self = (const name *)module;                                                       \
        return name##_pull(self, frame, self->inverted ? z : x, x_bar, (const weir_real *)log_det_bar,       \
                           z_bar, !self->inverted);                                                          \
    }                                                                                                        \
    static const weir_layer_ops name##_ops = {                                                               \
        .struct_size = (uint32_t)sizeof(weir_layer_ops),                                                     \
        .forward = name##_forward,                                                                           \
        .inverse = name##_inverse,                                                                           \
        .forward_vjp = name##_forward_vjp,                                                                   \
        .inverse_vjp = name##_inverse_vjp,                                                                   \
    }

#endif
