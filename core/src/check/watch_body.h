/* watch_body.h - the watched calls of one precision; watch.c includes it twice, with NAME and INDEX. */

#define REAL(type) ((const type *)watched[INDEX].ops)

#define WATCHED(name, call_name, arguments, call)                                                            \
    static weir_status NAME(name) arguments                                                                  \
    {                                                                                                        \
        visit v;                                                                                             \
        enter(&v, WEIR__CALL_##call_name);                                                                   \
        const weir_status status = call;                                                                     \
        leave(&v);                                                                                           \
        return status;                                                                                       \
    }

WATCHED(create, create, (weir_builder * build, void **self), watched[INDEX].create(build, self))
WATCHED(prepare, prepare, (const void *self, weir_frame *frame), watched[INDEX].prepare(self, frame))
WATCHED(prepare_vjp, prepare_vjp, (const void *self, weir_frame *frame),
        watched[INDEX].prepare_vjp(self, frame))

static void NAME(destroy)(void *self)
{
    visit v;
    enter(&v, WEIR__CALL_destroy);
    watched[INDEX].destroy(self);
    leave(&v);
}

/* ---- layer ---- */

#define MAP_ARGUMENTS                                                                                        \
    (const void *self, weir_frame *frame, const weir_tile *a, const weir_tile *b, void *lane)
#define VJP_ARGUMENTS                                                                                        \
    (const void *self, weir_frame *frame, const weir_tile *a, const weir_tile *b, const weir_tile *bar,      \
     const void *lane_bar, const weir_tile *to)

WATCHED(forward, forward, MAP_ARGUMENTS, REAL(weir_layer_ops)->forward(self, frame, a, b, lane))
WATCHED(inverse, inverse, MAP_ARGUMENTS, REAL(weir_layer_ops)->inverse(self, frame, a, b, lane))
WATCHED(forward_vjp, forward_vjp, VJP_ARGUMENTS,
        REAL(weir_layer_ops)->forward_vjp(self, frame, a, b, bar, lane_bar, to))
WATCHED(inverse_vjp, inverse_vjp, VJP_ARGUMENTS,
        REAL(weir_layer_ops)->inverse_vjp(self, frame, a, b, bar, lane_bar, to))
WATCHED(observe, observe,
        (const void *self, weir_frame *frame, int32_t inverse, const weir_tile *tile, void *partial),
        REAL(weir_layer_ops)->observe(self, frame, inverse, tile, partial))
WATCHED(merge, merge, (const void *self, void *into, const void *from),
        REAL(weir_layer_ops)->merge(self, into, from))
WATCHED(observe_finish, observe_finish,
        (const void *self, weir_frame *frame, int32_t inverse, const void *total),
        REAL(weir_layer_ops)->observe_finish(self, frame, inverse, total))
WATCHED(observe_vjp, observe_vjp,
        (const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *z, const weir_tile *bar,
         const void *lane_bar, void *partial),
        REAL(weir_layer_ops)->observe_vjp(self, frame, x, z, bar, lane_bar, partial))
WATCHED(observe_vjp_finish, observe_vjp_finish, (const void *self, weir_frame *frame, const void *total),
        REAL(weir_layer_ops)->observe_vjp_finish(self, frame, total))
WATCHED(sample_points, sample_points,
        (const void *self, weir_frame *frame, uint32_t stream, const weir_tile *x),
        REAL(weir_layer_ops)->sample_points(self, frame, stream, x))

static int64_t NAME(observe_size)(const void *self)
{
    visit v;
    enter(&v, WEIR__CALL_observe_size);
    const int64_t size = REAL(weir_layer_ops)->observe_size(self);
    leave(&v);
    return size;
}

static void NAME(cover_layer)(weir_layer_ops *ops)
{
    COVER(forward);
    COVER(inverse);
    COVER(forward_vjp);
    COVER(inverse_vjp);
    COVER(observe_size);
    COVER(observe);
    COVER(merge);
    COVER(observe_finish);
    COVER(observe_vjp);
    COVER(observe_vjp_finish);
    COVER(sample_points);
}

/* ---- univariate ---- */

#define ELEMENT_ARGUMENTS                                                                                    \
    (const void *self, weir_frame *frame, const weir_tile *a, const weir_tile *params, const weir_tile *b,   \
     void *lane)
#define ELEMENT_VJP_ARGUMENTS                                                                                \
    (const void *self, weir_frame *frame, const weir_tile *a, const weir_tile *params, const weir_tile *b,   \
     const weir_tile *bar, const void *lane_bar, const weir_tile *to, const weir_tile *params_bar)

WATCHED(u_forward, forward, ELEMENT_ARGUMENTS,
        REAL(weir_univariate_ops)->forward(self, frame, a, params, b, lane))
WATCHED(u_inverse, inverse, ELEMENT_ARGUMENTS,
        REAL(weir_univariate_ops)->inverse(self, frame, a, params, b, lane))
WATCHED(u_forward_vjp, forward_vjp, ELEMENT_VJP_ARGUMENTS,
        REAL(weir_univariate_ops)->forward_vjp(self, frame, a, params, b, bar, lane_bar, to, params_bar))
WATCHED(u_inverse_vjp, inverse_vjp, ELEMENT_VJP_ARGUMENTS,
        REAL(weir_univariate_ops)->inverse_vjp(self, frame, a, params, b, bar, lane_bar, to, params_bar))

static void NAME(cover_univariate)(weir_univariate_ops *ops)
{
    COVER_AS(forward, u_forward);
    COVER_AS(inverse, u_inverse);
    COVER_AS(forward_vjp, u_forward_vjp);
    COVER_AS(inverse_vjp, u_inverse_vjp);
}

/* ---- network ---- */

WATCHED(n_forward, forward, (const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *y),
        REAL(weir_network_ops)->forward(self, frame, x, y))
WATCHED(n_vjp, vjp,
        (const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *y, const weir_tile *y_bar,
         const weir_tile *x_bar),
        REAL(weir_network_ops)->vjp(self, frame, x, y, y_bar, x_bar))
WATCHED(n_begin, begin,
        (const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *y, void **state),
        REAL(weir_network_ops)->begin(self, frame, x, y, state))
WATCHED(n_step, step,
        (const void *self, weir_frame *frame, void *state, int32_t d, const weir_tile *x, const weir_tile *y),
        REAL(weir_network_ops)->step(self, frame, state, d, x, y))
WATCHED(n_begin_vjp, begin_vjp,
        (const void *self, weir_frame *frame, const void *state, const weir_tile *x, const weir_tile *y,
         void **work),
        REAL(weir_network_ops)->begin_vjp(self, frame, state, x, y, work))
WATCHED(n_step_vjp, step_vjp,
        (const void *self, weir_frame *frame, const void *state, void *work, int32_t d, const weir_tile *x,
         const weir_tile *y, const weir_tile *y_bar, const weir_tile *x_bar),
        REAL(weir_network_ops)->step_vjp(self, frame, state, work, d, x, y, y_bar, x_bar))
WATCHED(n_end_vjp, end_vjp,
        (const void *self, weir_frame *frame, const void *state, void *work, const weir_tile *x,
         const weir_tile *y, const weir_tile *y_bar),
        REAL(weir_network_ops)->end_vjp(self, frame, state, work, x, y, y_bar))

static void NAME(cover_network)(weir_network_ops *ops)
{
    COVER_AS(forward, n_forward);
    COVER_AS(vjp, n_vjp);
    COVER_AS(begin, n_begin);
    COVER_AS(step, n_step);
    COVER_AS(begin_vjp, n_begin_vjp);
    COVER_AS(step_vjp, n_step_vjp);
    COVER_AS(end_vjp, n_end_vjp);
}

/* ---- density ---- */

WATCHED(d_log_density, log_density, (const void *self, weir_frame *frame, const weir_tile *z, void *log_p),
        REAL(weir_density_ops)->log_density(self, frame, z, log_p))
WATCHED(d_vjp, vjp,
        (const void *self, weir_frame *frame, const weir_tile *z, const void *bar, const weir_tile *z_bar),
        REAL(weir_density_ops)->vjp(self, frame, z, bar, z_bar))
WATCHED(d_sample, sample, (const void *self, weir_frame *frame, const weir_tile *z),
        REAL(weir_density_ops)->sample(self, frame, z))
WATCHED(d_sample_vjp, sample_vjp,
        (const void *self, weir_frame *frame, const weir_tile *z, const weir_tile *z_bar),
        REAL(weir_density_ops)->sample_vjp(self, frame, z, z_bar))

static void NAME(cover_density)(weir_density_ops *ops)
{
    COVER_AS(log_density, d_log_density);
    COVER_AS(vjp, d_vjp);
    COVER_AS(sample, d_sample);
    COVER_AS(sample_vjp, d_sample_vjp);
}

#undef REAL
#undef WATCHED
#undef MAP_ARGUMENTS
#undef VJP_ARGUMENTS
#undef ELEMENT_ARGUMENTS
#undef ELEMENT_VJP_ARGUMENTS
