--- RealNVP (Dinh et al. 2017, arXiv:1605.08803): affine couplings over alternating halves.
-- The paper normalises batches between couplings; here the data is standardized once, and mixing = none leaves the masks
-- alone to mix, as there. The log-scale is bounded by tanh, as there, with a fixed bound in place of a learned one.

local weir = require "weir"

return {
  summary = "affine couplings: fast both ways, the usual first choice for many features",
  options = {
    { "transforms", 10, "number of couplings" },
    { "hidden", { 128, 128 }, "widths of each coupling's network" },
    { "activation", "relu", "of the networks" },
    { "bound", 3, "largest log-scale of a coupling" },
    { "mixing", "lu", "between couplings: lu (a learned matrix), random (a permutation), none" },
    { "masks", "alternate", "what passes: alternate (even, odd, ...), schedule (stripes of 1, D/2, 2, ... features)" },
  },
  layers = function(o, features)
    return {
      weir.standardize(),
      weir.stack(o.transforms, function(i)
        return weir.presets.mixing(o.mixing, i), weir.coupling(weir.presets.masked(o.masks, i, features, {
          univariate = weir.affine { bound = o.bound },
          network = weir.mlp { hidden = o.hidden, activation = o.activation },
        }))
      end),
    }
  end,
}
