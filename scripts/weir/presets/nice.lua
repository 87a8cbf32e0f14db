--- NICE (Dinh et al. 2015, arXiv:1410.8516): additive couplings, then a scale for each feature.

local weir = require "weir"

return {
  summary = "additive couplings that keep volume, and one scale per feature: the simplest flow",
  options = {
    { "transforms", 8, "number of couplings" },
    { "hidden", { 128, 128 }, "widths of each coupling's network" },
    { "activation", "relu", "of the networks" },
    { "mixing", "none", "between couplings: lu (a learned matrix), random (a permutation), none" },
  },
  training = {},
  layers = function(o)
    return {
      weir.standardize(),
      weir.stack(o.transforms, function(i)
        return weir.presets.mixing(o.mixing, i), weir.coupling {
          mask = i % 2 == 1 and "even" or "odd",
          univariate = weir.additive(),
          network = weir.mlp { hidden = o.hidden, activation = o.activation },
        }
      end),
      weir.elementwise { univariate = weir.affine() },
    }
  end,
}
