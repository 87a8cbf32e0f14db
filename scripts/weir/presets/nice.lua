--- NICE (Dinh et al. 2015, arXiv:1410.8516): additive couplings, then a scale for each feature.
-- As there: odd and even features in turn, and no mixing but that. The paper has 4 couplings and deeper networks.

local weir = require "weir"

return {
  summary = "additive couplings that keep volume, and one scale per feature: the simplest flow",
  options = {
    { "transforms", 8, "number of couplings" },
    { "hidden", { 128, 128 }, "widths of each coupling's network" },
    { "activation", "relu", "of the networks" },
    { "mixing", "none", "between couplings: lu (a learned matrix), random (a permutation), none" },
    { "masks", "alternate", "what passes: alternate (even, odd, ...), schedule (stripes of 1, D/2, 2, ... features)" },
  },
  training = {},
  layers = function(o, features)
    return {
      weir.standardize(),
      weir.stack(o.transforms, function(i)
        return weir.presets.mixing(o.mixing, i), weir.coupling(weir.presets.masked(o.masks, i, features, {
          univariate = weir.additive(),
          network = weir.mlp { hidden = o.hidden, activation = o.activation },
        }))
      end),
      -- The paper's scaling exp(s), without a bound; the shift that comes with it is no more than a bias of the couplings.
      weir.elementwise { univariate = weir.affine { bound = 0 } },
    }
  end,
}
