--- weir bench: speed on the workloads that flow papers use, as fractions of what the machine can do and beside PyTorch.
--
-- weir-bench, the program beside this command, does the measuring and prints a JSON object a line; here they become a table,
-- a list or a report.

local core = require "weir.core"
local report = require "weir.command.bench_report"

--- The folder of the weir command, from the first place where its scripts are looked for.
local function program_folder()
  return package.path:match "^(.-)/%.%./share/weir/" or error("bench: run it as weir bench", 0)
end

local function quote(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

local function program()
  local path = program_folder() .. "/weir-bench"
  if core.file_kind(path) ~= "file" then
    error(path .. ": no such file; build Weir with its tests (WEIR_TESTS=ON), which make it", 0)
  end
  return path
end

--- The command line of weir-bench. Its errors come in the same stream, its exit status in a last line.
local function command_line(given)
  local words = { quote(program()) }
  local function add(name, value)
    if value then
      words[#words + 1] = name
      words[#words + 1] = quote(value)
    end
  end
  for _, name in ipairs { "work", "op", "batch", "threads", "seconds", "rounds", "python", "only" } do
    add("--" .. name, given[name])
  end
  local peers = program_folder() .. "/../share/weir-bench/"
  if given.lua then
    add("--python", program_folder() .. "/weir")
    add("--peer", peers .. "peer_lua.lua")
  elseif given.peer then
    add("--peer", peers .. "peer_torch.py")
  end
  return table.concat(words, " ") .. ' 2>&1; echo "exit $?"'
end

--- Shows what is being done on a terminal, and what has been done in a table on standard output.
local function shower(given, results)
  local wide, done = core.terminal(2), 0
  local function clear()
    if wide then io.stderr:write "\r\27[K" end
  end
  local function show(line)
    clear()
    if not given.json then
      local text = report.text(line, results)
      if text then
        io.stdout:write(text)
        io.stdout:flush()
      end
    end
    if line.kind == "case" then done = done + 1 end
    if wide and results.machine and line.kind ~= "model" then
      io.stderr:write(("%d of %d cases"):format(done, results.machine.cases))
    end
  end
  return show, clear
end

--- Runs weir-bench; returns its lines by kind.
local function measure(given)
  local results = { limit = {}, gemm = {}, accuracy = {}, check = {}, case = {}, startup = {}, model = {},
    memory = {} }
  local show, clear = shower(given, results)
  local status, message
  local stream = assert(io.popen(command_line(given), "r"))
  for line in stream:lines() do
    local value = line:sub(1, 1) == "{" and core.json_decode(line)
    if type(value) == "table" and value.kind == "machine" then
      results.machine = value
    elseif type(value) == "table" and results[value.kind] then
      table.insert(results[value.kind], value)
    elseif line:match "^exit %d+$" then
      status = tonumber(line:match "%d+")
    else
      message = line:gsub("^weir%-bench: ", "")
    end
    if type(value) == "table" then show(value) end
  end
  stream:close()
  clear()
  if status == 2 then error { usage = "bench: " .. (message or "bad usage") } end
  if status ~= 0 then error(message == "interrupted" and message or "bench: " .. (message or "weir-bench ended early"), 0) end
  return results
end

local keys = { "work", "op", "batch", "threads", "ours", "peer", "ratio", "ratio_min", "ratio_max", "peak_fraction" }

local function json_list(cases)
  local out = {}
  for i, case in ipairs(cases) do
    out[i] = {}
    for _, key in ipairs(keys) do
      if case[key] == nil then out[i][key] = core.null else out[i][key] = case[key] end
    end
  end
  return core.json_encode(core.list(out))
end

local function check_report(path)
  if path and not report.writers[path:match "%.(%a+)$" or ""] then
    error { usage = ("bench: --report: %s must end in .html or .md"):format(path) }
  end
end

local function write_report(path, results)
  local file, message = io.open(path, "w")
  if not file then error("bench: " .. message, 0) end
  local ok, problem = file:write(report.writers[path:match "%.(%a+)$"](results))
  local closed, late = file:close()
  if not (ok and closed) then error(("bench: %s: %s"):format(path, problem or late), 0) end
end

local function run(given)
  check_report(given.report)
  local results = measure(given)
  if given.json then io.stdout:write(json_list(results.case), "\n") end
  if given.report then write_report(given.report, results) end
  return 0
end

return {
  summary = "measures speed: samples per second, fractions of the machine's limits, PyTorch beside it",
  usage = "[options]",
  positional = {},
  options = {
    { "--peer", help = "also run PyTorch on the same models, in turns (scripts/setup.sh --bench installs it)" },
    { "--lua", help = "instead of PyTorch, the same through Lua, in turns: what scripting costs on top of C" },
    { "--work", value = "W1,...", help = "which models (all): W1, W2a, W2b, W3, W4a, W4b" },
    { "--op", value = "O,...", help = "which operations (all): train, log_prob, sample" },
    { "--batch", value = "N,...", help = "rows of a batch (1,100,512,4096)" },
    { "--threads", value = "T,...", help = "numbers of threads (1,2)" },
    { "--only", value = "PART,...", help = "which parts: limits, accuracy, cases, startup (these four), model, memory" },
    { "--seconds", value = "S", kind = "number", low = 0.0001, high = 3600, help = "of each measurement (0.3)" },
    { "--rounds", value = "N", kind = "integer", low = 1, high = 99, help = "turns of a case (5)" },
    { "--python", value = "PROGRAM", help = "the Python that has PyTorch (/usr/bin/python3)" },
    { "--json", help = "print the cases as a JSON list, rates in samples per second" },
    { "--report", value = "F", help = "also write a report (.html or .md)" },
  },
  details = function()
    return "W1 RealNVP, 43 features, 10 couplings, 2 x 100. W2a MAF, 6 features, 5 layers, 2 x 100. W2b MAF, 63 features,\n"
      .. "10 layers, 2 x 512. W3 spline couplings, 8 features, 10 layers, 8 bins, 2 x 128. W4a, W4b planar, 32 layers, 2 and\n"
      .. "40 features. f32, Adam, -log_prob.mean(), synthetic data. The peer's log-likelihoods are compared with ours on the\n"
      .. "same weights before anything is timed; of its variants, thread counts and BLAS libraries the fastest counts.\n\n"
      .. "--only model varies depth, width, features, rows and threads of couplings and masked flows, and prints what the model\n"
      .. "of cost in core/SPEED.md predicts beside what is measured; --only memory trains flows of 8 and 64 layers and prints\n"
      .. "what that takes."
  end,
  examples = { "weir bench --peer --report speed.html", "weir bench --work W1,W3 --op train --batch 512 --json",
    "weir bench --only model,memory --op train,log_prob" },
  run = run,
}
