--- Neural spline flow with couplings (Durkan et al. 2019, arXiv:1906.04032), RQ-NSF (C).

local weir = require "weir"

return {
  summary = "rational-quadratic spline couplings: flexible, fast both ways",
  options = {
    { "transforms", 8, "number of couplings" },
    { "hidden", { 128, 128 }, "widths of each coupling's network" },
    { "bins", 8, "bins of each spline" },
    { "bound", 5, "the splines act on [-bound, bound] of the standardized data" },
    { "activation", "relu", "of the networks" },
    { "mixing", "lu", "between couplings: lu (a learned matrix), random (a permutation), none" },
  },
  training = {},
  layers = function(o)
    return {
      weir.standardize(),
      weir.stack(o.transforms, function(i)
        return weir.presets.mixing(o.mixing, i), weir.coupling {
          mask = i % 2 == 1 and "even" or "odd",
          univariate = weir.rq_spline { bins = o.bins, bound = o.bound },
          network = weir.mlp { hidden = o.hidden, activation = o.activation },
        }
      end),
    }
  end,
}
