/* rows.h - what is checked: MODULE(row, id, options of weir_check), FIXTURE(name),
 * BROKEN(fixture, the check that must find it), BROKEN_AS(row, fixture, the check, options) and BROKEN_MODULE(row, id, the
 * check, options).
 *
 * SPDX-License-Identifier: MIT
 *
 * CMake reads this file too: each row is an entry of ctest, conformance.ROW. Widths are small where they do not matter.
 */

/* clang-format off */

#define NARROW      "{\"type\": \"mlp\", \"options\": {\"hidden\": [9, 7], \"activation\": \"tanh\"}}"
#define NARROW_MADE "{\"type\": \"made\", \"options\": {\"hidden\": [13, 11], \"activation\": \"tanh\"}}"
#define SPLINE      "{\"type\": \"rq_spline\", \"options\": {\"bins\": 5}}"
#define GAUSSIANS   "{\"type\": \"gaussian_mixture_cdf\", \"options\": {\"components\": 5}}"
#define LOGISTICS   "{\"type\": \"logistic_mixture_cdf\", \"options\": {\"components\": 4, \"affine\": true}}"
#define SIGMOIDAL   "{\"type\": \"deep_sigmoidal\", \"options\": {\"hidden\": 4}}"
#define BERNSTEIN   "{\"type\": \"bernstein\", \"options\": {\"degree\": 6, \"bound\": 3}}"
#define SQUARES     "{\"type\": \"sos_polynomial\", \"options\": {\"squares\": 2, \"degree\": 2}}"

/* ---- univariates ---- */
MODULE(affine, "affine", NULL)
MODULE(affine_unbounded, "affine", "{\"options\": {\"bound\": 0}}")
MODULE(additive, "additive", NULL)
MODULE(rq_spline, "rq_spline", NULL)
MODULE(rq_spline_narrow, "rq_spline", "{\"options\": {\"bins\": 2, \"bound\": 1.5}}")
MODULE(rq_spline_fine, "rq_spline", "{\"options\": {\"bins\": 32, \"bound\": 3}}")
MODULE(linear_spline, "linear_spline", NULL)
MODULE(linear_spline_narrow, "linear_spline", "{\"options\": {\"bins\": 2, \"bound\": 1.5}}")
MODULE(linear_spline_fine, "linear_spline", "{\"options\": {\"bins\": 40, \"bound\": 3, \"min_height\": 1e-4}}")
MODULE(quadratic_spline, "quadratic_spline", NULL)
MODULE(quadratic_spline_narrow, "quadratic_spline", "{\"options\": {\"bins\": 3, \"bound\": 1.5}}")
MODULE(quadratic_spline_fine, "quadratic_spline",
       "{\"options\": {\"bins\": 24, \"bound\": 3, \"min_width\": 0.01, \"min_derivative\": 0.05}}")
MODULE(cubic_spline, "cubic_spline", NULL)
MODULE(cubic_spline_narrow, "cubic_spline", "{\"options\": {\"bins\": 2, \"bound\": 1.5}}")
MODULE(cubic_spline_fine, "cubic_spline",
       "{\"options\": {\"bins\": 20, \"bound\": 3, \"min_height\": 0.01, \"min_derivative\": 0.1}}")
MODULE(circular_spline, "circular_spline", NULL)
MODULE(circular_spline_two_bins, "circular_spline", "{\"options\": {\"bins\": 2, \"phase\": false}}")
MODULE(circular_spline_degrees, "circular_spline", "{\"options\": {\"bins\": 12, \"lower\": 0, \"upper\": 360}}")

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

MODULE(gaussian_mixture_cdf, "gaussian_mixture_cdf", NULL)
MODULE(gaussian_mixture_cdf_one, "gaussian_mixture_cdf", "{\"options\": {\"components\": 1, \"bound\": 0}}")
MODULE(gaussian_mixture_cdf_affine, "gaussian_mixture_cdf",
       "{\"options\": {\"components\": 3, \"affine\": true}}")
MODULE(gaussian_mixture_cdf_unit, "gaussian_mixture_cdf",
       "{\"options\": {\"components\": 5, \"codomain\": \"unit\"}}")
MODULE(logistic_mixture_cdf, "logistic_mixture_cdf", NULL)
MODULE(logistic_mixture_cdf_one, "logistic_mixture_cdf", "{\"options\": {\"components\": 1, \"bound\": 0}}")
MODULE(logistic_mixture_cdf_affine, "logistic_mixture_cdf",
       "{\"options\": {\"components\": 32, \"affine\": true, \"bound\": 3}}")
MODULE(logistic_mixture_cdf_unit, "logistic_mixture_cdf",
       "{\"options\": {\"components\": 5, \"codomain\": \"unit\", \"bound\": 2}}")
MODULE(deep_sigmoidal, "deep_sigmoidal", NULL)
MODULE(deep_sigmoidal_one_layer, "deep_sigmoidal", "{\"options\": {\"hidden\": 5, \"layers\": 1, \"min_slope\": 0.1}}")
MODULE(deep_sigmoidal_deep, "deep_sigmoidal", "{\"options\": {\"hidden\": 3, \"layers\": 4, \"min_slope\": 0.05}}")
MODULE(bernstein, "bernstein", NULL)
MODULE(bernstein_low, "bernstein", "{\"options\": {\"degree\": 2, \"bound\": 1.5, \"min_slope\": 0.05}}")
MODULE(bernstein_high, "bernstein", "{\"options\": {\"degree\": 64, \"bound\": 3}}")
MODULE(sos_polynomial, "sos_polynomial", NULL)
MODULE(sos_polynomial_one, "sos_polynomial", "{\"options\": {\"squares\": 1, \"degree\": 1, \"min_slope\": 0.1}}")
MODULE(sos_polynomial_high, "sos_polynomial", "{\"options\": {\"squares\": 2, \"degree\": 6}}")

/* Over the files in tests/lua/layers: some with all functions of their kind, some with forward and its VJP alone. */
MODULE(lua_univariate, "lua_univariate", "{\"options\": {\"file\": \"affine.lua\"}}")
MODULE(lua_univariate_tails, "lua_univariate",
       "{\"options\": {\"file\": \"sinh_arcsinh.lua\", \"constants\": [0.5], \"reload\": true}}")
MODULE(lua_univariate_no_inverse, "lua_univariate", "{\"options\": {\"file\": \"bend.lua\"}}")
MODULE(lua_layer, "lua_layer", "{\"options\": {\"file\": \"shear.lua\"}}")
MODULE(lua_layer_no_inverse, "lua_layer", "{\"options\": {\"file\": \"twist.lua\"}}")
MODULE(lua_network, "lua_network", "{\"options\": {\"file\": \"wave.lua\"}}")
MODULE(lua_density, "lua_density", "{\"options\": {\"file\": \"logistic.lua\"}}")

/* Over the declarations beside the plugins (sinh) and in tests/declarations. */
MODULE(foreign, "foreign", "{\"options\": {\"declaration\": \"sinh\"}}")
MODULE(foreign_differences, "foreign", "{\"options\": {\"declaration\": \"sinh_differences\"}}")
MODULE(foreign_roots, "foreign", "{\"options\": {\"declaration\": \"sinh_roots\"}}")
MODULE(foreign_half_line, "foreign", "{\"options\": {\"declaration\": \"expm1\"}}")
MODULE(foreign_arguments, "foreign", "{\"options\": {\"declaration\": \"stretch\"}}")
MODULE(foreign_float, "foreign_float", "{\"options\": {\"declaration\": \"sinhf\"}}")

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
MODULE(periodic, "periodic", "{\"children\": {\"network\": " NARROW "}}")
MODULE(periodic_mixed, "periodic",
       "{\"features\": 4, \"options\": {\"angles\": [2, 3], \"harmonics\": 3, \"lower\": 0, \"upper\": 2}, \"children\": "
       "{\"network\": " NARROW "}}")
MODULE(periodic_made, "periodic", "{\"children\": {\"network\": " NARROW_MADE "}}")
MODULE(periodic_made_mixed, "periodic",
       "{\"features\": 4, \"options\": {\"angles\": [1, 4], \"harmonics\": 2}, \"children\": {\"network\": " NARROW_MADE "}}")

/* ---- densities ---- */
MODULE(normal, "normal", NULL)
MODULE(normal_trainable, "normal", "{\"options\": {\"trainable\": true}}")
MODULE(uniform, "uniform", NULL)
MODULE(uniform_wide, "uniform", "{\"options\": {\"lower\": -2, \"upper\": 3}}")
MODULE(uniform_box, "uniform",
       "{\"features\": 2, \"options\": {\"lowers\": [-2, 5], \"uppers\": [3, 5.5]}}")
MODULE(normal_full, "normal", "{\"options\": {\"trainable\": true, \"covariance\": \"full\"}}")
MODULE(logistic, "logistic", NULL)
MODULE(logistic_trainable, "logistic",
       "{\"options\": {\"trainable\": true, \"location\": [2], \"scale\": [0.5]}}")
MODULE(laplace, "laplace", NULL)
MODULE(laplace_trainable, "laplace", "{\"options\": {\"trainable\": true, \"scale\": [3]}}")
MODULE(student_t, "student_t", NULL)
MODULE(student_t_trainable, "student_t",
       "{\"options\": {\"trainable\": true, \"degrees_of_freedom\": [1], \"location\": [-1]}}")
MODULE(student_t_each, "student_t",
       "{\"features\": 2, \"options\": {\"degrees_of_freedom\": [0.5, 100], \"scale\": [0.3, 4]}}")
MODULE(beta, "beta", NULL)
MODULE(beta_trainable, "beta", "{\"options\": {\"trainable\": true, \"a\": [3], \"b\": [0.7]}}")
MODULE(beta_each, "beta",
       "{\"features\": 2, \"options\": {\"trainable\": true, \"a\": [0.5, 200], \"b\": [0.4, 90]}}")
MODULE(truncated_normal, "truncated_normal", NULL)
MODULE(truncated_normal_trainable, "truncated_normal",
       "{\"options\": {\"trainable\": true, \"lower\": [-0.5], \"upper\": [2]}}")
MODULE(truncated_normal_tail, "truncated_normal",
       "{\"features\": 2, \"options\": {\"trainable\": true, \"lower\": [4, -7], \"upper\": [9, -5]}}")
MODULE(truncated_normal_half, "truncated_normal", "{\"options\": {\"trainable\": true, \"lower\": [0]}}")
MODULE(gaussian_mixture, "gaussian_mixture", NULL)
MODULE(gaussian_mixture_one, "gaussian_mixture", "{\"options\": {\"components\": 1}}")
MODULE(gaussian_mixture_wide, "gaussian_mixture", "{\"options\": {\"components\": 12, \"spread\": 4}}")
MODULE(product, "product",
       "{\"features\": 2, \"children\": {\"factors\": [{\"type\": \"beta\"}, {\"type\": \"student_t\", \"options\": "
       "{\"trainable\": true}}]}}")
MODULE(product_blocks, "product",
       "{\"features\": 4, \"options\": {\"sizes\": [1, 2, 1]}, \"children\": {\"factors\": [{\"type\": \"uniform\"}, "
       "{\"type\": \"normal\", \"options\": {\"trainable\": true, \"covariance\": \"full\"}}, {\"type\": "
       "\"laplace\"}]}}")
MODULE(product_mixture, "product",
       "{\"features\": 2, \"children\": {\"factors\": [{\"type\": \"gaussian_mixture\"}, {\"type\": \"logistic\"}]}}")
MODULE(flow_density, "flow_density",
       "{\"children\": {\"layer\": {\"type\": \"coupling\", \"children\": {\"network\": " NARROW
       "}}, \"base\": {\"type\": \"student_t\", \"options\": {\"trainable\": true}}}}")
MODULE(flow_density_unit, "flow_density",
       "{\"children\": {\"layer\": {\"type\": \"chain\", \"children\": {\"layers\": [{\"type\": \"elementwise\"}, "
       "{\"type\": \"elementwise\", \"children\": {\"univariate\": {\"type\": \"sigmoid\"}}}]}}, \"base\": "
       "{\"type\": \"beta\", \"options\": {\"trainable\": true}}}}")

/* ---- layers ---- */
MODULE(permutation, "permutation", NULL)
MODULE(permutation_random, "permutation", "{\"options\": {\"kind\": \"random\", \"seed\": 7}}")
MODULE(permutation_given, "permutation",
       "{\"features\": 4, \"options\": {\"kind\": \"given\", \"order\": [3, 1, 4, 2]}}")
MODULE(lu_linear, "lu_linear", NULL)
MODULE(lu_linear_random, "lu_linear", "{\"options\": {\"init\": \"random\"}}")
MODULE(linear, "linear", NULL)
MODULE(linear_full, "linear", "{\"options\": {\"parameterization\": \"full\"}}")
MODULE(linear_full_random, "linear",
       "{\"features\": 7, \"options\": {\"parameterization\": \"full\", \"init\": \"random\"}}")
MODULE(linear_full_one, "linear", "{\"features\": 1, \"options\": {\"parameterization\": \"full\"}}")
MODULE(linear_diagonal, "linear", "{\"options\": {\"parameterization\": \"diagonal\"}}")
MODULE(linear_diagonal_no_bias, "linear",
       "{\"features\": 1, \"options\": {\"parameterization\": \"diagonal\", \"bias\": false}}")
MODULE(linear_triangular, "linear", "{\"options\": {\"parameterization\": \"triangular\"}}")
MODULE(linear_triangular_wide, "linear",
       "{\"features\": 40, \"options\": {\"parameterization\": \"triangular\"}}")
MODULE(linear_lu_random, "linear",
       "{\"features\": 7, \"options\": {\"parameterization\": \"lu\", \"init\": \"random\", \"bias\": false}}")
MODULE(linear_qr, "linear", "{\"options\": {\"parameterization\": \"qr\"}}")
MODULE(linear_qr_random, "linear",
       "{\"features\": 7, \"options\": {\"parameterization\": \"qr\", \"init\": \"random\"}}")
MODULE(linear_qr_few, "linear",
       "{\"features\": 5, \"options\": {\"parameterization\": \"qr\", \"reflections\": 2}}")
MODULE(linear_svd, "linear", "{\"options\": {\"parameterization\": \"svd\"}}")
MODULE(linear_svd_random, "linear",
       "{\"features\": 7, \"options\": {\"parameterization\": \"svd\", \"init\": \"random\"}}")
MODULE(linear_svd_one, "linear", "{\"features\": 1, \"options\": {\"parameterization\": \"svd\"}}")
MODULE(linear_householder, "linear", "{\"options\": {\"parameterization\": \"householder\"}}")
MODULE(linear_householder_odd, "linear",
       "{\"features\": 5, \"options\": {\"parameterization\": \"householder\", \"reflections\": 3, \"init\": \"random\"}}")
MODULE(linear_householder_one, "linear",
       "{\"features\": 1, \"options\": {\"parameterization\": \"householder\", \"reflections\": 2}}")
MODULE(linear_exponential, "linear", "{\"options\": {\"parameterization\": \"exponential\"}}")
MODULE(linear_exponential_random, "linear",
       "{\"features\": 7, \"options\": {\"parameterization\": \"exponential\", \"init\": \"random\"}}")
MODULE(linear_exponential_one, "linear",
       "{\"features\": 1, \"options\": {\"parameterization\": \"exponential\"}}")
MODULE(linear_cayley, "linear", "{\"options\": {\"parameterization\": \"cayley\"}}")
MODULE(linear_cayley_random, "linear",
       "{\"features\": 7, \"options\": {\"parameterization\": \"cayley\", \"init\": \"random\", \"bias\": false}}")
MODULE(linear_low_rank, "linear", "{\"options\": {\"parameterization\": \"low_rank\"}}")
MODULE(linear_low_rank_one, "linear",
       "{\"features\": 7, \"options\": {\"parameterization\": \"low_rank\", \"rank\": 1}}")
MODULE(linear_low_rank_line, "linear", "{\"features\": 1, \"options\": {\"parameterization\": \"low_rank\"}}")
MODULE(affine_gaussian, "affine_gaussian", NULL)
MODULE(affine_gaussian_line, "affine_gaussian", "{\"features\": 1}")
MODULE(affine_gaussian_jitter, "affine_gaussian", "{\"features\": 7, \"options\": {\"jitter\": 0.1}}")
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
MODULE(batch_norm, "batch_norm", NULL)
MODULE(batch_norm_plain, "batch_norm", "{\"options\": {\"affine\": false, \"eps\": 0.1, \"momentum\": 1}}")
MODULE(logit, "logit", NULL)
MODULE(logit_bounds, "logit",
       "{\"points\": \"unit\", \"options\": {\"lower\": -1, \"upper\": 5, \"alpha\": 0.05}}")
/* constrained spaces; those that drop features are refused at one feature, and checked at the others */
MODULE(bounded, "bounded", NULL)
MODULE(bounded_each, "bounded",
       "{\"features\": 5, \"options\": {\"lower\": [-1, 2, -1e300, -1e300, -1e-3], \"upper\": [5, 1e300, 4, 1e300, 1e-3]}}")
MODULE(bounded_soft, "bounded",
       "{\"features\": 3, \"options\": {\"lower\": [2, -1e300, -1e300], \"upper\": [1e300, 4, 1e300], \"tail\": "
       "\"softplus\"}}")
MODULE(positive, "positive", NULL)
MODULE(positive_soft, "positive", "{\"options\": {\"map\": \"softplus\"}}")
MODULE(ordered, "ordered", NULL)
MODULE(ordered_wide, "ordered", "{\"features\": 9}")
MODULE(stick_breaking, "stick_breaking", NULL)
MODULE(stick_breaking_two, "stick_breaking", "{\"features\": 2}")
MODULE(stick_breaking_wide, "stick_breaking", "{\"features\": 11}")
MODULE(sphere, "sphere", NULL)
MODULE(sphere_circle, "sphere", "{\"features\": 2}")
MODULE(sphere_wide, "sphere", "{\"features\": 7}")
MODULE(circle_shift, "circle_shift", NULL)
MODULE(circle_shift_days, "circle_shift",
       "{\"features\": 2, \"options\": {\"lower\": 0, \"upper\": 24, \"start\": [23.5, -40]}}")
MODULE(psd_cholesky, "psd_cholesky", NULL)
MODULE(psd_cholesky_one, "psd_cholesky", "{\"features\": 1}")
MODULE(psd_cholesky_three, "psd_cholesky", "{\"features\": 6}")
MODULE(psd_cholesky_four, "psd_cholesky", "{\"features\": 10}")
MODULE(correlation, "correlation", NULL)
MODULE(correlation_three, "correlation", "{\"features\": 6}")
MODULE(correlation_four, "correlation", "{\"features\": 10}")
MODULE(correlation_matrix, "correlation", "{\"options\": {\"of\": \"matrix\"}}")
MODULE(correlation_matrix_four, "correlation", "{\"features\": 6, \"options\": {\"of\": \"matrix\"}}")
MODULE(dequantize, "dequantize", NULL)
MODULE(dequantize_binary, "dequantize", "{\"options\": {\"levels\": 2}}")
MODULE(elementwise, "elementwise", NULL)
MODULE(elementwise_spline, "elementwise", "{\"children\": {\"univariate\": " SPLINE "}}")
MODULE(elementwise_network, "elementwise",
       "{\"context\": 2, \"children\": {\"univariate\": " SPLINE ", \"network\": " NARROW "}}")
MODULE(elementwise_sigmoid, "elementwise", "{\"children\": {\"univariate\": {\"type\": \"sigmoid\"}}}")
MODULE(elementwise_power, "elementwise", "{\"children\": {\"univariate\": {\"type\": \"power\"}}}")
MODULE(elementwise_prelu, "elementwise", "{\"children\": {\"univariate\": {\"type\": \"prelu\"}}}")
MODULE(elementwise_linear_spline, "elementwise", "{\"children\": {\"univariate\": {\"type\": \"linear_spline\"}}}")
MODULE(elementwise_quadratic_spline, "elementwise",
       "{\"children\": {\"univariate\": {\"type\": \"quadratic_spline\"}}}")
MODULE(elementwise_cubic_spline, "elementwise", "{\"children\": {\"univariate\": {\"type\": \"cubic_spline\"}}}")
MODULE(elementwise_circular_spline, "elementwise",
       "{\"children\": {\"univariate\": {\"type\": \"circular_spline\"}}}")
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
MODULE(coupling_period, "coupling",
       "{\"features\": 5, \"options\": {\"mask\": \"period\", \"period\": 2, \"first\": 1}, \"children\": {\"network\": "
       NARROW "}}")
MODULE(coupling_top, "coupling",
       "{\"image\": [2, 3, 2], \"options\": {\"mask\": \"top\"}, \"children\": {\"network\": " NARROW "}}")
MODULE(coupling_right, "coupling",
       "{\"image\": [1, 2, 3], \"options\": {\"mask\": \"right\"}, \"children\": {\"network\": " NARROW "}}")
MODULE(coupling_checkerboard, "coupling",
       "{\"image\": [2, 2, 2], \"options\": {\"mask\": \"checkerboard\"}, \"children\": {\"network\": " NARROW "}}")
MODULE(coupling_channel, "coupling",
       "{\"image\": [3, 1, 2], \"options\": {\"mask\": \"channel\"}, \"children\": {\"network\": " NARROW "}}")
MODULE(gin, "gin", NULL)
MODULE(gin_one_moved, "gin", "{\"features\": 2, \"children\": {\"network\": " NARROW "}}")
MODULE(gin_odd, "gin",
       "{\"features\": 7, \"options\": {\"mask\": \"even\", \"bound\": 0}, \"children\": {\"network\": " NARROW "}}")
MODULE(reversible, "reversible", NULL)
MODULE(reversible_odd, "reversible",
       "{\"features\": 5, \"children\": {\"f\": " NARROW ", \"g\": {\"type\": \"residual_mlp\", \"options\": "
       "{\"hidden\": 8}}}}")
MODULE(all_in_one, "all_in_one", NULL)
MODULE(all_in_one_hard, "all_in_one",
       "{\"features\": 5, \"options\": {\"permutation\": \"hard\", \"seed\": 3, \"scale\": \"exp\", \"mask\": \"odd\"}, "
       "\"children\": {\"network\": " NARROW "}}")
MODULE(all_in_one_reflections, "all_in_one",
       "{\"options\": {\"reflections\": 2, \"bound\": 0}, \"children\": {\"network\": " NARROW "}}")
MODULE(all_in_one_preserving, "all_in_one",
       "{\"features\": 5, \"options\": {\"volume_preserving\": true}, \"children\": {\"network\": " NARROW "}}")
MODULE(coupling_linear_spline, "coupling",
       "{\"children\": {\"univariate\": {\"type\": \"linear_spline\"}, \"network\": " NARROW "}}")
MODULE(coupling_quadratic_spline, "coupling",
       "{\"children\": {\"univariate\": {\"type\": \"quadratic_spline\"}, \"network\": " NARROW "}}")
MODULE(coupling_cubic_spline, "coupling",
       "{\"children\": {\"univariate\": {\"type\": \"cubic_spline\"}, \"network\": " NARROW "}}")
MODULE(coupling_circular_spline, "coupling",
       "{\"children\": {\"univariate\": {\"type\": \"circular_spline\"}, \"network\": {\"type\": \"periodic\", "
       "\"children\": {\"network\": " NARROW "}}}}")
MODULE(autoregressive, "autoregressive", NULL)
MODULE(autoregressive_reverse, "autoregressive",
       "{\"options\": {\"order\": \"reverse\"}, \"children\": {\"network\": " NARROW_MADE "}}")
MODULE(autoregressive_spline, "autoregressive",
       "{\"options\": {\"order\": \"random\"}, \"children\": {\"univariate\": " SPLINE ", \"network\": " NARROW_MADE
       "}}")
MODULE(autoregressive_given, "autoregressive",
       "{\"features\": 4, \"options\": {\"order\": \"given\", \"order_list\": [2, 4, 1, 3]}, \"children\": "
       "{\"network\": " NARROW_MADE "}}")
MODULE(autoregressive_linear_spline, "autoregressive",
       "{\"children\": {\"univariate\": {\"type\": \"linear_spline\"}, \"network\": " NARROW_MADE "}}")
MODULE(autoregressive_quadratic_spline, "autoregressive",
       "{\"children\": {\"univariate\": {\"type\": \"quadratic_spline\"}, \"network\": " NARROW_MADE "}}")
MODULE(autoregressive_cubic_spline, "autoregressive",
       "{\"children\": {\"univariate\": {\"type\": \"cubic_spline\"}, \"network\": " NARROW_MADE "}}")
MODULE(autoregressive_circular_spline, "autoregressive",
       "{\"children\": {\"univariate\": {\"type\": \"circular_spline\"}, \"network\": {\"type\": \"periodic\", "
       "\"children\": {\"network\": " NARROW_MADE "}}}}")
MODULE(autoregressive_lambert_w, "autoregressive",
       "{\"children\": {\"univariate\": {\"type\": \"lambert_w\"}, \"network\": " NARROW_MADE "}}")
MODULE(bnaf, "bnaf", NULL)
MODULE(bnaf_deep, "bnaf", "{\"options\": {\"hidden\": 3, \"layers\": 2}}")
MODULE(bnaf_normal, "bnaf", "{\"features\": 5, \"options\": {\"hidden\": 4, \"layers\": 2, \"residual\": \"normal\"}}")
MODULE(bnaf_no_residual, "bnaf", "{\"options\": {\"hidden\": 5, \"residual\": \"none\"}}")
MODULE(bnaf_no_residual_deep, "bnaf", "{\"options\": {\"hidden\": 2, \"layers\": 2, \"residual\": \"none\"}}")
MODULE(bnaf_no_hidden, "bnaf", "{\"options\": {\"layers\": 0}}")
MODULE(bnaf_one_unit, "bnaf", "{\"options\": {\"hidden\": 1, \"layers\": 3}}")
MODULE(bnaf_wide, "bnaf", "{\"features\": 3, \"options\": {\"hidden\": 40, \"layers\": 2}}")
MODULE(elementwise_gaussian_mixture_cdf, "elementwise", "{\"children\": {\"univariate\": " GAUSSIANS "}}")
MODULE(coupling_gaussian_mixture_cdf, "coupling",
       "{\"children\": {\"univariate\": " GAUSSIANS ", \"network\": " NARROW "}}")
MODULE(autoregressive_gaussian_mixture_cdf, "autoregressive",
       "{\"children\": {\"univariate\": " GAUSSIANS ", \"network\": " NARROW_MADE "}}")
MODULE(elementwise_logistic_mixture_cdf, "elementwise", "{\"children\": {\"univariate\": " LOGISTICS "}}")
MODULE(coupling_logistic_mixture_cdf, "coupling",
       "{\"children\": {\"univariate\": " LOGISTICS ", \"network\": " NARROW "}}")
MODULE(autoregressive_logistic_mixture_cdf, "autoregressive",
       "{\"children\": {\"univariate\": " LOGISTICS ", \"network\": " NARROW_MADE "}}")
MODULE(elementwise_deep_sigmoidal, "elementwise", "{\"children\": {\"univariate\": " SIGMOIDAL "}}")
MODULE(coupling_deep_sigmoidal, "coupling",
       "{\"children\": {\"univariate\": " SIGMOIDAL ", \"network\": " NARROW "}}")
MODULE(autoregressive_deep_sigmoidal, "autoregressive",
       "{\"children\": {\"univariate\": " SIGMOIDAL ", \"network\": " NARROW_MADE "}}")
MODULE(elementwise_bernstein, "elementwise", "{\"children\": {\"univariate\": " BERNSTEIN "}}")
MODULE(coupling_bernstein, "coupling",
       "{\"children\": {\"univariate\": " BERNSTEIN ", \"network\": " NARROW "}}")
MODULE(autoregressive_bernstein, "autoregressive",
       "{\"children\": {\"univariate\": " BERNSTEIN ", \"network\": " NARROW_MADE "}}")
MODULE(elementwise_sos_polynomial, "elementwise", "{\"children\": {\"univariate\": " SQUARES "}}")
MODULE(coupling_sos_polynomial, "coupling",
       "{\"children\": {\"univariate\": " SQUARES ", \"network\": " NARROW "}}")
MODULE(autoregressive_sos_polynomial, "autoregressive",
       "{\"children\": {\"univariate\": " SQUARES ", \"network\": " NARROW_MADE "}}")
MODULE(elementwise_mixture_unit, "elementwise",
       "{\"children\": {\"univariate\": {\"type\": \"gaussian_mixture_cdf\", \"options\": {\"components\": 3, \"codomain\": "
       "\"unit\"}}}}")

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
MODULE(chain_simplex, "chain",
       "{\"children\": {\"layers\": [{\"type\": \"stick_breaking\"}, {\"type\": \"lu_linear\"}, {\"type\": "
       "\"elementwise\", \"children\": {\"univariate\": " SPLINE "}}]}}")
MODULE(slice_sphere, "slice",
       "{\"features\": 5, \"options\": {\"first\": 2, \"count\": 3}, \"children\": {\"layer\": {\"type\": \"sphere\"}}}")
MODULE(inverse_simplex, "inverse",
       "{\"features\": 3, \"options\": {\"features\": 4}, \"children\": {\"layer\": {\"type\": "
       "\"stick_breaking\"}}}")
MODULE(inverse_sphere, "inverse",
       "{\"features\": 2, \"options\": {\"features\": 3}, \"children\": {\"layer\": {\"type\": \"sphere\"}}}")
MODULE(repeat, "repeat",
       "{\"options\": {\"count\": 2}, \"children\": {\"layers\": [{\"type\": \"elementwise\"}, {\"type\": "
       "\"permutation\"}]}}")

MODULE(embedding, "embedding",
       "{\"features\": 3, \"context\": 2, \"options\": {\"features\": 4}, \"children\": {\"network\": " NARROW
       ", \"layer\": {\"type\": \"coupling\", \"children\": {\"network\": " NARROW "}}}}")
MODULE(embedding_inverse, "embedding",
       "{\"features\": 3, \"context\": 1, \"children\": {\"network\": " NARROW ", \"layer\": {\"type\": \"inverse\", "
       "\"children\": {\"layer\": {\"type\": \"autoregressive\", \"children\": {\"network\": " NARROW_MADE "}}}}}}")

/* ---- fixtures that offer little: the host supplies the rest, and both together keep every promise ---- */
FIXTURE(methods)
FIXTURE(honest)
FIXTURE(not_reentrant)
FIXTURE(no_inverse)
FIXTURE(no_inverse_vjp)
FIXTURE(only_f64)
FIXTURE(only_f32)
FIXTURE(bare_univariate)
FIXTURE(bare_network)
FIXTURE(honest_density)
FIXTURE(honest_hyperbola)
FIXTURE(honest_univariate)
FIXTURE(honest_secant)
FIXTURE(honest_coupled)
FIXTURE(honest_simplex)
FIXTURE(honest_sphere)

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
BROKEN(broken_identity, "identity")
BROKEN(broken_volume, "forward.log_det")
BROKEN(broken_surface, "forward.log_det")
BROKEN(broken_dependent, "forward.log_det")
BROKEN(broken_tangent, "forward.log_det")
BROKEN(broken_through, "forward.vjp_inputs")
BROKEN(broken_codomain, "inverse.codomain")
BROKEN(broken_outside, "forward.outside")
BROKEN(broken_autoregressive, "autoregressive")
BROKEN(broken_mass, "normalised")
BROKEN(broken_sampler, "sampler")
BROKEN(broken_density_pair, "normalised")
BROKEN(broken_density_second, "sampler")
BROKEN(broken_density_copy, "sampler")
BROKEN(broken_batch_log_det, "batch_vjp")
BROKEN(broken_batch_product, "batch_vjp")
BROKEN(broken_batch_statistics, "batch_log_det")

/* A sign, a dropped term of a VJP, and a wrong branch, in a layer, a univariate, a density and a network. */
BROKEN(broken_hyperbola_log_det, "forward.log_det")
BROKEN(broken_hyperbola_inputs, "forward.vjp_inputs")
BROKEN(broken_hyperbola_parameters, "forward.vjp_parameters")
BROKEN(broken_hyperbola_context, "forward.vjp_context")
BROKEN(broken_hyperbola_branch, "round_trip")
BROKEN(broken_univariate_log_det, "forward.log_det")
BROKEN(broken_univariate_inputs, "forward.vjp_inputs")
BROKEN(broken_univariate_elements, "forward.vjp_element_params")
BROKEN(broken_univariate_parameters, "forward.vjp_parameters")
BROKEN(broken_univariate_context, "forward.vjp_context")
BROKEN(broken_univariate_branch, "round_trip")
BROKEN(broken_density_scale, "normalised")
BROKEN(broken_density_inputs, "log_density.vjp_inputs")
BROKEN(broken_density_parameters, "log_density.vjp_parameters")
BROKEN(broken_density_context, "log_density.vjp_context")
BROKEN(broken_density_branch, "sampler")
BROKEN(broken_network_inputs, "forward.vjp_inputs")
BROKEN(broken_network_parameters, "forward.vjp_parameters")
BROKEN(broken_network_context, "forward.vjp_context")

/* ---- loading ---- */
BROKEN_AS(broken_crash, crashes, "loads", NULL)
BROKEN_AS(broken_hang, hangs, "loads", "{\"timeout\": 0.5}")
BROKEN_AS(broken_draft, other_draft, "loads", NULL)
BROKEN_AS(broken_exports, two_symbols, "exports", NULL)
BROKEN_AS(broken_image, writable_code, "image", NULL)
BROKEN_AS(broken_imports, asks_host, "imports", NULL)
BROKEN_AS(broken_needs, undeclared, "needs", NULL)
BROKEN_AS(broken_fast_math, fast_math, "quiet_load", NULL)
BROKEN_AS(broken_thread, leaves_thread, "quiet_load", NULL)
BROKEN_AS(broken_load_time, slow_load, "load_time", "{\"only\": \"load_time\"}")
BROKEN_AS(broken_root, two_roots, "same_root", NULL)
BROKEN_AS(broken_index, any_index, "junk_ids", NULL)
FIXTURE(noisy)

/* ---- what ends a process ---- */
BROKEN_AS(broken_exit, exits_in_call, "forward.bounds", NULL)
BROKEN_AS(broken_abort, aborts_in_call, "forward.bounds", NULL)
BROKEN_AS(broken_stack, smashes_stack_in_call, "forward.bounds", NULL)
BROKEN_AS(broken_jump, longjmps_in_call, "forward.bounds", NULL)
BROKEN_AS(broken_patience, hangs_in_call, "forward.bounds", "{\"timeout\": 0.3}")

/* ---- instances, memory, threads and what is shared with the process ---- */
BROKEN(broken_no_doc, "descriptor")
BROKEN(broken_tired, "lifetime")
BROKEN(broken_leaks, "leaks")
BROKEN_MODULE(broken_foreign_derivative, "foreign", "forward.vjp_inputs",
              "{\"options\": {\"declaration\": \"wrong_derivative\"}}")
BROKEN_MODULE(broken_foreign_second, "foreign", "forward.vjp_inputs",
              "{\"options\": {\"declaration\": \"wrong_second\"}}")
BROKEN(broken_prepare, "prepare")
BROKEN(broken_methods, "methods")
BROKEN(broken_learns, "state_saved")
BROKEN(broken_trusting, "random_state")
BROKEN(broken_global, "forward.interleaved")
BROKEN(broken_threads, "forward.two_threads")
BROKEN(broken_rounding, "quiet_calls")
BROKEN(broken_allocates, "forward.allocations")
BROKEN(broken_tail, "forward.struct_tails")
BROKEN(broken_scratch, "forward.repeatable")
BROKEN(broken_frozen, "forward.optional_arguments")
BROKEN(broken_status, "forward.gradients_add")
BROKEN_AS(broken_overread, broken_overread, "forward.bounds", "{\"level\": \"full\"}")
BROKEN_AS(broken_borrowed_input, broken_borrowed_input, "forward.inputs_kept", "{\"level\": \"full\"}")

/* ---- mathematics, behaviour ---- */
BROKEN(broken_inverse_log_det, "log_det_sum")
BROKEN(broken_convergence, "convergence")
BROKEN(broken_says_volume, "forward.volume")
BROKEN(broken_lane_index, "forward.lane_index")
BROKEN(broken_neighbour, "forward.elementwise")
BROKEN(broken_sweep, "sweep")
BROKEN(broken_sweep_vjp, "sweep_vjp")
BROKEN(broken_observe_again, "observe_repeats")
BROKEN(broken_merge, "observe_merges")
BROKEN_AS(broken_inverse_back, broken_inverse_scale, "round_trip_back", NULL)
BROKEN_AS(broken_joint, broken_hyperbola_inputs, "forward.vjp_joint", NULL)
