/* checks.h - the checks, by theme; verdict.h says what they get and give, table.c where they are used. */
#ifndef WEIR__CHECKS_H
#define WEIR__CHECKS_H

#include "check/loading.h"

/* taylor.c, bijection.c, writes.c, rows.c, replay.c, layout.c, univariate.c and edges.c, domain.c, network.c, density.c, observe.c,
 * company.c, heap.c, state.c, tails.c, descriptor.c, methods.c */
/* clang-format off */
#define WEIR__CHECK_LIST(X)                                                                                  \
    X(vjp_inputs) X(vjp_element_params) X(vjp_parameters) X(vjp_context) X(vjp_joint)                        \
    X(round_trip) X(round_trip_back) X(log_det) X(log_det_sum) X(volume) X(elementwise)                      \
    X(log_det_adds) X(overwrites) X(gradients_add) X(optional_arguments) X(inputs_kept) X(bounds)            \
    X(linear_cotangents)                                                                                     \
    X(row_counts) X(row_independence) X(padding) X(bad_rows) X(silent_rows)                                  \
    X(repeatable) X(tape_balance) X(tape_replay) X(no_hidden_state) X(no_tape) X(keyed_noise)                \
    X(negative_stride) X(lane_index) X(in_place) X(single_precision)                                         \
    X(monotone) X(identity) X(edges) X(codomain) X(outside) X(convergence)                                                              \
    X(autoregressive) X(sweep) X(sweep_vjp)                                                                  \
    X(normalised) X(sampler)                                                                                 \
    X(observe_repeats) X(observe_merges) X(batch_log_det) X(batch_vjp)                                       \
    X(two_threads) X(interleaved) X(allocations) X(quiet_calls) X(leaks)                                     \
    X(state_saved) X(random_state) X(struct_tails) X(prepare) X(methods)                                                \
    X(descriptor) X(option_schema) X(option_refusals) X(lifetime)
/* clang-format on */

#define WEIR__CHECK_PROTOTYPE(name)                                                                          \
    void weir__check_##name(weir__subject *subject, const weir__map *map, weir__verdict *verdict);
WEIR__CHECK_LIST(WEIR__CHECK_PROTOTYPE)
#undef WEIR__CHECK_PROTOTYPE

/* loading.c */
/* clang-format off */
#define WEIR__LOADING_LIST(X)                                                                                \
    X(loads) X(exports) X(imports) X(needs) X(image) X(quiet_load) X(load_time) X(junk_ids) X(same_root)
/* clang-format on */

#define WEIR__LOADING_PROTOTYPE(name)                                                                        \
    void weir__check_##name(const weir__loading *loading, weir__verdict *verdict);
WEIR__LOADING_LIST(WEIR__LOADING_PROTOTYPE)
#undef WEIR__LOADING_PROTOTYPE

#endif
