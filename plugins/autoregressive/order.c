/* order.c - reading, drawing and applying an order of features. */
#include "order.h"

#include <weir/random.h>

#include <stdlib.h>

/* Drawn once, from the module's stream, and saved. */
static weir_status draw(feature_order *order, weir_builder *build)
{
    const int64_t dims[1] = {order->features};
    int64_t *const values = malloc((size_t)order->features * sizeof *values);
    if (!values) return weir_refuse(build, "out of memory");
    weir_random_order(order->features, build->stream, values);
    order->drawn = build->integer_buffer(build, "order", 1, dims, values);
    free(values);
    return order->drawn < 0 ? WEIR_INVALID : WEIR_OK;
}

static weir_status take_given(feature_order *order, weir_builder *build, const int64_t *list)
{
    char *const seen = calloc((size_t)order->features, 1);
    weir_status status = WEIR_OK;
    order->lanes = malloc((size_t)order->features * sizeof *order->lanes);
    if (!seen || !order->lanes) status = weir_refuse(build, "out of memory");
    for (int32_t k = 0; k < order->features && status == WEIR_OK; k++) {
        if (list[k] < 1 || list[k] > order->features)
            status = weir_refuse(build, "order_list names feature %lld, but features are numbered 1 to %d",
                                 (long long)list[k], order->features);
        else if (seen[list[k] - 1])
            status = weir_refuse(build, "order_list names feature %lld twice", (long long)list[k]);
        else
            seen[order->lanes[k] = (int32_t)list[k] - 1] = 1;
    }
    free(seen);
    return status;
}

static weir_status read_given(feature_order *order, weir_builder *build)
{
    const int32_t count = build->integers(build, "order_list", NULL, 0);
    if (count != order->features)
        return weir_refuse(build, "order_list has %d entries for %d features: list each feature once, from 1",
                           count > 0 ? count : 0, order->features);
    int64_t *const list = malloc((size_t)count * sizeof *list);
    if (!list) return weir_refuse(build, "out of memory");
    build->integers(build, "order_list", list, count);
    const weir_status status = take_given(order, build, list);
    free(list);
    return status;
}

weir_status WEIR_NAME(order_read)(weir_builder *build, feature_order *order)
{
    *order = (feature_order){.features = build->features, .drawn = -1};
    const char *const name = build->string(build, "order");
    const int listed = build->given(build, "order_list");
    if (!name) return WEIR_INVALID;
    if (order->features < 1) return weir_refuse(build, "an autoregressive layer needs at least 1 feature");
    if (strcmp(name, "given") == 0) {
        if (listed) return read_given(order, build);
        return weir_refuse(build, "order = \"given\" needs the option order_list, each feature once, from 1");
    }
    if (listed)
        return weir_refuse(build, "order_list is read with order = \"given\" only, but order is \"%s\"",
                           name);
    if (strcmp(name, "random") == 0) return draw(order, build);
    order->reversed = strcmp(name, "reverse") == 0;
    return WEIR_OK;
}

void WEIR_NAME(order_clear)(feature_order *order)
{
    free(order->lanes);
}

weir_status WEIR_NAME(order_check)(const feature_order *order, weir_frame *frame)
{
    if (order->drawn < 0) return WEIR_OK;
    const int64_t *const values = weir_integers(frame, order->drawn);
    char *const seen = weir_take(frame, order->features);
    if (!seen) return WEIR_ERROR;
    memset(seen, 0, (size_t)order->features);
    for (int32_t k = 0; k < order->features; k++) {
        if (values[k] < 0 || values[k] >= order->features || seen[values[k]])
            return weir_failf(
                frame, WEIR_INVALID,
                "entry %d of the buffer `order`, %lld, is out of range or there twice; it must hold "
                "0 to %d, each once",
                k, (long long)values[k], order->features - 1);
        seen[values[k]] = 1;
    }
    return WEIR_OK;
}

/* Which feature of the tile comes k-th. */
static int32_t feature_at(const feature_order *order, const weir_frame *frame, int32_t k)
{
    if (order->lanes) return order->lanes[k];
    if (order->drawn >= 0) return (int32_t)weir_integers(frame, order->drawn)[k];
    return order->reversed ? order->features - 1 - k : k;
}

int WEIR_NAME(in_order)(const feature_order *order, weir_frame *frame, const weir_tile *tile,
                        weir_tile *ordered)
{
    const int indexed = order->lanes || order->drawn >= 0;
    *ordered = *tile;
    if (!indexed && !order->reversed) return 1;
    if (!indexed && !tile->lanes) {
        ordered->data = weir_lane(tile, order->features - 1);
        ordered->stride = -tile->stride;
        return 1;
    }
    int32_t *const lanes = weir_take(frame, order->features * (int64_t)sizeof *lanes);
    if (!lanes) return 0;
    for (int32_t k = 0; k < order->features; k++) {
        const int32_t f = feature_at(order, frame, k);
        lanes[k] = tile->lanes ? tile->lanes[f] : f;
    }
    ordered->lanes = lanes;
    return 1;
}
