/* table.c - every promise the suite checks: its name, the rule of sdk/ABI.md, its limit and its check. */
#include "check/checks.h"

#define ALL   WEIR__ALL_KINDS
#define BOTH  WEIR__BIJECTIONS
#define LAYER WEIR__KIND(WEIR_LAYER)
#define UNIV  WEIR__KIND(WEIR_UNIVARIATE)
#define NET   WEIR__KIND(WEIR_NETWORK)
#define DENS  WEIR__KIND(WEIR_DENSITY)

#define EXACT 0.0
#define TIGHT 1e-12 /* the same sum in another order */
#define LOOSE 1e-8  /* the same, through a map of any condition */

const weir__promise weir__promises[] = {
    {"descriptor", "11", WEIR__PER_MODULE, ALL, EXACT, weir__check_descriptor},
    {"option_schema", "12", WEIR__PER_MODULE, ALL, EXACT, weir__check_option_schema},
    {"option_refusals", "12", WEIR__PER_MODULE, ALL, EXACT, weir__check_option_refusals},
    {"lifetime", "13", WEIR__PER_MODULE, ALL, EXACT, weir__check_lifetime},
    {"leaks", "13", WEIR__PER_MODULE, ALL, EXACT, weir__check_leaks},
    {"prepare", "34", WEIR__PER_SUBJECT, ALL, EXACT, weir__check_prepare},
    {"methods", "51", WEIR__PER_SUBJECT, ALL, EXACT, weir__check_methods},
    {"state_saved", "15", WEIR__PER_SUBJECT, ALL, EXACT, weir__check_state_saved},
    {"random_state", "15", WEIR__PER_SUBJECT, ALL, EXACT, weir__check_random_state},
    {"interleaved", "13", WEIR__PER_MAP, ALL, EXACT, weir__check_interleaved},
    {"two_threads", "46", WEIR__PER_MAP, ALL, EXACT, weir__check_two_threads},
    {"quiet_calls", "50", WEIR__PER_SUBJECT, ALL, EXACT, weir__check_quiet_calls},
    {"allocations", "27", WEIR__PER_MAP, ALL, EXACT, weir__check_allocations},
    {"struct_tails", "8", WEIR__PER_MAP, ALL, EXACT, weir__check_struct_tails},

    {"vjp_inputs", "37", WEIR__PER_VJP, ALL, 0.05, weir__check_vjp_inputs},
    {"vjp_element_params", "37", WEIR__PER_VJP, UNIV, 0.05, weir__check_vjp_element_params},
    {"vjp_parameters", "37", WEIR__PER_VJP, ALL, 0.05, weir__check_vjp_parameters},
    {"vjp_context", "37", WEIR__PER_VJP, ALL, 0.05, weir__check_vjp_context},
    {"vjp_joint", "37", WEIR__PER_VJP, ALL, 0.05, weir__check_vjp_joint},

    {"round_trip", "35", WEIR__PER_SUBJECT, BOTH, 1e-10, weir__check_round_trip},
    {"round_trip_back", "35", WEIR__PER_SUBJECT, BOTH, 1e-10, weir__check_round_trip_back},
    {"log_det", "36", WEIR__PER_MAP, BOTH, 1e-9, weir__check_log_det},
    {"log_det_sum", "36", WEIR__PER_SUBJECT, BOTH, 1e-9, weir__check_log_det_sum},
    {"volume", "36", WEIR__PER_MAP, LAYER, EXACT, weir__check_volume},
    {"elementwise", "36", WEIR__PER_VJP, UNIV, EXACT, weir__check_elementwise},
    {"monotone", "40", WEIR__PER_MAP, UNIV, EXACT, weir__check_monotone},
    {"identity", "17", WEIR__PER_SUBJECT, UNIV, 0.5, weir__check_identity}, /* near to it */
    {"edges", "39", WEIR__PER_MAP, BOTH, 1e-8, weir__check_edges},
    {"codomain", "16", WEIR__PER_MAP, BOTH, TIGHT, weir__check_codomain},
    {"outside", "39", WEIR__PER_MAP, BOTH, EXACT, weir__check_outside},
    {"convergence", "39", WEIR__PER_SUBJECT, BOTH, 1e-6, weir__check_convergence},

    {"autoregressive", "41", WEIR__PER_SUBJECT, NET, EXACT, weir__check_autoregressive},
    {"sweep", "41", WEIR__PER_SUBJECT, NET, TIGHT, weir__check_sweep},
    {"sweep_vjp", "41", WEIR__PER_SUBJECT, NET, 1e-10, weir__check_sweep_vjp},

    {"normalised", "42", WEIR__PER_SUBJECT, DENS, 1e-3, weir__check_normalised},
    /* 2.7 / sqrt(4096): one correct sampler in a million fails, and the seed is fixed */
    {"sampler", "42", WEIR__PER_SUBJECT, DENS, 0.042, weir__check_sampler},

    {"observe_repeats", "44", WEIR__PER_SUBJECT, LAYER, EXACT, weir__check_observe_repeats},
    {"observe_merges", "44", WEIR__PER_SUBJECT, LAYER, 1e-10, weir__check_observe_merges},
    {"batch_log_det", "36", WEIR__PER_SUBJECT, LAYER, 1e-9, weir__check_batch_log_det},
    {"batch_vjp", "37", WEIR__PER_SUBJECT, LAYER, 0.05, weir__check_batch_vjp},

    {"log_det_adds", "21", WEIR__PER_MAP, ALL, TIGHT, weir__check_log_det_adds},
    {"overwrites", "20", WEIR__PER_MAP, ALL, EXACT, weir__check_overwrites},
    {"gradients_add", "21", WEIR__PER_VJP, ALL, TIGHT, weir__check_gradients_add},
    {"optional_arguments", "22", WEIR__PER_MAP, ALL, TIGHT, weir__check_optional_arguments},
    {"inputs_kept", "23", WEIR__PER_MAP, ALL, EXACT, weir__check_inputs_kept},
    {"bounds", "19", WEIR__PER_MAP, ALL, EXACT, weir__check_bounds},
    {"linear_cotangents", "32", WEIR__PER_VJP, ALL, LOOSE, weir__check_linear_cotangents},

    {"row_counts", "18", WEIR__PER_MAP, ALL, LOOSE, weir__check_row_counts},
    {"row_independence", "38", WEIR__PER_MAP, ALL, LOOSE, weir__check_row_independence},
    {"padding", "18", WEIR__PER_MAP, ALL, TIGHT, weir__check_padding},
    {"bad_rows", "39", WEIR__PER_MAP, ALL, EXACT, weir__check_bad_rows},
    {"silent_rows", "39", WEIR__PER_VJP, ALL, TIGHT, weir__check_silent_rows},

    {"repeatable", "45", WEIR__PER_MAP, ALL, EXACT, weir__check_repeatable},
    {"tape_balance", "28", WEIR__PER_VJP, ALL, EXACT, weir__check_tape_balance},
    {"tape_replay", "29", WEIR__PER_VJP, ALL, EXACT, weir__check_tape_replay},
    {"no_hidden_state", "31", WEIR__PER_VJP, ALL, EXACT, weir__check_no_hidden_state},
    {"no_tape", "30", WEIR__PER_MAP, ALL, TIGHT, weir__check_no_tape},
    {"keyed_noise", "45", WEIR__PER_SUBJECT, ALL, EXACT, weir__check_keyed_noise},

    {"negative_stride", "25", WEIR__PER_MAP, ALL, EXACT, weir__check_negative_stride},
    {"lane_index", "25", WEIR__PER_MAP, ALL, EXACT, weir__check_lane_index},
    {"in_place", "24", WEIR__PER_MAP, LAYER, EXACT, weir__check_in_place},
    {"single_precision", "43", WEIR__PER_MAP, ALL, 1e-3, weir__check_single_precision},
};

const int32_t weir__promise_count = (int32_t)(sizeof weir__promises / sizeof weir__promises[0]);

/* clang-format off: one in a line, as tests read this table too */
const weir__loading_promise weir__loading_promises[] = {
    {"loads", "2", EXACT, weir__check_loads},       {"exports", "1", EXACT, weir__check_exports},
    {"image", "1", EXACT, weir__check_image},       {"imports", "5", EXACT, weir__check_imports},
    {"needs", "6", EXACT, weir__check_needs},       {"quiet_load", "4", EXACT, weir__check_quiet_load},
    {"load_time", "4", 1.0, weir__check_load_time}, {"same_root", "3", EXACT, weir__check_same_root},
    {"junk_ids", "7", EXACT, weir__check_junk_ids},
};
/* clang-format on */

const int32_t weir__loading_promise_count =
    (int32_t)(sizeof weir__loading_promises / sizeof weir__loading_promises[0]);
