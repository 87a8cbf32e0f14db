--- Inverse autoregressive flow (Kingma et al. 2016, arXiv:1606.04934): MAF's transforms, run the other way.

local weir = require "weir"

return {
  summary = "inverted autoregressive transforms: sampling in one pass, densities feature by feature",
  options = {
    { "transforms", 5, "number of transforms" },
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
        return weir.presets.mixing(o.mixing, i), weir.inverse { weir.autoregressive {
          order = i % 2 == 1 and "natural" or "reverse",
          univariate = weir.affine { bound = o.bound },
          network = weir.made { hidden = o.hidden, activation = o.activation },
        } }
      end),
    }
  end,
}
