--- RealNVP (Dinh et al. 2017, arXiv:1605.08803): affine couplings over alternating halves.

local weir = require "weir"

return {
  summary = "affine couplings: fast both ways, the usual first choice for many features",
  options = {
    { "transforms", 10, "number of couplings" },
    { "hidden", { 128, 128 }, "widths of each coupling's network" },
    { "activation", "relu", "of the networks" },
    { "bound", 3, "largest log-scale of a coupling" },
    { "mixing", "lu", "between couplings: lu (a learned matrix), random (a permutation), none" },
  },
  layers = function(o)
    return {
      weir.standardize(),
      weir.stack(o.transforms, function(i)
        return weir.presets.mixing(o.mixing, i), weir.coupling {
          mask = i % 2 == 1 and "even" or "odd",
          univariate = weir.affine { bound = o.bound },
          network = weir.mlp { hidden = o.hidden, activation = o.activation },
        }
      end),
    }
  end,
}
