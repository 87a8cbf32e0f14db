/* optimizer.c - Adam (Kingma & Ba 2015), AdamW (Loshchilov & Hutter 2019), SGD with momentum.
 *
 *  Adam:  m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,
 *         p -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
 *  AdamW: the same, and p -= lr decay p;  Adam and SGD with decay: g += decay p.
 *  SGD:   m = momentum m + g,  p -= lr m  (Nesterov: p -= lr (g + momentum m)). */
#include "train/arena.h"
#include "train/around.h"
#include "train/trainer.h"

#include <math.h>
#include <string.h>

#define PASS_BYTES 8192 /* of parameters made aside at a time */

typedef struct update {
    weir_trainer *trainer;
    const weir__arena *passes;
    int32_t around; /* write parameters around the cache */
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

/* One piece of a segment: `count` numbers at offset `at`, in bytes, of a tensor's arrays. p may lie elsewhere. */
static void update_piece(const update *u, const weir__segment *s, int64_t at, int64_t count, void *p)
{
    const weir_trainer *const t = u->trainer;
    const weir__tensor *const tensor = &t->model->net.tensors[s->handle];
    const int decays = !(tensor->flags & WEIR_TENSOR_NO_DECAY);
    const unsigned char *const g = (const unsigned char *)t->lanes[0].table[s->handle] + at;
    unsigned char *const m = t->moment1 + tensor->offset + at;
    if (t->optimizer == WEIR__SGD)
        u->passes->sgd(&u->sgd[decays], count, g, p, m);
    else
        u->passes->adam(&u->adam[decays], count, g, p, m, t->moment2 + tensor->offset + at);
}

static void update_around(const update *u, const weir__segment *s, int64_t first, int64_t size,
                          unsigned char *p)
{
    _Alignas(64) unsigned char aside[PASS_BYTES];
    const int64_t bytes = s->count * size;
    for (int64_t done = 0; done < bytes; done += PASS_BYTES) {
        const int64_t part = bytes - done < PASS_BYTES ? bytes - done : PASS_BYTES;
        memcpy(aside, p + done, (size_t)part);
        update_piece(u, s, first + done, part / size, aside);
        weir__copy_around(part, aside, p + done);
    }
}

static void update_segment(void *user, int64_t index, int32_t thread)
{
    (void)thread;
    const update *const u = user;
    const weir__net *const net = &u->trainer->model->net;
    const weir__segment *const s = &u->trainer->segments[index];
    const int64_t size = net->precision == WEIR_F32 ? 4 : 8, first = s->first * size;
    unsigned char *const p = (unsigned char *)net->table[s->handle] + first;
    if (u->around)
        update_around(u, s, first, size, p);
    else
        update_piece(u, s, first, s->count, p);
}

void weir__optimize(weir_trainer *t, double learning_rate, double factor)
{
    t->steps++;
    update u = {.trainer = t, .passes = weir__arena_passes(t->model->net.precision)};
    u.around = weir__pool_threads(t->model->runtime->pool) > 1 && weir__around_pays();
    set_adam(t, learning_rate, factor, u.adam);
    set_sgd(t, learning_rate, factor, u.sgd);
    weir__pool_run(t->model->runtime->pool, t->segment_count, update_segment, &u, NULL, NULL);
    t->model->net.version++;
}
