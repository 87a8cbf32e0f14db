/* optimizer.c - Adam (Kingma & Ba 2015), AdamW (Loshchilov & Hutter 2019), SGD with momentum.
 *
 *  Adam:  m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,
 *         p -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
 *  AdamW: the same, and p -= lr decay p;  Adam and SGD with decay: g += decay p.
 *  SGD:   m = momentum m + g,  p -= lr m  (Nesterov: p -= lr (g + momentum m)). */
#include "train/arena.h"
#include "train/trainer.h"

#include <math.h>

typedef struct update {
    weir_trainer *trainer;
    const weir__arena *passes;
    /* Without decay, and what decay makes of them. */
    weir__adam_rule adam[2];
    weir__sgd_rule sgd[2];
} update;

static void set_adam(const weir_trainer *t, double learning_rate, double factor, weir__adam_rule *rules)
{
    const int decoupled = t->optimizer == WEIR__ADAMW;
    rules[0] = (weir__adam_rule){.factor = factor,
                                 .kept = 1,
                                 .beta1 = t->beta1,
                                 .beta2 = t->beta2,
                                 .rate = learning_rate * (1 / (1 - pow(t->beta1, (double)t->steps))),
                                 .scale2 = 1 / (1 - pow(t->beta2, (double)t->steps)),
                                 .epsilon = t->epsilon};
    rules[1] = rules[0];
    if (decoupled)
        rules[1].kept = 1 - learning_rate * t->weight_decay;
    else
        rules[1].added = t->weight_decay;
}

static void set_sgd(const weir_trainer *t, double learning_rate, double factor, weir__sgd_rule *rules)
{
    rules[0] = (weir__sgd_rule){.factor = factor,
                                .momentum = t->momentum,
                                .rate = learning_rate,
                                .ahead = t->nesterov ? t->momentum : 1,
                                .direct = t->nesterov ? 1 : 0};
    rules[1] = rules[0];
    rules[1].added = t->weight_decay;
}

static void update_segment(void *user, int64_t index, int32_t thread)
{
    (void)thread;
    const update *const u = user;
    weir_trainer *const t = u->trainer;
    const weir__net *const net = &t->model->net;
    const weir__segment *const s = &t->segments[index];
    const weir__tensor *const tensor = &net->tensors[s->handle];
    const int decays = !(tensor->flags & WEIR_TENSOR_NO_DECAY);
    const int64_t first = s->first * (net->precision == WEIR_F32 ? 4 : 8);
    unsigned char *const p = (unsigned char *)net->table[s->handle] + first;
    const unsigned char *const g = (const unsigned char *)t->lanes[0].table[s->handle] + first;
    unsigned char *const m = t->moment1 + tensor->offset + first;
    if (t->optimizer == WEIR__SGD)
        u->passes->sgd(&u->sgd[decays], s->count, g, p, m);
    else
        u->passes->adam(&u->adam[decays], s->count, g, p, m, t->moment2 + tensor->offset + first);
}

void weir__optimize(weir_trainer *t, double learning_rate, double factor)
{
    t->steps++;
    update u = {.trainer = t, .passes = weir__arena_passes(t->model->net.precision)};
    set_adam(t, learning_rate, factor, u.adam);
    set_sgd(t, learning_rate, factor, u.sgd);
    weir__pool_run(t->model->runtime->pool, t->segment_count, update_segment, &u, NULL, NULL);
    t->model->net.version++;
}
