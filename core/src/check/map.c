/* map.c - how each kind's calls are seen as maps. */
#include "check/map.h"

#include <stdlib.h>
#include <string.h>

const char *weir__argument_name(int32_t argument)
{
    static const char *const names[WEIR__ARGUMENTS] = {"the point",
                                                       "the parameters",
                                                       "the context",
                                                       "the result",
                                                       "the log lane",
                                                       "the cotangent",
                                                       "the log cotangent",
                                                       "the point's cotangent",
                                                       "the parameters' cotangent",
                                                       "the context's cotangent"};
    return names[argument];
}

#define TAIL 96

typedef struct weir__tail {
    weir_tile known;
    unsigned char tail[TAIL];
} weir__tail;

void weir__call_tail(weir__call *call, int pattern, int longer)
{
    call->longer = longer;
    free(call->tails);
    call->tails = pattern < 0 ? NULL : malloc(WEIR__ARGUMENTS * sizeof *call->tails);
    if (call->tails) memset(call->tails, pattern, WEIR__ARGUMENTS * sizeof *call->tails);
}

static const weir_tile *tile(const weir__call *call, weir__argument a)
{
    if (!weir__field_there(&call->field[a]) || call->omit & WEIR__BIT(a)) return NULL;
    if (!call->tails) return weir__field_shown(&call->field[a]);
    call->tails[a].known = call->field[a].tile;
    if (call->longer) call->tails[a].known.struct_size = (uint32_t)sizeof call->tails[a];
    return &call->tails[a].known;
}

static void *lane(const weir__call *call, weir__argument a)
{
    const weir_tile *const one = tile(call, a);
    return one ? one->data : NULL;
}

/* ---- layer ---- */

static weir_status layer_forward(const weir_child *child, weir_frame *frame, const weir__call *c)
{
    return child->layer->forward(child->self, frame, tile(c, WEIR__X), tile(c, WEIR__Y), lane(c, WEIR__LANE));
}

static weir_status layer_forward_vjp(const weir_child *child, weir_frame *frame, const weir__call *c)
{
    return child->layer->forward_vjp(child->self, frame, tile(c, WEIR__X), tile(c, WEIR__Y),
                                     tile(c, WEIR__Y_BAR), lane(c, WEIR__LANE_BAR), tile(c, WEIR__X_BAR));
}

static weir_status layer_inverse(const weir_child *child, weir_frame *frame, const weir__call *c)
{
    return child->layer->inverse(child->self, frame, tile(c, WEIR__X), tile(c, WEIR__Y), lane(c, WEIR__LANE));
}

static weir_status layer_inverse_vjp(const weir_child *child, weir_frame *frame, const weir__call *c)
{
    return child->layer->inverse_vjp(child->self, frame, tile(c, WEIR__X), tile(c, WEIR__Y),
                                     tile(c, WEIR__Y_BAR), lane(c, WEIR__LANE_BAR), tile(c, WEIR__X_BAR));
}

/* ---- univariate ---- */

static weir_status univariate_forward(const weir_child *child, weir_frame *frame, const weir__call *c)
{
    return child->univariate->forward(child->self, frame, tile(c, WEIR__X), tile(c, WEIR__PARAMS),
                                      tile(c, WEIR__Y), lane(c, WEIR__LANE));
}

static weir_status univariate_forward_vjp(const weir_child *child, weir_frame *frame, const weir__call *c)
{
    return child->univariate->forward_vjp(child->self, frame, tile(c, WEIR__X), tile(c, WEIR__PARAMS),
                                          tile(c, WEIR__Y), tile(c, WEIR__Y_BAR), lane(c, WEIR__LANE_BAR),
                                          tile(c, WEIR__X_BAR), tile(c, WEIR__PARAMS_BAR));
}

static weir_status univariate_inverse(const weir_child *child, weir_frame *frame, const weir__call *c)
{
    return child->univariate->inverse(child->self, frame, tile(c, WEIR__X), tile(c, WEIR__PARAMS),
                                      tile(c, WEIR__Y), lane(c, WEIR__LANE));
}

static weir_status univariate_inverse_vjp(const weir_child *child, weir_frame *frame, const weir__call *c)
{
    return child->univariate->inverse_vjp(child->self, frame, tile(c, WEIR__X), tile(c, WEIR__PARAMS),
                                          tile(c, WEIR__Y), tile(c, WEIR__Y_BAR), lane(c, WEIR__LANE_BAR),
                                          tile(c, WEIR__X_BAR), tile(c, WEIR__PARAMS_BAR));
}

/* ---- network ---- */

static weir_status network_forward(const weir_child *child, weir_frame *frame, const weir__call *c)
{
    return child->network->forward(child->self, frame, tile(c, WEIR__X), tile(c, WEIR__Y));
}

static weir_status network_vjp(const weir_child *child, weir_frame *frame, const weir__call *c)
{
    return child->network->vjp(child->self, frame, tile(c, WEIR__X), tile(c, WEIR__Y), tile(c, WEIR__Y_BAR),
                               tile(c, WEIR__X_BAR));
}

/* ---- density ---- */

/* A caller that wants no log-p does not call: log_p is never NULL. */
static weir_status density_log(const weir_child *child, weir_frame *frame, const weir__call *c)
{
    return child->density->log_density(child->self, frame, tile(c, WEIR__X), lane(c, WEIR__LANE));
}

static weir_status density_vjp(const weir_child *child, weir_frame *frame, const weir__call *c)
{
    return child->density->vjp(child->self, frame, tile(c, WEIR__X), lane(c, WEIR__LANE_BAR),
                               tile(c, WEIR__X_BAR));
}

static weir_status density_sample(const weir_child *child, weir_frame *frame, const weir__call *c)
{
    return child->density->sample(child->self, frame, tile(c, WEIR__Y));
}

static weir_status density_sample_vjp(const weir_child *child, weir_frame *frame, const weir__call *c)
{
    return child->density->sample_vjp(child->self, frame, tile(c, WEIR__Y), tile(c, WEIR__Y_BAR));
}

/* ---- which maps there are ---- */

typedef struct sizes {
    int32_t x, params, y, lane;
} sizes;

static weir__map *add(weir__map *map, const char *name, sizes n, int32_t context, weir__map_fn run,
                      weir__map_fn vjp)
{
    const int32_t given = context > 0 ? context : -1;
    const int32_t size[WEIR__ARGUMENTS] = {
        [WEIR__X] = n.x,
        [WEIR__PARAMS] = n.params,
        [WEIR__CONTEXT] = given,
        [WEIR__Y] = n.y,
        [WEIR__LANE] = n.lane,
        [WEIR__Y_BAR] = n.y,
        [WEIR__LANE_BAR] = n.lane,
        [WEIR__X_BAR] = n.x,
        [WEIR__PARAMS_BAR] = n.params,
        [WEIR__CONTEXT_BAR] = given,
    };
    map->name = name;
    memcpy(map->size, size, sizeof size);
    map->run = run;
    map->vjp = vjp;
    map->source = NULL;
    return map + 1;
}

static weir__map *add_layer(weir__map *map, const weir_child *child, int32_t context)
{
    const weir_layer_ops *const ops = child->layer;
    const weir__map *const forward = map;
    map = add(map, "forward", (sizes){child->in, -1, child->out, 1}, context, layer_forward,
              ops->forward_vjp ? layer_forward_vjp : NULL);
    if (!ops->inverse || child->traits & WEIR_TRAIT_NO_INVERSE) return map;
    map = add(map, "inverse", (sizes){child->out, -1, child->in, 1}, context, layer_inverse,
              ops->inverse_vjp ? layer_inverse_vjp : NULL);
    map[-1].source = forward;
    return map;
}

static weir__map *add_univariate(weir__map *map, const weir_child *child, int32_t features, int32_t context)
{
    const weir_univariate_ops *const ops = child->univariate;
    const weir__map *const forward = map;
    const sizes n = {features, child->params ? child->params * features : -1, features, 1};
    map =
        add(map, "forward", n, context, univariate_forward, ops->forward_vjp ? univariate_forward_vjp : NULL);
    if (!ops->inverse || child->traits & WEIR_TRAIT_NO_INVERSE) return map;
    map =
        add(map, "inverse", n, context, univariate_inverse, ops->inverse_vjp ? univariate_inverse_vjp : NULL);
    map[-1].source = forward;
    return map;
}

static weir__map *add_density(weir__map *map, const weir_child *child, int32_t context)
{
    const weir_density_ops *const ops = child->density;
    map = add(map, "log_density", (sizes){child->in, -1, -1, 1}, context, density_log,
              ops->vjp ? density_vjp : NULL);
    if (!ops->sample) return map;
    map = add(map, "sample", (sizes){-1, -1, child->in, -1}, context, density_sample,
              ops->sample_vjp ? density_sample_vjp : NULL);
    map[-2].source = map - 1;
    return map;
}

int32_t weir__maps_of(const weir_child *child, int32_t features, int32_t context, weir__map *maps)
{
    weir__map *end = maps;
    if (child->kind == WEIR_LAYER) end = add_layer(maps, child, context);
    if (child->kind == WEIR_UNIVARIATE) end = add_univariate(maps, child, features, context);
    if (child->kind == WEIR_NETWORK)
        end = add(maps, "forward", (sizes){child->in, -1, child->out, -1}, context, network_forward,
                  child->network->vjp ? network_vjp : NULL);
    if (child->kind == WEIR_DENSITY) end = add_density(maps, child, context);
    return (int32_t)(end - maps);
}
