--- BSDS300 at full size: a masked autoregressive flow of a million image patches, against the published figures.
--
--     weir tests/bench/bsds300.lua FOLDER [MINUTES [LAYERS]]
--
-- FOLDER holds bsds300_{train,val,test}_patch_u8.npy: 8 x 8 grey patches of the BSDS300 images, one a row, in 8 bits. They
-- become the 63-dimensional data of Papamakarios, Pavlakou and Murray (2017) by their recipe: uniform noise within a level,
-- each patch's mean taken off, the last pixel dropped. LAYERS (5) autoregressive layers of 2 x 512 train for as many epochs
-- as MINUTES (60) allow by a measured pace, a tenth of them left for validation and for rows that come from far in memory; the
-- rate falls to 0 in the last epoch. Into the working folder go bsds300.jsonl
-- (a line for every epoch), bsds300.png (the curve) and bsds300.safetensors.
--
-- Published test log-likelihoods, nats: MAF (5 layers) 155.69 (Papamakarios et al. 2017), RQ-NSF (AR) 157.31 and RQ-NSF (C)
-- 157.54 (Durkan et al. 2019).

local weir = require "weir"
local core = require "weir.core"

local folder = arg[1] or error("usage: weir bsds300.lua FOLDER [MINUTES [LAYERS]]", 0)
local minutes, layers = tonumber(arg[2]) or 60, tonumber(arg[3]) or 5
local side, batch = 8, 512

--- The 63 numbers of every patch of a part, noise by a seed of the part's own.
local function patches(part, seed)
  local levels = weir.array.load(("%s/bsds300_%s_patch_u8.npy"):format(folder, part))
  local noise = core.random(seed):uniform(levels:rows(), side * side)
  local values = (levels + noise):mul(1 / 256)
  local means = values:transpose():mean(1):transpose()
  local columns = {}
  for j = 1, side * side - 1 do columns[j] = j end
  return (values - means):select(columns):cast "f32"
end

local function flow()
  return weir.flow {
    weir.standardize(),
    weir.stack(layers, function(i)
      return { weir.autoregressive { network = weir.made { hidden = { 512, 512 } } },
        i < layers and weir.permutation { kind = "reverse" } or nil }
    end),
    features = side * side - 1, seed = 1,
  }
end

--- Rows a second of training.
local function pace(data)
  local list = {}
  for i = 1, 40 * batch do list[i] = i end
  local some = data:take(list)
  local trial = flow()
  trial:fit(some, { epochs = 1, batch = batch, validation = false, progress = false })
  local started = core.clock()
  trial:fit(some, { epochs = 1, batch = batch, validation = false, progress = false })
  return some:rows() / (core.clock() - started)
end

local train, validation, test = patches("train", 1), patches("val", 2), patches("test", 3)
local rate = pace(train)
local epochs = math.max(1, math.floor(0.9 * minutes * 60 * rate / train:rows()))
print(("%d rows of %d; %.0f rows a second: %d epochs in %g minutes"):format(train:rows(), train:columns(), rate, epochs,
  minutes))

local model = flow()
local started = core.clock()
model:fit(train, { epochs = epochs, batch = batch, lr = 1e-3, warmup = 1000, validation = validation,
  patience = 0, log = "bsds300.jsonl", seed = 1 })
print(("trained for %.1f minutes"):format((core.clock() - started) / 60))

local log_p, discarded = model:log_prob(test)
print(("test log-likelihood %.2f +- %.2f nats (two standard errors, %d rows, %d without a density)"):format(log_p:mean(),
  2 * log_p:std() / math.sqrt(log_p:rows()), log_p:rows(), discarded))
model:save "bsds300.safetensors"
weir.plot.training(model, { file = "bsds300.png" })
