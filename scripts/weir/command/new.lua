--- weir new: a project of a plugin of one's own, made from the templates of the SDK.
--
-- A project is the files of up to three folders of templates, every_language/KIND, LANG/every_kind and LANG/KIND, with the
-- words @NAME@, @ID@, @BUILT@ and @MODULE@ replaced, in their names too.

local core = require "weir.core"
local nearest = require "weir.nearest"
local pages = require "weir.command.pages"

local kinds = { "univariate", "layer", "density", "network" }

-- Where the plugin comes to lie in the project, how a script names its module, and how it is built and checked from outside.
local function by_id(id) return ('weir["%s"]()'):format(id) end
local function by_file(id, kind) return ('weir.lua_%s { file = "%s.lua" }'):format(kind, id) end
local by_cmake = { built = "build", module = by_id, "cmake -S %s -B %s/build && cmake --build %s/build",
  "ctest --test-dir %s/build --output-on-failure" }
local by_cargo = { built = "target/release", module = by_id, "cargo build --release --manifest-path %s/Cargo.toml",
  "cargo test --release --manifest-path %s/Cargo.toml" }
local by_itself = { built = "layers", module = by_file, "sh %s/test.sh" }
local languages = { c = by_cmake, ["c++"] = by_cmake, fortran = by_cmake, rust = by_cargo, lua = by_itself }
local language_names = { "c", "c++", "rust", "fortran", "lua" }

-- Names that build tools keep for themselves: targets of CMake, the library of mathematics that a plugin links, and the
-- words of Rust. And the host's own.
local reserved = {}
for word in ([[all clean depend edit_cache help install list_install_components m package package_source rebuild_cache test
  as async await break const continue core crate dyn else enum extern false fn for if impl in let loop match mod move mut pub
  ref return self static std struct super trait true type unsafe use where while alloc proc_macro weir]]):gmatch "%S+" do
  reserved[word] = true
end

local function usage(text, ...)
  error { usage = ("new: " .. text):format(...) }
end

local function check_word(word, words, what)
  for _, known in ipairs(words) do
    if known == word then return end
  end
  local near = nearest(word, words)
  usage("%s is no %s; expected %s%s", word, what, table.concat(words, ", "), near and "; did you mean " .. near .. "?" or "")
end

local function check_name(word, whole, taken)
  if not word:match "^[a-z][a-z0-9_]*$" then
    usage("%s: a name is lower-case letters, digits and _, and begins with a letter; before it may stand a vendor and a dot: "
      .. "acme.bend", whole)
  end
  if #word > 63 then usage("%s: a name has at most 63 letters", whole) end
  if taken[word] then usage("%s: the build tools or the host keep the name %s for themselves; choose another", whole, word) end
end

--- The project's name and the module's id. An id of a stranger's module has a prefix, for ever; without a vendor it is the
-- project's name.
local function read_name(text, kind)
  local vendor, name = text:match "^([^.]*)%.(.*)$"
  name = name or text
  check_name(name, text, reserved)
  if vendor then check_name(vendor, text, { weir = true }) end
  return name, vendor and vendor .. "." .. name or name .. "." .. kind
end

--- The folder of templates, and whether it belongs to an installed SDK. An installed script lies in
-- PREFIX/share/weir/weir/command, one that was not in scripts/weir/command beside sdk; a build tree links to the latter.
local function find_templates()
  local own = debug.getinfo(1, "S").source:match "^@(.*)/[^/]*$" or "."
  local installed = own .. "/../../../weir-sdk/templates"
  if core.file_kind(installed) == "folder" then return installed, true end
  local beside = own .. "/../../../sdk/templates"
  if core.file_kind(beside) == "folder" then return beside, false end
  error("new: the templates of the SDK are not installed: " .. installed, 0)
end

--- Adds the files below a folder to `files`, a list of {path of the template, path in the project}.
local function collect(folder, inner, files)
  local names, message = core.list_folder(folder)
  if not names then error("new: " .. message, 0) end
  table.sort(names)
  for _, name in ipairs(names) do
    local path = folder .. "/" .. name
    if core.file_kind(path) == "folder" then
      collect(path, inner .. name .. "/", files)
    else
      files[#files + 1] = { path, inner .. name }
    end
  end
end

local function project_files(templates, kind, language)
  local files = {}
  collect(("%s/%s/%s"):format(templates, language, kind), "", files)
  collect(("%s/%s/every_kind"):format(templates, language), "", files)
  collect(("%s/every_language/%s"):format(templates, kind), "", files)
  return files
end

local function read(path)
  local file, message = io.open(path, "rb")
  local text = file and file:read "*a"
  if file then file:close() end
  return text or error("new: " .. (message or path .. ": cannot be read"), 0)
end

local function write(path, text)
  local file, message = io.open(path, "wb")
  if not file then error("new: " .. message, 0) end
  local written, why = file:write(text)
  local closed, late = file:close()
  if not (written and closed) then error(("new: %s: %s"):format(path, why or late), 0) end
end

local function make_folder(path)
  local made, message = core.make_folder(path)
  if not made then error("new: " .. message, 0) end
end

local function write_project(name, files, words)
  local function fill(text)
    return (text:gsub("@(%u+)@", words))
  end
  local made = {}
  make_folder(name)
  for _, file in ipairs(files) do
    local path = name .. "/" .. fill(file[2])
    local folder = path:match "^(.*)/"
    if folder ~= name and not made[folder] then
      make_folder(folder)
      made[folder] = true
    end
    write(path, fill(read(file[1])))
  end
end

local function report(name, id, kind, files, steps, installed)
  local names = {}
  for i, file in ipairs(files) do names[i] = (file[2]:gsub("@NAME@", name):gsub("@ID@", id)) end
  io.stdout:write(("%s/: the %s %s\n  %s\nnext:\n"):format(name, kind, id, table.concat(names, "  ")))
  for _, step in ipairs(steps) do io.stdout:write("  ", (step:gsub("%%s", name)), "\n") end
  io.stdout:write(("  weir %s/%s.lua\n"):format(name, name))
  local guide = pages.find "GUIDE.md"
  if guide then io.stdout:write("the guide: ", guide, "\n") end
  if steps.built ~= "layers" and not installed then
    io.stdout:write("This weir is not installed, but the project needs an SDK that is: cmake --install BUILD --prefix PREFIX, "
      .. "then PREFIX/bin onto PATH.\n")
  end
end

local function run(given)
  local language = given.lang or "c"
  check_word(given.kind, kinds, "kind of module")
  check_word(language, language_names, "language")
  local name, id = read_name(given.name, given.kind)
  local templates, installed = find_templates()
  local steps = languages[language]
  local files = project_files(templates, given.kind, language)
  if core.file_kind(name) then error(("new: %s exists already; choose another name or remove it"):format(name), 0) end
  local module = steps.module(id, given.kind)
  write_project(name, files, { NAME = name, ID = id, BUILT = steps.built, MODULE = module })
  report(name, id, given.kind, files, steps, installed)
  return 0
end

return {
  summary = "writes a project of a plugin of your own: source, build, script and check",
  usage = "univariate|layer|density|network [VENDOR.]NAME [--lang c|c++|rust|fortran|lua]",
  positional = { "KIND", "NAME" },
  options = { { "--lang", value = "LANGUAGE", help = "c (the default), c++, rust, fortran or lua" } },
  details = function()
    return "The project is made in the folder NAME and works as it is: build it (not in Lua), check it, run its script, then\n"
      .. "put your own formula in. Its module is VENDOR.NAME, or NAME.KIND."
  end,
  examples = { "weir new univariate acme.bend", "weir new layer acme.stair --lang rust",
    "weir new density acme.gumbel --lang lua" },
  run = run,
}
