--- What a sandboxed script sees, and the process it runs in.
--
-- Three walls: a child process whose memory and time are capped; an environment without io, os, debug, ffi, package and the
-- loaders; and files, which weir.core lets through only when they are on the command line or in the output folder.
-- The library's own tables are the real ones: a script may spoil them for itself, but what they could do for it is no
-- more than weir.core allows.

local core = require "weir.core"
local runtime = require "weir.runtime"

local sandbox = {}

--- "512M", "2G" or bytes as a number of bytes.
function sandbox.memory(text)
  local number, unit = text:match "^(%d+)([KMG]?)$"
  local bytes = number and tonumber(number) * ({ [""] = 1, K = 2 ^ 10, M = 2 ^ 20, G = 2 ^ 30 })[unit]
  if bytes and bytes >= 2 ^ 24 and bytes <= 2 ^ 50 then return bytes end
  error { usage = ("run: --memory: expected 16M or more, such as 512M or 2G, got %s"):format(text) }
end

--- Seconds.
function sandbox.time(text)
  local seconds = text:match "^%d+%.?%d*$" and tonumber(text)
  if seconds and seconds > 0 and seconds <= 1e8 then return seconds end
  error { usage = ("run: --time: expected seconds, such as 60, got %s"):format(text) }
end

local function copy(from, names)
  local out = {}
  for name in names:gmatch "%S+" do out[name] = from[name] end
  return out
end

--- getmetatable of tables alone: those of strings and of the library's objects are shared with trusted code.
local function metatable_of(value)
  return type(value) == "table" and getmetatable(value) or nil
end

--- load and loadstring: text only, never compiled Lua, and always inside.
local function loader(env)
  return function(text, name)
    if type(text) ~= "string" then error("load: a sandbox loads text only", 2) end
    return load(text, type(name) == "string" and name or "=load", "t", env)
  end
end

--- The globals of a script.
-- @param words list of strings: the script's arguments, `arg`
function sandbox.environment(script, words, output)
  rawset(string, "dump", nil) -- methods of strings are shared with the library, and the only thing there to take away
  local env = copy(_G, [[_VERSION assert error ipairs next pairs pcall print rawequal rawget rawset select setmetatable
    tonumber tostring type unpack xpcall]])
  env.string = copy(string, "byte char find format gmatch gsub len lower match rep reverse sub upper")
  env.table = copy(table, "concat insert maxn remove sort")
  env.math = copy(math, [[abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp log log10 max min modf
    pi pow rad random randomseed sin sinh sqrt tan tanh]])
  env.bit = copy(require "bit", "arshift band bnot bor bswap bxor lshift rol ror rshift tobit tohex")
  env.coroutine = copy(coroutine, "create resume running status wrap yield")
  env.getmetatable = metatable_of
  env.load, env.loadstring = loader(env), loader(env)
  env.arg = { [0] = script, output = output, unpack(words) }
  env._G = env
  local weir = require "weir"
  weir.open = function() error("weir.open: a sandbox has its runtime already; leave the call out", 2) end
  local modules = { weir = weir, bit = env.bit, string = env.string, table = env.table, math = env.math }
  env.require = function(name)
    return modules[name] or error(("require: a sandbox has only weir, not %s"):format(tostring(name)), 2)
  end
  return env
end

--- The files and folders among the words: what a script may read.
local function named_files(words)
  local list = {}
  for _, word in ipairs(words) do
    if core.file_kind(word) then list[#list + 1] = word end
  end
  return list
end

--- The folder a script may write in; made when it is missing. Not one that plugins are searched in: they would run.
local function output_folder(path)
  if not path then return nil end
  if not core.file_kind(path) then
    local ok, message = core.make_folder(path)
    if not ok then error("run: --output: " .. message, 0) end
  end
  if core.file_kind(path) ~= "folder" then error("run: --output: " .. path .. " is no folder", 0) end
  return path
end

local function refuse_plugin_folder(output, found)
  local own = output and core.full_path(output) .. "/"
  for _, folder in ipairs(own and found.folders or {}) do
    local place = (core.full_path(folder) or folder) .. "/"
    if place:sub(1, #own) == own or own:sub(1, #place) == place then
      error(("run: --output: plugins are searched in %s: choose another folder"):format(folder), 0)
    end
  end
end

local signals = { [6] = "abort", [8] = "arithmetic exception", [9] = "killed", [11] = "segmentation fault",
  [15] = "terminated", [24] = "out of processor time", [25] = "a file grew too large" }

--- How a child ended that gave no status.
local function explain(script, given, how)
  if how == "time" then error(("%s: stopped after %s seconds (--time)"):format(script, given.time or sandbox.seconds), 0) end
  if how == 2 then error("interrupted", 0) end
  error(("%s: the sandbox ended by signal %d%s"):format(script, how, signals[how] and ", " .. signals[how] or ""), 0)
end

sandbox.bytes, sandbox.seconds = "4G", "600"

--- Goes on in the child process: the globals for the script. In the parent: nil and the child's exit status.
-- @param given table: memory, time and output, as texts or nil
-- @param words list of strings: the script's
function sandbox.enter(script, words, given)
  local memory, seconds = sandbox.memory(given.memory or sandbox.bytes), sandbox.time(given.time or sandbox.seconds)
  local output = output_folder(given.output)
  local inside, how = core.confine(memory, seconds)
  if inside ~= true then
    if inside == nil then explain(script, given, how) end
    return nil, inside
  end
  local opened = runtime.open { threads = math.min(core.processors(), 16) }
  -- What has to start other programs, to try out plugins that it does not know yet, does so before that is forbidden.
  refuse_plugin_folder(output, assert(opened:plugins()))
  local env = sandbox.environment(script, words, output)
  core.keep_to(named_files(words), output)
  return env
end

return sandbox
