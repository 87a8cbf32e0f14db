--- Tabular data: a CSV or .npy file, a ready-made flow, a report.
--
--     weir examples/tabular.lua [FILE [FLOW]]
--
-- Without a file it makes a table of its own: correlated columns with heavy tails and a bend.

local weir = require "weir"

--- Rows of (a, b, c, d): b bends with a, c depends on the signs of both, d has heavy tails.
local function example_table(n)
  local random, rows = weir.random(1), {}
  for i = 1, n do
    local a = random:normal()
    local b = a * a - 1 + 0.3 * random:normal()
    local c = (a * b > 0 and 1 or -1) + 0.2 * random:normal()
    rows[i] = { a, b, c, random:normal() / math.max(0.2, math.abs(random:normal())) }
  end
  return weir.data.from(rows, { names = { "a", "b", "c", "d" } })
end

local data = (arg[1] and weir.data.load(arg[1]) or example_table(8000)):split { 0.8, 0.1, 0.1, seed = 1 }
local flow = weir.presets.flow(arg[2] or "nsf_ar", { hidden = { 64, 64 } }, { seed = 1 })

flow:fit(data, { epochs = 40, seed = 1 })

local log_p = flow:log_prob(data.test)
print(("held-out log density: %.4f +- %.4f nats"):format(log_p:mean(), 2 * log_p:std() / math.sqrt(log_p:rows())))

-- The least likely rows are the outliers.
local order = {}
for i = 1, log_p:rows() do order[i] = i end
table.sort(order, function(i, j) return log_p:get(i) < log_p:get(j) end)
print "the three strangest held-out rows:"
print(data.test.x:take { order[1], order[2], order[3] })

flow:save "tabular.safetensors"
weir.plot.density(flow, { file = "tabular.png", data = data.test, names = data.test.names })
print "wrote tabular.safetensors and tabular.png"
