--- A normalizing flow of Fashion-MNIST images, compared with full-covariance Gaussians.
--
--     weir examples/fashion_mnist.lua [FOLDER]
--
-- Reads the IDX files of the Debian package dataset-fashion-mnist, trains for a good minute on two cores, prints
-- held-out bits per dimension, and writes model.safetensors and samples.png into the working folder.

local weir = require "weir"

local folder = arg[1] or "/usr/share/datasets/fashion-mnist"
local side, levels = 28, 256
local features = side * side

local train = weir.array.load(folder .. "/train-images-idx3-ubyte.gz")
local test = weir.array.load(folder .. "/t10k-images-idx3-ubyte.gz")
print(("Fashion-MNIST: %d images to learn from, %d held out"):format(train:rows(), test:rows()))

--- What passes in turn: the two colours of a chessboard, then rows, then columns, each followed by its complement. A
--- pixel is best predicted from its neighbours.
local masks = {
  { mask = "checkerboard_swapped" }, { mask = "checkerboard" },
  { mask = "period", period = side, first = 1 }, { mask = "period", period = side, first = 0 },
  { mask = "odd" }, { mask = "even" },
}

-- Integers become numbers in (0, 1) by noise within each level, then numbers on the whole line; the couplings shape the
-- rest. The narrow last layer of the networks keeps their many outputs cheap.
local noise = weir.dequantize { levels = levels }
local unbounded = weir.logit { alpha = 1e-6 }
local flow = weir.flow {
  noise,
  unbounded,
  weir.standardize(),
  weir.stack(#masks, function(i)
    return weir.coupling {
      mask = masks[i].mask, period = masks[i].period, first = masks[i].first,
      univariate = weir.rq_spline { bins = 6 },
      network = weir.mlp { hidden = { 256, 64 } },
    }
  end),
  image = { 1, side, side },
  seed = 1,
}

flow:fit(train, { epochs = 4, batch = 128, lr = 2e-3, warmup = 200, validation = 1 / 60, seed = 1 })

--- Bits per dimension of log densities in nats, over units of one level.
local function bits(log_p)
  return -log_p:mean() / features / math.log(2)
end

--- Held-out bits of the Gaussian of highest likelihood in the space that the layers lead to. The noise is keyed by row
--- and seed, so it is the noise that the flow was scored with.
local function gaussian_bits(layers)
  layers.features = features
  local space = weir.flow(layers)
  local mean, covariance = space:forward(train):covariance()
  local factor = assert(covariance:cholesky())
  local z, log_det = space:forward(test)
  return bits(z:gaussian_log_prob(mean, factor) + log_det)
end

local log_p, discarded = flow:log_prob(test)
if discarded > 0 then error(("%d held-out images have no finite density"):format(discarded)) end
local pixel, logit = gaussian_bits { noise }, gaussian_bits { noise, unbounded }

print "held-out bits per dimension"
print(("  flow                            %.4f"):format(bits(log_p)))
print(("  full-covariance Gaussian, logit %.4f"):format(logit))
print(("  full-covariance Gaussian, pixel %.4f"):format(pixel))

flow:save "model.safetensors"
weir.plot.images(flow:sample(100, { seed = 1 }), { file = "samples.png", shape = { side, side }, columns = 10, low = 0,
  high = levels - 1, title = "samples" })
print "wrote model.safetensors and samples.png"
