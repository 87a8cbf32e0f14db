/* order.h - the order in which an autoregressive layer takes the features. */
#ifndef AUTOREGRESSIVE_ORDER_H
#define AUTOREGRESSIVE_ORDER_H

#include <weir/plugin.h>

typedef struct feature_order {
    int32_t features;
    int32_t reversed;
    /* Which feature comes k-th, from 0. It is a saved buffer where the order is drawn, so that a model keeps its own
     * whatever draws it in future; then `drawn` is its handle and `lanes` is NULL. */
    weir_handle drawn;
    int32_t *lanes;
} feature_order;

/** Reads the options `order` and `order_list`, and draws a random order. order_clear frees, also after a failure. */
weir_status WEIR_NAME(order_read)(weir_builder *build, feature_order *order);
void WEIR_NAME(order_clear)(feature_order *order);

/** Checks a drawn order that may come from a file: each feature exactly once. */
weir_status WEIR_NAME(order_check)(const feature_order *order, weir_frame *frame);

/** `tile` with its features in this order, over the same memory; an index may come from scratch. False when memory is
 *  exhausted. */
int WEIR_NAME(in_order)(const feature_order *order, weir_frame *frame, const weir_tile *tile,
                        weir_tile *ordered);

#endif
