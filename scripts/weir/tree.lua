--- The numbered tree that print(flow) shows.

local tree = {}

local function sorted(t)
  local keys = {}
  for key in pairs(t or {}) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function value_text(value)
  if type(value) ~= "table" then return type(value) == "userdata" and "-" or tostring(value) end
  local parts = {}
  for i, entry in ipairs(value) do
    if i > 8 then
      parts[i] = "..."
      break
    end
    parts[i] = value_text(entry)
  end
  return table.concat(parts, ",")
end

--- 1234567 as 1 234 567.
function tree.count(n)
  local text = ("%.0f"):format(n)
  local grouped = text:reverse():gsub("(%d%d%d)", "%1 "):reverse()
  return (grouped:gsub("^ ", ""))
end

local function node_line(node)
  local options = {}
  for _, key in ipairs(sorted(node.options)) do
    if type(node.options[key]) ~= "userdata" then
      options[#options + 1] = key .. "=" .. value_text(node.options[key])
    end
  end
  local line = node.type
  if #options > 0 then line = line .. " {" .. table.concat(options, " ") .. "}" end
  line = line .. ("  %s -> %s"):format(tostring(node["in"]), tostring(node.out))
  if node.parameters > 0 then line = line .. "  " .. tree.count(node.parameters) .. " parameters" end
  if #(node.supplied or {}) > 0 then line = line .. "  (host supplies " .. table.concat(node.supplied, ", ") .. ")" end
  return line
end

--- Lines of a node: layers of a list are numbered, other children are named by their slot.
local function add(lines, node, label, indent)
  lines[#lines + 1] = indent .. label .. node_line(node)
  local number = 0
  for _, child in ipairs(node.children or {}) do
    number = number + 1
    local name = (child.slot or ""):match("^layers") and ("%d. "):format(number) or (child.slot or "") .. ": "
    add(lines, child, name, indent .. "  ")
  end
end

--- The whole model as text, from model:describe().
function tree.text(description)
  local lines = {}
  local context = description.context > 0 and (" given %d"):format(description.context) or ""
  lines[1] = ("flow of %d features%s, %s, %s parameters"):format(description.features, context, description.dtype,
    tree.count(description.parameters))
  add(lines, description.flow, "forward: ", "  ")
  add(lines, description.base, "base: ", "  ")
  return table.concat(lines, "\n")
end

return tree
