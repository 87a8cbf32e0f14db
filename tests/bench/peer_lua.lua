--- The workloads through Lua, behind the line protocol of peer.h: what scripting costs on top of the C interface.
--
--     weir peer_lua.lua THREADS
--
-- The model is read from the file that the harness wrote, and every call is the one that a user's script makes. Sampling is
-- left out: Flow:sample also returns log-densities, which the harness does not ask for.

local weir = require "weir"
local core = require "weir.core"

weir.open { threads = tonumber(arg[1]) or 1 }

local pool_rows = 16384
local subject

local function load_model(path)
  local flow = weir.load(path)
  local features = flow:info().features
  subject = { flow = flow, pool = weir.random(1):normal(pool_rows, features):cast "f32", batches = {} }
end

--- Batches of the pool, cut once.
local function batches(size)
  local list = subject.batches[size]
  if not list then
    list = {}
    for first = 1, pool_rows - size + 1, size do list[#list + 1] = subject.pool:slice(first, first + size - 1) end
    subject.batches[size] = list
  end
  return list
end

local function once(op, size)
  local list, next_one, flow = batches(size), 0, subject.flow
  local function batch()
    next_one = next_one % #list + 1
    return list[next_one]
  end
  if op == "log_prob" then return function() flow:log_prob(batch()) end end
  subject.trainer = subject.trainer or weir.load(subject.path):trainer()
  local trainer = subject.trainer
  return function() trainer:step { x = batch(), learning_rate = 1e-5 } end
end

--- The clock is read after groups of calls, as the harness does.
local function rate(op, size, seconds)
  local call, calls, group = once(op, size), 0, 1
  call()
  local started = core.clock()
  local now = started
  repeat
    local before = now
    for _ = 1, group do call() end
    calls, now = calls + group, core.clock()
    if now - before < 0.01 * seconds then group = group * 2 end
  until now - started >= seconds
  return calls * size / (now - started)
end

local answers = {}

function answers.hello()
  return "Lua, Weir " .. core.version
end

function answers.load(_, path)
  load_model(path)
  subject.path = path
  return ""
end

function answers.variants(_, op)
  return op == "sample" and "" or "script"
end

function answers.check(_, _, rows, out)
  subject.flow:log_prob(weir.array.load(rows)):save(out)
  return ""
end

function answers.rate(_, op, _, size, seconds)
  return ("%.9g"):format(rate(op, tonumber(size), tonumber(seconds)))
end

for line in io.stdin:lines() do
  local words = {}
  for word in line:gmatch "%S+" do words[#words + 1] = word end
  local answer = answers[words[1]]
  local ok, reply = pcall(answer or error, unpack(words, 2))
  io.stdout:write(ok and "ok " .. reply or "error " .. tostring(reply):gsub("%s+", " "), "\n")
  io.stdout:flush()
end
