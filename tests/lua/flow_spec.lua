local weir = require "weir"
local core = require "weir.core"

local function small(options)
  options = options or {}
  options[1] = weir.standardize()
  options[2] = weir.stack(3, function(i)
    return weir.coupling { mask = i % 2 == 0 and "even" or "odd", univariate = weir.rq_spline { bins = 5 },
      network = weir.mlp { hidden = { 16 } } }
  end)
  return weir.flow(options)
end

local function bytes(path)
  local file = assert(io.open(path, "rb"))
  local all = file:read "*a"
  file:close()
  return all
end

local quiet = { progress = false }
local function with(options)
  for key, value in pairs(quiet) do options[key] = value end
  return options
end

describe("flows", function()
  local moons = weir.data.two_moons { n = 1200, seed = 1 }

  it("learn: the density of held-out rows beats a Gaussian's by far", function()
    local parts = moons:split { 0.8, 0.1, 0.1, seed = 1 }
    local flow = small()
    local record = flow:fit(parts, with { epochs = 30, batch = 128, lr = 5e-3 })
    local mean, covariance = parts.train.x:covariance()
    local gaussian = parts.test.x:gaussian_log_prob(mean, covariance:cholesky()):mean()
    assert.truthy(flow:log_prob(parts.test):mean() > gaussian + 0.5)
    assert.equal(30, #record.history)
    assert.truthy(record.best_epoch > 0)
    -- the best weights are those in the model
    assert.near(record.best, flow:log_prob(parts.validation):mean(), 1e-12)
  end)

  it("give samples whose density is the one they say", function()
    local flow = small()
    flow:fit(moons, with { epochs = 3 })
    local x, log_p = flow:sample(200, { seed = 5 })
    local again = flow:log_prob(x)
    for i = 1, 200 do assert.near(again:get(i), log_p:get(i), 2e-3) end
    assert.same(x:to_table(), (flow:sample(200, { seed = 5 })):to_table())
    assert.not_same(x:to_table(), (flow:sample(200, { seed = 6 })):to_table())
    assert.not_same(flow:sample(5):to_table(), flow:sample(5):to_table())
  end)

  it("map there and back, with log-dets of opposite sign", function()
    local flow = small { dtype = "f64" }
    flow:fit(moons, with { epochs = 2 })
    local z, log_det = flow:forward(moons)
    local x, back = flow:inverse(z)
    for i = 1, moons:rows(), 50 do
      assert.near(moons.x:get(i, 1), x:get(i, 1), 1e-9)
      assert.near(0, log_det:get(i) + back:get(i), 1e-9)
    end
  end)

  it("score is the gradient of the log density", function()
    local flow = small { dtype = "f64" }
    flow:fit(moons, with { epochs = 2 })
    local at = moons.x:slice(1, 5):cast "f64"
    local score = flow:score(at)
    local h = 1e-6
    for j = 1, 2 do
      local up, down = at + 0, at + 0
      for i = 1, 5 do
        up:set(i, j, at:get(i, j) + h)
        down:set(i, j, at:get(i, j) - h)
      end
      local difference = (flow:log_prob(up) - flow:log_prob(down)) / (2 * h)
      for i = 1, 5 do assert.near(difference:get(i), score:get(i, j), 1e-4 * (1 + math.abs(score:get(i, j)))) end
    end
  end)

  it("save and load without a change, metadata included", function()
    local flow = small { metadata = { note = "hello", list = core.list {} } }
    flow:fit(moons, with { epochs = 2 })
    flow:save "flow.safetensors"
    local back = weir.load "flow.safetensors"
    assert.same(flow:log_prob(moons):to_table(), back:log_prob(moons):to_table())
    assert.equal("hello", back.metadata.note)
    assert.equal(2, back.metadata.training.epochs)
    back:save "again.safetensors"
    assert.equal(bytes "flow.safetensors", bytes "again.safetensors")
    assert.equal(tostring(flow), tostring(back))
    assert.truthy(tostring(flow):find "1. standardize")
  end)

  it("train to the same bits again", function()
    for _, name in ipairs { "one.safetensors", "two.safetensors" } do
      local flow = small { seed = 3 }
      flow:fit(moons, with { epochs = 3, seed = 3 })
      flow:save(name)
    end
    assert.equal(bytes "one.safetensors", bytes "two.safetensors")
    local flow = small { seed = 4 }
    flow:fit(moons, with { epochs = 3, seed = 4 })
    flow:save "three.safetensors"
    assert.not_equal(bytes "one.safetensors", bytes "three.safetensors")
  end)

  it("resume exactly where an epoch ended", function()
    local function options(more)
      local out = with { epochs = 6, batch = 100, seed = 2, patience = 4 }
      for key, value in pairs(more) do out[key] = value end
      return out
    end
    local whole = small()
    whole:fit(moons, options {})
    whole:save "whole.safetensors"
    local first = small()
    assert.has_error(function()
      first:fit(moons, options { checkpoint = "stop.safetensors", checkpoint_every = 0, on_epoch = function(state)
        if state.epoch == 4 then error("stop", 0) end -- the checkpoint of epoch 3 is on the disk
      end })
    end, "stop")
    local second = small()
    second:fit(moons, options { resume = "stop.safetensors" })
    second:save "resumed.safetensors"
    assert.equal(bytes "whole.safetensors", bytes "resumed.safetensors")
  end)

  it("refuse to resume with other data or options", function()
    local flow = small()
    flow:fit(moons, with { epochs = 2, checkpoint = "c.safetensors" })
    local function complaint(set, options)
      local ok, message = pcall(function() small():fit(set, with(options)) end)
      assert.is_false(ok)
      return message
    end
    assert.truthy(complaint(weir.data.two_moons { n = 1200, seed = 9 }, { epochs = 2, resume = "c.safetensors" })
      :find "other training data")
    assert.truthy(complaint(moons, { epochs = 2, lr = 1, resume = "c.safetensors" }):find "lr")
    assert.truthy(complaint(moons, { epochs = 2, resume = "none.safetensors" }):find "none.safetensors")
  end)

  it("stop with the layer's name when no step has a finite gradient", function()
    local flow = weir.flow { weir.standardize(), weir.lu_linear(), weir.autoregressive() }
    local ok, message = pcall(function() flow:fit(moons, with { lr = 1e30, clip = 0, epochs = 5 }) end)
    assert.is_false(ok)
    assert.truthy(message:find "no finite gradients: flow%.%d %(lu_linear%)")
  end)

  it("go back to the best weights when parameters break on the way", function()
    local flow = small()
    local broken
    local record = flow:fit(moons, with { epochs = 6, batch = 50, on_epoch = function(state)
      if state.epoch ~= 2 then return end
      for _, tensor in ipairs(flow:parameters()) do
        if tensor.kind == "parameter" then
          broken = true
          flow:set_tensor(tensor.name, flow:tensor(tensor.name) * (0 / 0))
        end
      end
    end })
    assert.is_true(broken)
    assert.equal(10, record.skipped)
    assert.equal(6, record.epochs)
    assert.truthy(record.best_epoch > 2) -- it learned on
    assert.equal(0, select(2, flow:log_prob(moons)))
  end)

  it("see the rows in another order in every epoch", function()
    -- with a rate of 0 the loss of an epoch is that of its rows: two epochs of the same rows would agree to the bit
    local set = weir.data.two_moons { n = 100, seed = 4 }
    local record = small():fit(set, with { epochs = 2, batch = 70, lr = 0, validation = false })
    assert.not_equal(record.history[1][1], record.history[2][1])
  end)

  it("stop early and keep the best weights", function()
    local set = weir.data.two_moons { n = 120, seed = 3 } -- few rows: it overfits
    local flow = small()
    local record = flow:fit(set, with { epochs = 400, batch = 32, lr = 0.02, patience = 5, schedule = "constant" })
    assert.truthy(record.epochs < 400)
    assert.equal(record.epochs, record.best_epoch + 5)
  end)

  it("keep the last weights when asked", function()
    local set = weir.data.two_moons { n = 60, seed = 4 }
    local figures = {}
    for _, keep in ipairs { "best", "last" } do
      local flow = small()
      local parts = set:split { 0.5, 0.5, seed = 1 }
      local record = flow:fit(parts, with { epochs = 60, batch = 16, lr = 0.05, patience = 0, schedule = "constant",
        keep = keep })
      assert.truthy(record.best_epoch < 60)
      figures[keep] = flow:log_prob(parts.validation):mean()
      if keep == "best" then assert.near(record.best, figures[keep], 1e-5) end
    end
    assert.truthy(figures.last < figures.best)
    assert.has_error(function() small():fit(set, with { keep = "first" }) end)
  end)

  it("weigh rows: a row of weight 0 might as well be absent", function()
    local rows, weights = {}, {}
    for i = 1, 400 do
      local far = i % 2 == 0
      rows[i] = { far and 50 or moons.x:get(i, 1), moons.x:get(i, 2) }
      weights[i] = far and 0 or 1
    end
    local flow = weir.flow { weir.elementwise { univariate = weir.affine() } }
    flow:fit(weir.array.from(rows), with { weights = weir.array.from(weights), epochs = 60, lr = 0.05, validation = false })
    assert.truthy(math.abs(flow:sample(500):mean(1):get(1, 1)) < 1)
  end)

  it("learn a density given a context", function()
    local random = weir.random(2)
    local x, context = core.array.new("f64", 2000, 1), core.array.new("f64", 2000, 1)
    for i = 1, 2000 do
      local c = random:uniform() * 2 - 1
      context:set(i, 1, c)
      x:set(i, 1, 2 * c + 0.1 * random:normal())
    end
    local flow = weir.flow { weir.standardize(), weir.autoregressive { network = weir.made { hidden = { 32 } } } }
    flow:fit(x, with { context = context, epochs = 30, lr = 1e-2 })
    assert.near(1, flow:sample(500, { context = { 0.5 } }):mean(), 0.1)
    assert.near(-1, flow:sample(500, { context = { -0.5 } }):mean(), 0.1)
    assert.has_error(function() flow:log_prob(x) end)
  end)

  it("say what is wrong with their data", function()
    local function complaint(values, options)
      local ok, message = pcall(function() small():fit(values, with(options or {})) end)
      assert.is_false(ok)
      assert.is_nil(message:find "\n")
      return message
    end
    assert.truthy(complaint({ { 1, 2 }, { 3, 0 / 0 }, { 1, 1 }, { 2, 2 }, { 1, 4 }, { 1, 2 } }):find "row %d")
    assert.truthy(complaint(moons, { epochs = 0 }):find "epochs")
    assert.truthy(complaint(moons, { epoch = 3 }):find "did you mean epochs")
    assert.truthy(complaint(moons, { schedule = "cosin" }):find "did you mean cosine")
    assert.truthy(complaint(3):find "expected an array")
    assert.has_error(function() small():log_prob(moons) end)
    assert.has_error(function() weir.load "none.safetensors" end)
  end)

  it("can be read and written tensor by tensor", function()
    local flow = small { features = 2 }
    local list = flow:parameters()
    local count = 0
    for _, tensor in ipairs(list) do
      if tensor.kind == "parameter" then count = count + tensor.count end
    end
    assert.equal(count, flow:get_model():get "parameters")
    local name = list[#list].name
    local values = flow:tensor(name) + 1
    flow:set_tensor(name, values)
    assert.same(values:cast("f32"):to_table(), flow:tensor(name):cast("f32"):to_table())
    assert.has_error(function() flow:tensor "nope" end)
    assert.has_error(function() flow:set_tensor(name, weir.array.new("f64", 1)) end)
    flow:freeze "*"
    assert.has_error(function() flow:freeze "nothing*" end)
  end)
end)

describe("loops of one's own", function()
  it("lower the loss", function()
    local moons = weir.data.two_moons { n = 1000, seed = 1 }
    local flow = small { features = 2 }
    flow:initialize(moons)
    local trainer = flow:trainer { optimizer = "adamw", weight_decay = 1e-4, clip = 5 }
    local first, last
    for epoch = 1, 8 do
      for rows in weir.optim.batches(moons, 100, { seed = 1, epoch = epoch }) do
        local result = trainer:step { x = moons, rows = rows, learning_rate = 5e-3, epoch = epoch }
        assert.is_true(result.applied)
        first, last = first or result.loss, result.loss
      end
    end
    assert.truthy(last < first - 0.3)
    local orders = {}
    for epoch = 1, 2 do
      local seen = {}
      for rows in weir.optim.batches(10, 4, { epoch = epoch }) do
        assert.equal(4, rows:rows())
        for i = 1, 4 do seen[#seen + 1] = rows:get(i) end
      end
      assert.equal(8, #seen) -- the last batch, which would not be full, is left out
      orders[epoch] = table.concat(seen, ",")
    end
    assert.not_equal(orders[1], orders[2])
    assert.has_error(function() trainer:step { x = moons, rowss = 1 } end)
    assert.has_error(function() trainer:step { x = moons, rows = weir.array.from({ 1001 }, "i64") } end)
    assert.has_error(function() trainer:step {} end)
  end)

  it("give gradients that agree with differences", function()
    local moons = weir.data.two_moons { n = 64, seed = 1 }
    local flow = small { features = 2, dtype = "f64" }
    flow:initialize(moons)
    local trainer = flow:trainer()
    local result, gradient = trainer:gradient { x = moons }
    local at = 1
    for _, tensor in ipairs(flow:parameters()) do
      if tensor.kind == "parameter" then
        local values = flow:tensor(tensor.name)
        local h, before = 1e-6, values:get(1, 1)
        values:set(1, 1, before + h)
        flow:set_tensor(tensor.name, values)
        local up = trainer:gradient({ x = moons }).loss
        values:set(1, 1, before)
        flow:set_tensor(tensor.name, values)
        assert.near((up - result.loss) / h, gradient:get(at), 1e-4)
        at = at + tensor.count
      end
    end
    assert.equal(gradient:rows() + 1, at)
  end)
end)

describe("reverse KL", function()
  local function target(x)
    local rows = x:rows()
    local values, gradients = weir.array.new("f64", rows), weir.array.new("f64", rows, 2)
    for i = 1, rows do
      local a, b = (x:get(i, 1) - 3) / 0.5, (x:get(i, 2) + 1) / 2
      values:set(i, -0.5 * (a * a + b * b))
      gradients:set(i, 1, -a / 0.5)
      gradients:set(i, 2, -b / 2)
    end
    return values, gradients
  end

  local function affine() return weir.flow { features = 2, weir.inverse { weir.elementwise { univariate = weir.affine() } } } end

  it("fits a Gaussian that a Lua function describes", function()
    local flow = affine()
    flow:fit(nil, with { target = target, epochs = 5, steps_per_epoch = 150, samples = 256, lr = 0.02, patience = 0 })
    local x = flow:sample(4000)
    assert.near(3, x:mean(1):get(1, 1), 0.1)
    assert.near(-1, x:mean(1):get(1, 2), 0.2)
    assert.near(0.5, x:std(1):get(1, 1), 0.1)
    assert.near(2, x:std(1):get(1, 2), 0.2)
  end)

  it("takes differences when the function gives no gradients: the same gradient", function()
    local flow = affine()
    local trainer = flow:trainer { seed = 1 }
    local _, exact = trainer:gradient { target = target, samples = 64 }
    local _, differences = trainer:gradient { target = function(x) return (target(x)) end, samples = 64 }
    for i = 1, exact:rows() do assert.near(exact:get(i), differences:get(i), 1e-3) end
  end)

  it("brings the function's own error out, and goes on", function()
    local flow = affine()
    local trainer = flow:trainer()
    local ok, message = pcall(function() trainer:step { target = function() error "mine" end } end)
    assert.is_false(ok)
    assert.truthy(message:find "mine")
    for _, wrong in ipairs { function() end, function() return 3 end, function() return weir.array.new("f64", 1) end } do
      assert.has_error(function() trainer:step { target = wrong } end)
    end
    assert.is_true(trainer:step({ target = target }).applied)
  end)

  it("does not let the function use what is being trained", function()
    local flow = affine()
    local trainer = flow:trainer()
    local function try(fn)
      local ok, message = pcall(function()
        trainer:step { target = function(x)
          fn()
          return target(x)
        end }
      end)
      assert.is_false(ok)
      assert.truthy(message:find "in the middle of a training step")
    end
    try(function() trainer:step { target = target } end)
    try(function() flow:sample(3) end)
    try(function() flow.model:close() end)
    try(function() trainer.core:close() end)
    try(function() flow:save "x.safetensors" end)
  end)

  it("fits a density", function()
    local flow = affine()
    local record = flow:fit(nil, with { target = weir.normal(), epochs = 2, steps_per_epoch = 20, samples = 64 })
    assert.equal(2, record.epochs)
    assert.has_error(function() flow:fit(weir.data.two_moons { n = 10 }, with { target = target }) end)
  end)
end)
