--- Masked autoregressive flow (Papamakarios et al. 2017, arXiv:1705.07057).

local weir = require "weir"

return {
  summary = "affine autoregressive transforms: good densities, sampling feature by feature",
  options = {
    { "transforms", 5, "number of autoregressive transforms" },
    { "hidden", { 128, 128 }, "widths of each transform's masked network" },
    { "activation", "relu", "of the networks" },
    { "bound", 3, "largest log-scale of a transform" },
    { "mixing", "lu", "between transforms: lu (a learned matrix), random (a permutation), none" },
  },
  training = {},
  layers = function(o)
    return {
      weir.standardize(),
      weir.stack(o.transforms, function(i)
        return weir.presets.mixing(o.mixing, i), weir.autoregressive {
          order = i % 2 == 1 and "natural" or "reverse",
          univariate = weir.affine { bound = o.bound },
          network = weir.made { hidden = o.hidden, activation = o.activation },
        }
      end),
    }
  end,
}
