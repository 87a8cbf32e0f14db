--- Prints REFERENCE.md: every member of the structs that cross the border, from the comments of the headers.
--
--     luajit sdk/reference.lua > sdk/REFERENCE.md
--
-- A member is described by the comment behind it, or by the one before it; one that has neither, in the line after one that
-- has, is described there too. A member that nothing describes is an error: then the headers lack a comment.

local folder = arg[0]:match "^(.*)/[^/]*$" or "."
local headers = { "abi", "tile", "frame", "module", "build", "files" }
local usual = { struct_size = "sizeof the struct, as whoever fills it was compiled", reserved = "0" }

local missing = 0

local function fail(text, ...)
  io.stderr:write("reference.lua: ", text:format(...), "\n")
  os.exit(1)
end

local function read(name)
  local path = ("%s/include/weir/%s.h"):format(folder, name)
  local file = io.open(path) or fail("cannot read %s", path)
  local text = file:read "*a"
  file:close()
  return (text:gsub("\\\n", "\n"))
end

--- A comment's words in one line.
local function words(comment)
  local text = comment:gsub("%s+$", ""):gsub("^/%*+<?", ""):gsub("%*+/$", ""):gsub("\n%s*%*", "\n")
  return (text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

local function cell(text)
  return (text:gsub("|", "\\|"):gsub("<", "&lt;"))
end

local function code(text)
  return "`" .. text:gsub("|", "\\|") .. "`"
end

--- The name of a declared member and its type, the name taken out.
local function split_declaration(text)
  text = text:gsub("WEIR_NOEXCEPT", ""):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
  local before, name, parameters = text:match "^(.-)%(%*([%w_]+)%) ?(%(.*%))$"
  if name then return { { name, (before:gsub(" $", "")) .. " " .. parameters } } end
  local list, base = {}, nil
  for item in (text .. ","):gmatch "([^,]+)," do
    local type, own, size = item:match "^(.-)([%w_]+)(%[?%w*%]?)%s*$"
    if not own then fail("cannot read the declaration: %s", text) end
    type = type:gsub(" $", "")
    base = base or type:gsub("[ %*]+$", "")
    list[#list + 1] = { own, (list[1] and base .. type or type) .. size }
  end
  return list
end

--- The pieces of a struct's body: comments and declarations, in order, with the number of line ends before each.
local function pieces(body)
  local list, at = {}, 1
  while true do
    local blank = body:match("^%s*", at)
    at = at + #blank
    if at > #body then return list end
    local lines = select(2, blank:gsub("\n", ""))
    local text
    if body:sub(at, at + 1) == "/*" then
      text = body:match("^/%*.-%*/", at)
      list[#list + 1] = { kind = text:sub(1, 4) == "/**<" and "after" or text:sub(1, 3) == "/**" and "before" or "note",
        text = words(text), lines = lines }
    elseif body:sub(at, at) == "#" then
      text = body:match("^[^\n]*", at)
    elseif body:match("^WEIR_MATH_LIST", at) then
      text = body:match("^[^\n]*", at)
      list[#list + 1] = { kind = "math", lines = lines }
    else
      text = body:match("^[^;]*;", at)
      list[#list + 1] = { kind = "member", text = text:sub(1, -2), lines = lines }
    end
    at = at + #text
  end
end

--- The functions of WEIR_MATH_LIST, each with its formula.
local function math_members(source)
  local list = {}
  local macro = source:match "#define WEIR_MATH_LIST%(X%)(.-)\n\n"
  for name, formula in macro:gmatch 'X%(([%w_]+), "([^"]*)"%)' do
    list[#list + 1] = { { { name, "void (int64_t n, const void *x, void *y)" } }, "y[i] = " .. formula .. ", for i < n" }
  end
  return list
end

--- Rows of a struct, {names and types, meaning}, and notes between them, {note = text}.
local function rows_of(struct, body, source)
  local rows, before, list = {}, nil, pieces(body)
  local described -- the last member that has words of its own
  for i, piece in ipairs(list) do
    if piece.kind == "note" then
      rows[#rows + 1] = { note = piece.text }
      before, described = nil, nil
    elseif piece.kind == "before" then
      before = piece.text
    elseif piece.kind == "math" then
      for _, row in ipairs(math_members(source)) do rows[#rows + 1] = row end
      described = nil
    elseif piece.kind == "member" then
      local members = split_declaration(piece.text)
      local first = members[1][1]
      local after = list[i + 1] and list[i + 1].kind == "after" and list[i + 1].text
      local meaning = after or before or usual[first]
      if meaning then
        described = not after and before and first
      elseif described and piece.lines < 2 then
        meaning = ("as said of %s"):format(described)
      else
        missing = missing + 1
        io.stderr:write(("reference.lua: %s.%s has no comment\n"):format(struct, first))
        meaning = ""
      end
      rows[#rows + 1] = { members, meaning }
      before = nil
    end
  end
  return rows
end

local function write_rows(rows)
  local open = false
  for _, row in ipairs(rows) do
    if row.note then
      io.write(open and "\n" or "", cell(row.note), "\n\n")
      open = false
    else
      if not open then io.write "| member | type | meaning |\n| --- | --- | --- |\n" end
      open = true
      for _, member in ipairs(row[1]) do
        io.write("| ", code(member[1]), " | ", code(member[2]), " | ", cell(row[2]), " |\n")
      end
    end
  end
  io.write "\n"
end

--- The comment that ends right before a place of the source.
local function comment_before(source, place)
  local head = source:sub(1, place - 1)
  local from, at = nil, 1
  while true do
    local s, e = head:find("/%*%*.-%*/", at)
    if not s then break end
    if head:sub(e + 1):match "^%s*$" then from = s end
    at = e + 1
  end
  return from and words(head:sub(from)) or nil
end

local function structs_of(source)
  local at = 1
  return function()
    while true do
      local s, e, name = source:find("struct (weir_[%w_]+) {\n", at)
      if not s then return nil end
      local close = source:find("\n}", e, true)
      at = close
      local line = source:sub(1, s):match ".*\n()" or 1
      return name, source:sub(e, close), comment_before(source, line)
    end
  end
end

--- The numbers a header names, with the comment behind or before each.
local function constants_of(source)
  local list, statuses = {}, {}
  for name, meaning in source:gmatch 'X%((WEIR_[%u]+), %d+, *"([^"]*)"%)' do statuses[name] = meaning end
  for line, name, value in source:gmatch "\n(#define (WEIR_[%u%d_]+)[ \t]+([%w_%(][^\n]*))" do
    local number, comment = value:match "^(.-)%s*(/%*%*<.*)$"
    number = number or value
    if number:match "^%-?%d+u?$" or number:match "^UINT64_C%(" or number:match '^"' then
      local place = source:find(line, 1, true)
      local full = comment and source:match("/%*%*<.-%*/", place)
      list[#list + 1] = { name, number, full and words(full) or comment_before(source, place) or statuses[name] or "" }
    end
  end
  return list
end

local function title(source)
  return source:match "^/%* weir/[%w_]+%.h %- (.-)\n %*\n"
end

io.write([[
# The members of the interface

What crosses the border between the host and a plugin: every struct, every member, every number with a name. Made from
the comments of the headers by `luajit sdk/reference.lua`, so edit those; what the words oblige whom to is in
[ABI.md](ABI.md), and how to begin in [GUIDE.md](GUIDE.md).

]])
for _, name in ipairs(headers) do
  local source = read(name)
  io.write("## weir/", name, ".h: ", cell((title(source):gsub("%s*\n %*%s*", " "))), "\n\n")
  for struct, body, about in structs_of(source) do
    io.write("### ", struct, "\n\n")
    if about then io.write(cell(about), "\n\n") end
    write_rows(rows_of(struct, body, source))
  end
  local constants = constants_of(source)
  if #constants > 0 then
    io.write("### Numbers of weir/", name, ".h\n\n| name | value | meaning |\n| --- | --- | --- |\n")
    for _, c in ipairs(constants) do io.write("| ", code(c[1]), " | ", code(c[2]), " | ", cell(c[3]), " |\n") end
    io.write "\n"
  end
end

if missing > 0 then os.exit(1) end
