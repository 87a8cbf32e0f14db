-- @ID@ as the base of a flow, for the largest of thirty measurements in two dimensions.
local weir = require "weir"
local here = arg[0]:match "^(.*)/[^/]*$" or "."
weir.open { plugin_path = here .. "/@BUILT@" }
local function mine() return @MODULE@ end

local random, rows = weir.random(1), {}
for i = 1, 4000 do
  local first, second = -math.huge, -math.huge
  for _ = 1, 30 do
    local shared = random:normal()
    first, second = math.max(first, shared), math.max(second, shared + random:normal())
  end
  rows[i] = { first, second }
end
local data = weir.data.from(weir.array.from(rows)):split { 0.8, 0.1, 0.1, seed = 1 }

for i, base in ipairs { mine(), weir.normal { trainable = true } } do
  local flow = weir.flow { weir.standardize(), weir.lu_linear(), base = base }
  flow:fit(data, { epochs = 30, lr = 1e-2 })
  print(("%7.3f nats: mean log-likelihood of the test data over %s"):format(flow:log_prob(data.test):mean(), tostring(base)))
  if i == 1 then flow:save "@NAME@.safetensors" end
end

print((weir.load("@NAME@.safetensors"):sample(3)))
