/* optimizer.c - Adam (Kingma & Ba 2015), AdamW (Loshchilov & Hutter 2019), SGD with momentum.
 *
 *  Adam:  m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,
 *         p -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
 *  AdamW: the same, and p -= lr decay p;  Adam and SGD with decay: g += decay p.
 *  SGD:   m = momentum m + g,  p -= lr m  (Nesterov: p -= lr (g + momentum m)). */
#include "train/trainer.h"

#include <math.h>

typedef struct update {
    weir_trainer *trainer;
    double rate, factor;
    double correct1, correct2; /* 1 / (1 - beta^t) */
} update;

#define DEFINE_UPDATES(suffix, real, root)                                                                   \
    static void adam_##suffix(const update *u, real *restrict p, const real *restrict g, real *restrict m,   \
                              real *restrict v, int64_t n, double decay)                                     \
    {                                                                                                        \
        const weir_trainer *const t = u->trainer;                                                            \
        const int decoupled = t->optimizer == WEIR__ADAMW;                                                   \
        const real b1 = (real)t->beta1, b2 = (real)t->beta2, factor = (real)u->factor;                       \
        const real added = (real)(decoupled ? 0 : decay),                                                    \
                   kept = (real)(decoupled ? 1 - u->rate * decay : 1);                                       \
        const real rate = (real)(u->rate * u->correct1), epsilon = (real)t->epsilon;                         \
        const real scale2 = (real)u->correct2;                                                               \
        for (int64_t i = 0; i < n; i++) {                                                                    \
            const real gradient = g[i] * factor + added * p[i];                                              \
            m[i] = b1 * m[i] + (1 - b1) * gradient;                                                          \
            v[i] = b2 * v[i] + (1 - b2) * gradient * gradient;                                               \
            p[i] = kept * p[i] - rate * m[i] / (root(v[i] * scale2) + epsilon);                              \
        }                                                                                                    \
    }                                                                                                        \
    static void sgd_##suffix(const update *u, real *restrict p, const real *restrict g, real *restrict m,    \
                             int64_t n, double decay)                                                        \
    {                                                                                                        \
        const real factor = (real)u->factor, added = (real)decay, momentum = (real)u->trainer->momentum;     \
        const real rate = (real)u->rate, ahead = u->trainer->nesterov ? momentum : 1;                        \
        const real direct = u->trainer->nesterov ? 1 : 0;                                                    \
        for (int64_t i = 0; i < n; i++) {                                                                    \
            const real gradient = g[i] * factor + added * p[i];                                              \
            m[i] = momentum * m[i] + gradient;                                                               \
            p[i] -= rate * (ahead * m[i] + direct * gradient);                                               \
        }                                                                                                    \
    }                                                                                                        \
    static void apply_##suffix(const update *u, const weir__segment *s, const weir__tensor *tensor)          \
    {                                                                                                        \
        weir_trainer *const t = u->trainer;                                                                  \
        real *const p = (real *)t->model->net.table[s->handle] + s->first;                                   \
        const real *const g = (const real *)t->lanes[0].table[s->handle] + s->first;                         \
        real *const m = (real *)(void *)(t->moment1 + tensor->offset) + s->first;                            \
        real *const v = (real *)(void *)(t->moment2 + tensor->offset) + s->first;                            \
        const double decay = tensor->flags & WEIR_TENSOR_NO_DECAY ? 0 : t->weight_decay;                     \
        if (t->optimizer == WEIR__SGD)                                                                       \
            sgd_##suffix(u, p, g, m, s->count, decay);                                                       \
        else                                                                                                 \
            adam_##suffix(u, p, g, m, v, s->count, decay);                                                   \
    }

DEFINE_UPDATES(f32, float, sqrtf)
DEFINE_UPDATES(f64, double, sqrt)

static void update_segment(void *user, int64_t index, int32_t thread)
{
    (void)thread;
    const update *const u = user;
    const weir__net *const net = &u->trainer->model->net;
    const weir__segment *const s = &u->trainer->segments[index];
    const weir__tensor *const tensor = &net->tensors[s->handle];
    if (net->precision == WEIR_F32)
        apply_f32(u, s, tensor);
    else
        apply_f64(u, s, tensor);
}

void weir__optimize(weir_trainer *t, double learning_rate, double factor)
{
    t->steps++;
    update u = {.trainer = t, .rate = learning_rate, .factor = factor};
    u.correct1 = 1 / (1 - pow(t->beta1, (double)t->steps));
    u.correct2 = 1 / (1 - pow(t->beta2, (double)t->steps));
    weir__pool_run(t->model->runtime->pool, t->segment_count, update_segment, &u, NULL, NULL);
    t->model->net.version++;
}
