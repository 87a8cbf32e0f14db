--- The table of tests/PROMISES.md: every rule of sdk/ABI.md that a host enforces, or `weir check` does, with the fixtures that
-- break it and the tests that catch them. luajit tests/promises.lua > tests/PROMISES.md
--
-- A fixture of the conformance suite breaks what the check of its row watches; promises.txt has the others, and the rows
-- whose check is not what they are about.

local root = arg[0]:match "^(.*)tests/promises%.lua$"

local function lines(path)
  return io.lines(root .. path)
end

--- Rules by number: {text, who, seen}.
local function rules()
  local out, last = {}, 0
  for line in lines "sdk/ABI.md" do
    local number, text, who, seen = line:match "^| (%d+) | (.-) | ([PH, ]+) | .- | (.-) | [^|]* |$"
    if number then out[tonumber(number)], last = { text = text, who = who, seen = seen, broken = {} }, tonumber(number) end
  end
  return out, last
end

local function rules_of_checks()
  local out = {}
  for line in lines "core/src/check/table.c" do
    for name, rule in line:gmatch '{"([%w_]+)", "(%d+)"' do out[name] = tonumber(rule) end
  end
  return out
end

local list, last = rules()
local check_rules = rules_of_checks()
local told, elsewhere = {}, {}

local function add(rule, fixture, caught)
  if not list[rule] then error(("there is no rule %s for %s"):format(rule, fixture), 0) end
  table.insert(list[rule].broken, { fixture = fixture, caught = caught })
end

for line in lines "tests/fixtures/promises.txt" do
  local rule, fixture, test = line:match "^(%d+) (%S+) (%S+)$"
  if rule then
    elsewhere[#elsewhere + 1] = { tonumber(rule), fixture, test }
    told[test] = true
  elseif not line:find "^#" then
    error("tests/fixtures/promises.txt: not RULE FIXTURE TEST: " .. line, 0)
  end
end

local checks = {}
for line in lines "tests/conformance/rows.h" do
  local row, check = line:match '^BROKEN%(([%w_]+), "([%w_.]+)"'
  local fixture = row
  if not row then row, fixture, check = line:match '^BROKEN_AS%(([%w_]+), ([%w_]+), "([%w_.]+)"' end
  if row then
    local name = check:match "([%w_]+)$"
    if not check_rules[name] then error(("row %s names a check %s that there is not"):format(row, check), 0) end
    checks["conformance." .. row] = name
    if not told["conformance." .. row] then add(check_rules[name], fixture, "conformance." .. row) end
  end
end
for _, entry in ipairs(elsewhere) do add(unpack(entry)) end

--- The rule in a few words: up to its first stop.
local function short(text)
  local cut = text:match "^(.-)[.;:] " or text:gsub("%.$", "")
  return cut
end

print [[
# Promises, and who breaks them

Made by `luajit tests/promises.lua` of `sdk/ABI.md`, `tests/conformance/rows.h` and `tests/fixtures/promises.txt`;
`static.promises` says when it is not. Every rule that a host or `weir check` enforces has a plugin here that breaks it, and
is honest otherwise; the test passes only when the breach is found. Fixtures lie in `tests/fixtures`, some in `tests/sdk`;
one in words is made by the test itself.

| rule | promise | seen by the host | fixture | caught by |
| --- | --- | --- | --- | --- |]]
local missing = {}
for number = 1, last do
  local rule = list[number]
  for i, entry in ipairs(rule.broken) do
    local fixture = entry.fixture:match "^%[(.*)%]$"
    local check = checks[entry.caught]
    print(("| %s | %s | %s | %s | %s |"):format(i == 1 and number or "", i == 1 and short(rule.text) or "",
      i == 1 and short(rule.seen .. ": ") or "", fixture and fixture:gsub("_", " ") or "`" .. entry.fixture .. "`",
      (check and "`check:" .. check .. "` in " or "") .. "`" .. entry.caught .. "`"))
  end
  if #rule.broken == 0 then
    if rule.seen ~= "no" then missing[#missing + 1] = number end
    print(("| %d | %s | %s | | |"):format(number, short(rule.text), short(rule.seen .. ": ")))
  end
end
if #missing > 0 then
  error(("rules without a fixture that breaks them: %s"):format(table.concat(missing, ", ")), 0)
end
