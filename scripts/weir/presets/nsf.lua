--- Neural spline flow with couplings (Durkan et al. 2019, arXiv:1906.04032), RQ-NSF (C).
-- As there: 8 bins, linear tails, a matrix as P L U between couplings. The paper's networks are residual, and its splines of
-- tabular data act on [-3, 3]; here a plain network does, and data far out stay inside the splines.

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
    { "masks", "alternate", "what passes: alternate (even, odd, ...), schedule (stripes of 1, D/2, 2, ... features)" },
  },
  training = {},
  layers = function(o, features)
    return {
      weir.standardize(),
      weir.stack(o.transforms, function(i)
        return weir.presets.mixing(o.mixing, i), weir.coupling(weir.presets.masked(o.masks, i, features, {
          univariate = weir.rq_spline { bins = o.bins, bound = o.bound },
          network = weir.mlp { hidden = o.hidden, activation = o.activation },
        }))
      end),
    }
  end,
}
