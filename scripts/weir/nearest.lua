--- The word that was probably meant.

--- Edit distance with swaps of neighbours (restricted Damerau-Levenshtein).
local function distance(a, b)
  local before, last, row = {}, {}, {}
  for j = 0, #b do last[j] = j end
  for i = 1, #a do
    row[0] = i
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      row[j] = math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], before[j - 2] + 1)
      end
    end
    before, last, row = last, row, before
  end
  return last[#b]
end

--- The nearest of `words`, or nil when none is near enough.
-- @param word string
-- @param words list of strings, or a table whose keys are the words
local function nearest(word, words)
  local names = {}
  for key, value in pairs(words) do names[#names + 1] = type(key) == "string" and key or value end
  table.sort(names)
  local best, least = nil, math.max(2, math.floor(#word / 3)) + 0.5
  for _, name in ipairs(names) do
    local d = distance(word:lower(), name:lower())
    if #word >= 3 and name:sub(1, #word) == word then d = math.min(d, 1) end
    if d < least and d < math.max(#word, #name) then best, least = name, d end -- something must be left of the word
  end
  return best
end

return nearest
