--- Autoregressive neural spline flow (Durkan et al. 2019, arXiv:1906.04032), RQ-NSF (AR).

local weir = require "weir"

return {
  summary = "rational-quadratic spline autoregressive transforms: the best densities here, the default",
  options = {
    { "transforms", 5, "number of autoregressive transforms" },
    { "hidden", { 128, 128 }, "widths of each transform's masked network" },
    { "bins", 8, "bins of each spline" },
    { "bound", 5, "the splines act on [-bound, bound] of the standardized data" },
    { "activation", "relu", "of the networks" },
    { "mixing", "lu", "between transforms: lu (a learned matrix), random (a permutation), none" },
  },
  training = {},
  layers = function(o)
    return {
      weir.standardize(),
      weir.stack(o.transforms, function(i)
        return weir.presets.mixing(o.mixing, i), weir.autoregressive {
          order = i % 2 == 1 and "natural" or "reverse",
          univariate = weir.rq_spline { bins = o.bins, bound = o.bound },
          network = weir.made { hidden = o.hidden, activation = o.activation },
        }
      end),
    }
  end,
}
