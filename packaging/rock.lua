-- luajit packaging/rock.lua > packaging/weir-VERSION-1.rockspec: writes the rockspec, with the version of CMakeLists.txt and the
-- files that are there. sdk.rock compares.

local root = arg[0]:match "^(.*)packaging/rock%.lua$"
if root == "" then root = "./" end

local function read(path)
  local file = assert(io.open(root .. path))
  local text = file:read "*a"
  file:close()
  return text
end

local function find(folder, pattern)
  local list = {}
  local pipe = assert(io.popen(("cd '%s' && find %s -name '%s' | LC_ALL=C sort"):format(root, folder, pattern)))
  for path in pipe:lines() do list[#list + 1] = path end
  pipe:close()
  return list
end

local version = assert(read "CMakeLists.txt":match "project%(weir VERSION ([%d.]+)")

local sources = {}
for _, path in ipairs(find("core/src/lua", "*.c")) do sources[#sources + 1] = ('        "%s",\n'):format(path) end

-- weir.command.* is the command's own.
local modules = {}
for _, path in ipairs(find("scripts/weir", "*.lua")) do
  if not path:find "^scripts/weir/command/" then
    local name = path:match "^scripts/(.*)%.lua$":gsub("/init$", ""):gsub("/", ".")
    modules[#modules + 1] = ('    ["%s"] = "%s",\n'):format(name, path)
  end
end

local text = [=[
-- Written by packaging/rock.lua. In Weir's source:
--     luarocks make packaging/weir-@VERSION@-1.rockspec
-- installs the Lua module for a plain LuaJIT, over a libweir that is installed (cmake --install, or the packages weir and
-- weir-dev). WEIR_DIR=PREFIX names its prefix where that is not /usr or /usr/local.
rockspec_format = "3.0"
package = "weir"
version = "@VERSION@-1"
source = {
  url = "file://weir-@VERSION@.tar.gz",
  dir = "weir-@VERSION@",
}
description = {
  summary = "Normalizing flows from plugins: exact densities and samples",
  detailed = "Composes, trains, evaluates, samples, saves and plots normalizing flows by libweir, whose layers are plugins.",
  license = "MIT",
}
supported_platforms = { "linux" }
dependencies = { "lua == 5.1" } -- LuaJIT: plots use its ffi
external_dependencies = {
  WEIR = { header = "weir.h", library = "weir" },
  JANSSON = { header = "jansson.h", library = "jansson" },
}
build = {
  type = "builtin",
  modules = {
    ["weir.core"] = {
      sources = {
@SOURCES@      },
      defines = { "_GNU_SOURCE" },
      incdirs = { "$(WEIR_INCDIR)", "$(JANSSON_INCDIR)" },
      libdirs = { "$(WEIR_LIBDIR)", "$(JANSSON_LIBDIR)" },
      libraries = { "weir", "jansson" },
    },
@MODULES@  },
}
]=]
local words = { VERSION = version, SOURCES = table.concat(sources), MODULES = table.concat(modules) }
io.write((text:gsub("@(%u+)@", words)))
