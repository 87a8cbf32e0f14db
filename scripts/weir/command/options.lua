--- Reading the words of a command line, by a command's own table of options.
--
-- A command says: positional = { "TRAIN" } (names; a name that ends in "?" may be missing, "..." takes the rest), options =
-- a list of { "--name", value = "X" (nil: a switch), short = "-o", kind = "text" | "integer" | "number" | "widths",
-- low, high, many = true (a list), help = "..." }.

local nearest = require "weir.nearest"

local options = {}

local function usage(name, text, ...)
  error { usage = ("%s: %s; see weir %s --help"):format(name, text:format(...), name) }
end

--- A table from "--name" and "-n" to the option.
local function index(command)
  local known = { ["--help"] = { "--help" }, ["-h"] = { "--help" } }
  for _, option in ipairs(command.options or {}) do
    known[option[1]] = option
    if option.short then known[option.short] = option end
  end
  return known
end

local function key_of(option)
  return (option[1]:gsub("^%-+", ""):gsub("%-", "_"))
end

local function range_text(option)
  if option.low and option.high and option.high < math.huge then
    return (" from %g to %g"):format(option.low, option.high)
  end
  return option.low and (", %g or more"):format(option.low) or ""
end

local function to_number(name, option, text, whole)
  local value = text:match "^%s*[-+]?[%d.][%d.eE+-]*%s*$" and tonumber(text)
  local fits = value and value - value == 0 and (not whole or value % 1 == 0)
    and value >= (option.low or -math.huge) and value <= (option.high or math.huge)
  if fits then return value end
  usage(name, "%s: expected %s%s, got %s", option[1], whole and "a whole number" or "a number", range_text(option), text)
end

--- "128,128" as a list.
local function to_widths(name, option, text)
  local list = {}
  for item in (text .. ","):gmatch "(.-)," do
    local width = item:match "^%s*%d+%s*$" and tonumber(item)
    if not width or width < 1 then usage(name, "%s: expected widths such as 128,128, got %s", option[1], text) end
    list[#list + 1] = width
  end
  return list
end

local function convert(name, option, text)
  if option.kind == "integer" then return to_number(name, option, text, true) end
  if option.kind == "number" then return to_number(name, option, text, false) end
  if option.kind == "widths" then return to_widths(name, option, text) end
  if option.choices then
    for _, choice in ipairs(option.choices) do
      if choice == text then return text end
    end
    local near = nearest(text, option.choices)
    usage(name, "%s: %s is not one of %s%s", option[1], text, table.concat(option.choices, ", "),
      near and "; did you mean " .. near .. "?" or "")
  end
  return text
end

local function store(given, name, option, text)
  local key, value = key_of(option), option.value and convert(name, option, text) or true
  if option.many then
    given[key] = given[key] or {}
    table.insert(given[key], value)
  else
    given[key] = value
  end
end

local function unknown(name, word, known)
  local long = {}
  for key in pairs(known) do
    if key:match "^%-%-" then long[#long + 1] = key end
  end
  local near = nearest(word, long)
  usage(name, "unknown option %s%s", word, near and "; did you mean " .. near .. "?" or "")
end

--- Options first to last; the rest are positional. "--" ends the options.
local function read_words(command, name, words)
  local known, given, plain, i = index(command), {}, {}, 1
  local rest = command.positional and command.positional[#command.positional] == "..."
  while i <= #words do
    local word = words[i]
    local head, attached = word:match "^(%-%-[^=]+)=(.*)$"
    if word == "--" or (rest and word:sub(1, 1) ~= "-") then
      for j = word == "--" and i + 1 or i, #words do plain[#plain + 1] = words[j] end
      break
    elseif word:match "^%-." and not word:match "^%-[%d.]" then
      local option = known[head or word]
      if not option then unknown(name, head or word, known) end
      if attached and not option.value then usage(name, "%s takes no value", head) end
      if option.value and not attached then
        i = i + 1
        attached = words[i]
        if not attached then usage(name, "%s needs a value, %s", word, option.value) end
      end
      store(given, name, option, attached)
    else
      plain[#plain + 1] = word
    end
    i = i + 1
  end
  return given, plain
end

--- The table of a command line: options by name (dashes become underscores), positional ones by their names in lower case,
-- all of them in `words`.
function options.parse(command, name, words)
  local given, plain = read_words(command, name, words)
  given.words = plain
  if given.help then return given end
  for i, slot in ipairs(command.positional or {}) do
    if slot == "..." then return given end
    local label, maybe = slot:match "^(.-)(%??)$"
    if plain[i] == nil and maybe == "" then usage(name, "%s is missing", label) end
    given[label:lower()] = plain[i]
  end
  if #plain > #(command.positional or {}) then
    usage(name, "one word too many: %s", plain[#(command.positional or {}) + 1])
  end
  return given
end

--- Help of one command.
function options.help(command, name)
  local out = { "weir " .. name .. " - " .. command.summary, "", "usage: weir " .. name .. " " .. command.usage, "" }
  local shown = { { "--help", help = "this text" } }
  for i = #(command.options or {}), 1, -1 do table.insert(shown, 1, command.options[i]) end
  for _, option in ipairs(shown) do
    local left = "  " .. (option.short and option.short .. ", " or "") .. option[1]
      .. (option.value and " " .. option.value or "")
    out[#out + 1] = ("%-28s%s%s"):format(left, #left > 27 and "\n" .. (" "):rep(28) or "", option.help)
  end
  if command.details then out[#out + 1] = "\n" .. command.details() end
  if command.examples then
    out[#out + 1] = "\nexamples:"
    for _, example in ipairs(command.examples) do out[#out + 1] = "  " .. example end
  end
  return table.concat(out, "\n") .. "\n"
end

return options
