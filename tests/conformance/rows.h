/* rows.h - what is checked: MODULE(row, id, options of weir_check), FIXTURE(name), and
 * BROKEN(fixture, the check that must find it).
 *
 * SPDX-License-Identifier: MIT
 *
 * CMake reads this file too: each row is an entry of ctest, conformance.ROW. Widths are small where they do not matter.
 */

/* clang-format off */

#define NARROW      "{\"type\": \"mlp\", \"options\": {\"hidden\": [9, 7], \"activation\": \"tanh\"}}"
#define NARROW_MADE "{\"type\": \"made\", \"options\": {\"hidden\": [13, 11], \"activation\": \"tanh\"}}"
#define SPLINE      "{\"type\": \"rq_spline\", \"options\": {\"bins\": 5}}"

/* ---- univariates ---- */
MODULE(affine, "affine", NULL)
MODULE(affine_unbounded, "affine", "{\"options\": {\"bound\": 0}}")
MODULE(additive, "additive", NULL)
MODULE(rq_spline, "rq_spline", NULL)
MODULE(rq_spline_narrow, "rq_spline", "{\"options\": {\"bins\": 2, \"bound\": 1.5}}")
MODULE(rq_spline_fine, "rq_spline", "{\"options\": {\"bins\": 32, \"bound\": 3}}")

MODULE(tanh, "tanh", NULL)
MODULE(sigmoid, "sigmoid", NULL)
MODULE(softplus, "softplus", NULL)
MODULE(exp, "exp", NULL)
MODULE(softsign, "softsign", NULL)
MODULE(power, "power", NULL)
MODULE(power_falling, "power", "{\"options\": {\"exponent\": -0.5}}")
MODULE(leaky_relu, "leaky_relu", NULL)
MODULE(leaky_relu_steep, "leaky_relu", "{\"options\": {\"slope\": 3}}")
MODULE(prelu, "prelu", NULL)
MODULE(sinh_arcsinh, "sinh_arcsinh", NULL)
MODULE(sinh_arcsinh_bound, "sinh_arcsinh", "{\"options\": {\"bound\": 0.5}}")
MODULE(lambert_w, "lambert_w", NULL)

/* ---- networks ---- */
MODULE(mlp, "mlp", "{\"options\": {\"hidden\": [24, 17]}}")
MODULE(mlp_no_hidden, "mlp", "{\"options\": {\"hidden\": []}}")
MODULE(mlp_tanh, "mlp", "{\"options\": {\"hidden\": [8], \"activation\": \"tanh\"}}")
MODULE(mlp_elu, "mlp", "{\"options\": {\"hidden\": [8], \"activation\": \"elu\"}}")
MODULE(mlp_leaky_relu, "mlp", "{\"options\": {\"hidden\": [8], \"activation\": \"leaky_relu\"}}")
MODULE(mlp_softplus, "mlp", "{\"options\": {\"hidden\": [8], \"activation\": \"softplus\"}}")
MODULE(mlp_sigmoid, "mlp", "{\"options\": {\"hidden\": [8], \"activation\": \"sigmoid\"}}")
MODULE(residual_mlp, "residual_mlp", "{\"options\": {\"hidden\": 20}}")
MODULE(residual_mlp_no_blocks, "residual_mlp", "{\"options\": {\"hidden\": 8, \"blocks\": 0}}")
MODULE(residual_mlp_tanh, "residual_mlp",
       "{\"options\": {\"hidden\": 8, \"blocks\": 3, \"activation\": \"tanh\"}}")
MODULE(made, "made", "{\"options\": {\"hidden\": [24, 17]}}")
MODULE(made_tanh, "made", "{\"options\": {\"hidden\": [19], \"activation\": \"tanh\"}}")
MODULE(made_no_hidden, "made", "{\"options\": {\"hidden\": []}}")

/* ---- densities ---- */
MODULE(normal, "normal", NULL)
MODULE(normal_trainable, "normal", "{\"options\": {\"trainable\": true}}")
MODULE(uniform, "uniform", NULL)
MODULE(uniform_wide, "uniform", "{\"options\": {\"lower\": -2, \"upper\": 3}}")

/* ---- layers ---- */
MODULE(permutation, "permutation", NULL)
MODULE(permutation_random, "permutation", "{\"options\": {\"kind\": \"random\", \"seed\": 7}}")
MODULE(permutation_given, "permutation",
       "{\"features\": 4, \"options\": {\"kind\": \"given\", \"order\": [3, 1, 4, 2]}}")
MODULE(lu_linear, "lu_linear", NULL)
MODULE(lu_linear_random, "lu_linear", "{\"options\": {\"init\": \"random\"}}")
MODULE(shift, "shift", NULL)
MODULE(shift_start, "shift", "{\"features\": 2, \"options\": {\"start\": [1, -2]}}")
MODULE(scale, "scale", NULL)
MODULE(scale_negative, "scale", "{\"options\": {\"start\": [-2]}}")
MODULE(planar, "planar", NULL)
MODULE(planar_explicit_inverse, "planar", "{\"options\": {\"explicit\": \"inverse\"}}")
MODULE(planar_identity, "planar", "{\"options\": {\"start\": \"identity\"}}")
MODULE(planar_leaky, "planar", "{\"options\": {\"activation\": \"leaky_relu\", \"slope\": 0.2}}")
MODULE(planar_leaky_explicit_inverse, "planar",
       "{\"options\": {\"activation\": \"leaky_relu\", \"explicit\": \"inverse\"}}")
MODULE(radial, "radial", NULL)
MODULE(radial_explicit_inverse, "radial", "{\"options\": {\"explicit\": \"inverse\"}}")
MODULE(sylvester, "sylvester", NULL)
MODULE(sylvester_one, "sylvester", "{\"options\": {\"hidden\": 1}}")
MODULE(sylvester_few, "sylvester", "{\"features\": 5, \"options\": {\"hidden\": 3}}")
MODULE(sylvester_explicit_inverse, "sylvester",
       "{\"features\": 5, \"options\": {\"hidden\": 3, \"explicit\": \"inverse\"}}")
MODULE(actnorm, "actnorm", NULL)
MODULE(standardize, "standardize", NULL)
MODULE(logit, "logit", NULL)
MODULE(logit_bounds, "logit",
       "{\"points\": \"unit\", \"options\": {\"lower\": -1, \"upper\": 5, \"alpha\": 0.05}}")
MODULE(dequantize, "dequantize", NULL)
MODULE(dequantize_binary, "dequantize", "{\"options\": {\"levels\": 2}}")
MODULE(elementwise, "elementwise", NULL)
MODULE(elementwise_spline, "elementwise", "{\"children\": {\"univariate\": " SPLINE "}}")
MODULE(elementwise_network, "elementwise",
       "{\"context\": 2, \"children\": {\"univariate\": " SPLINE ", \"network\": " NARROW "}}")
MODULE(elementwise_sigmoid, "elementwise", "{\"children\": {\"univariate\": {\"type\": \"sigmoid\"}}}")
MODULE(elementwise_power, "elementwise", "{\"children\": {\"univariate\": {\"type\": \"power\"}}}")
MODULE(elementwise_prelu, "elementwise", "{\"children\": {\"univariate\": {\"type\": \"prelu\"}}}")
MODULE(coupling, "coupling", NULL)
MODULE(coupling_odd, "coupling", "{\"options\": {\"mask\": \"odd\"}, \"children\": {\"network\": " NARROW "}}")
MODULE(coupling_given, "coupling",
       "{\"features\": 5, \"options\": {\"mask\": \"given\", \"pass\": [2, 5]}, \"children\": {\"network\": " NARROW
       "}}")
MODULE(coupling_additive, "coupling",
       "{\"children\": {\"univariate\": {\"type\": \"additive\"}, \"network\": " NARROW "}}")
MODULE(coupling_spline, "coupling",
       "{\"options\": {\"mask\": \"even\"}, \"children\": {\"univariate\": " SPLINE ", \"network\": " NARROW "}}")
MODULE(coupling_residual, "coupling",
       "{\"children\": {\"univariate\": " SPLINE
       ", \"network\": {\"type\": \"residual_mlp\", \"options\": {\"hidden\": 12}}}}")
MODULE(coupling_sinh_arcsinh, "coupling",
       "{\"children\": {\"univariate\": {\"type\": \"sinh_arcsinh\"}, \"network\": " NARROW "}}")
MODULE(autoregressive, "autoregressive", NULL)
MODULE(autoregressive_reverse, "autoregressive",
       "{\"options\": {\"order\": \"reverse\"}, \"children\": {\"network\": " NARROW_MADE "}}")
MODULE(autoregressive_spline, "autoregressive",
       "{\"options\": {\"order\": \"random\"}, \"children\": {\"univariate\": " SPLINE ", \"network\": " NARROW_MADE
       "}}")
MODULE(autoregressive_given, "autoregressive",
       "{\"features\": 4, \"options\": {\"order\": \"given\", \"order_list\": [2, 4, 1, 3]}, \"children\": "
       "{\"network\": " NARROW_MADE "}}")
MODULE(autoregressive_lambert_w, "autoregressive",
       "{\"children\": {\"univariate\": {\"type\": \"lambert_w\"}, \"network\": " NARROW_MADE "}}")

/* ---- the host's containers ---- */
MODULE(inverse_autoregressive, "inverse",
       "{\"children\": {\"layer\": {\"type\": \"autoregressive\", \"children\": {\"network\": " NARROW_MADE "}}}}")
MODULE(inverse_exp, "inverse",
       "{\"children\": {\"layer\": {\"type\": \"elementwise\", \"children\": {\"univariate\": {\"type\": \"exp\"}}}}}")
MODULE(chain, "chain",
       "{\"children\": {\"layers\": [{\"type\": \"lu_linear\"}, {\"type\": \"coupling\", \"children\": {\"network\": "
       NARROW "}}, {\"type\": \"permutation\"}]}}")
MODULE(slice, "slice",
       "{\"features\": 4, \"options\": {\"first\": 2, \"count\": 2}, \"children\": {\"layer\": {\"type\": "
       "\"lu_linear\"}}}")
MODULE(repeat, "repeat",
       "{\"options\": {\"count\": 2}, \"children\": {\"layers\": [{\"type\": \"elementwise\"}, {\"type\": "
       "\"permutation\"}]}}")

/* ---- fixtures that offer little: the host supplies the rest, and both together keep every promise ---- */
FIXTURE(honest)
FIXTURE(no_inverse)
FIXTURE(no_inverse_vjp)
FIXTURE(only_f64)
FIXTURE(only_f32)
FIXTURE(bare_univariate)
FIXTURE(bare_network)
FIXTURE(honest_density)

/* ---- fixtures with a fault: a checker that finds nothing is no checker ---- */
BROKEN(broken_log_det_sign, "forward.log_det")
BROKEN(broken_sign_no_vjp, "forward.log_det")
BROKEN(broken_log_det_vjp, "forward.vjp_inputs")
BROKEN(broken_log_det_set, "forward.log_det_adds")
BROKEN(broken_inverse_scale, "round_trip")
BROKEN(broken_bounds, "forward.bounds")
BROKEN(broken_input, "forward.inputs_kept")
BROKEN(broken_gradient_set, "forward.gradients_add")
BROKEN(broken_tape_left, "forward.tape_balance")
BROKEN(broken_tape_scribbled, "forward.tape_replay")
BROKEN(broken_memory, "forward.no_hidden_state")
BROKEN(broken_poison, "forward.bad_rows")
BROKEN(broken_padding, "forward.padding")
BROKEN(broken_narrow, "forward.single_precision")
BROKEN(broken_leaky_row, "forward.bad_rows")
BROKEN(broken_unkeyed, "forward.repeatable")
BROKEN(broken_overwrite, "forward.overwrites")
BROKEN(broken_null, "forward.optional_arguments")
BROKEN(broken_linearity, "forward.linear_cotangents")
BROKEN(broken_row_count, "forward.row_counts")
BROKEN(broken_row_place, "forward.row_independence")
BROKEN(broken_loud_row, "forward.silent_rows")
BROKEN(broken_no_tape, "forward.no_tape")
BROKEN(broken_stride, "forward.negative_stride")
BROKEN(broken_in_place, "forward.in_place")
BROKEN(broken_stochastic, "keyed_noise")
BROKEN(broken_monotone, "forward.monotone")
BROKEN(broken_edges, "forward.edges")
BROKEN(broken_autoregressive, "autoregressive")
BROKEN(broken_mass, "normalised")
BROKEN(broken_sampler, "sampler")
