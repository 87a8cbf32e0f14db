--- The figures that fit and eval report about a flow on a data set.

local core = require "weir.core"

local figures = {}

--- Mean log density, its standard error, rows, rows without a finite density, bits per dimension or null.
function figures.evaluate(flow, set, options)
  local log_p = flow:log_prob(set, options)
  local n, sum = 0, 0
  local finite = {}
  for i = 1, log_p:rows() do
    local value = log_p:get(i)
    if value - value == 0 then
      n, sum = n + 1, sum + value
      finite[n] = value
    end
  end
  local out = { rows = log_p:rows(), discarded = log_p:rows() - n, mean = core.null, stderr = core.null,
    bits_per_dim = core.null }
  if n == 0 then return out end
  out.mean = sum / n
  local squares = 0
  for i = 1, n do squares = squares + (finite[i] - out.mean) ^ 2 end
  out.stderr = n > 1 and math.sqrt(squares / (n - 1) / n) or core.null
  if flow:get_model():get "levels" > 0 then
    out.bits_per_dim = -out.mean / set.x:columns() / math.log(2)
  end
  return out
end

--- "log_prob MEAN +- 2SE nats (N rows)"
function figures.line(part)
  if part.mean == core.null then return ("log_prob - nats (%d rows, none with a finite density)"):format(part.rows) end
  local error_text = part.stderr ~= core.null and ("%.4f"):format(2 * part.stderr) or "-"
  return ("log_prob %.4f +- %s nats (%d rows)"):format(part.mean, error_text, part.rows)
end

return figures
