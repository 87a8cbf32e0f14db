--- What weir bench measured, as lines of text, Markdown or a page of its own.

local report = {}

local function is_number(value)
  return type(value) == "number"
end

--- 123456 as 123k.
local function rate(value)
  if not is_number(value) then return "-" end
  for _, step in ipairs { { 1e6, "M" }, { 1e3, "k" } } do
    if value >= step[1] then return ("%.3g%s"):format(value / step[1], step[2]) end
  end
  return ("%.3g"):format(value)
end

local function percent(value)
  return is_number(value) and ("%.0f %%"):format(100 * value) or "-"
end

local function ratio(case)
  if not is_number(case.ratio) then return "-" end
  return ("x%.2f (%.2f-%.2f)"):format(case.ratio, case.ratio_min, case.ratio_max)
end

local function peer_setup(case)
  if not case.peer_variant then return "-" end
  return ("%s, %s, %d thread%s"):format(case.peer_variant, case.peer_blas, case.peer_threads,
    case.peer_threads == 1 and "" or "s")
end

--- For sampling of masked flows: against the network run once for each feature, as PyTorch libraries do.
local function by_passes(case)
  return is_number(case.peer_by_passes) and ("x%.0f"):format(case.ours / case.peer_by_passes) or ""
end

local case_heads = { "work", "op", "batch", "threads", "samples/s", "of FMA peak", "of GEMM limit", "peer", "ratio (least-most)",
  "peer's best", "against D passes" }

local function case_cells(case)
  return { case.work, case.op, tostring(case.batch), tostring(case.threads), rate(case.ours), percent(case.peak_fraction),
    percent(case.gemm_fraction), rate(case.peer), ratio(case), peer_setup(case), by_passes(case) }
end

local widths = { 5, -9, 6, 8, 10, 12, 14, 9, 22, -2, 2 }

local function text_row(cells, given)
  local out = {}
  for i, cell in ipairs(cells) do
    out[i] = ("%" .. (given or widths)[i] .. "s"):format(cell)
  end
  return (table.concat(out, " "):gsub("%s+$", "")) .. "\n"
end

local function limit_line(limit)
  return ("%s, %d thread%s: %.3g %s"):format(limit.name, limit.threads, limit.threads == 1 and "" or "s", limit.figure,
    limit.unit)
end

local function gemm_cells(gemm)
  return { gemm.work, ("%d x %d x %d"):format(gemm.out, gemm.rows, gemm["in"]),
    gemm.product, tostring(gemm.threads), ("%.3g"):format(gemm.own), percent(gemm.own_fraction), ("%.3g"):format(gemm.blis),
    percent(gemm.blis_fraction) }
end

local gemm_heads = { "work", "out x rows x in", "product", "threads", "own GFLOP/s", "of peak", "BLIS GFLOP/s", "of peak" }

local function startup_line(start)
  return ("%s: %s: %.3g ms to the first log_prob%s"):format(start.work, start.who, start.milliseconds,
    is_number(start.megabytes) and (", %.3g MB resident"):format(start.megabytes) or "")
end

local function check_line(check)
  return ("%s: the peer's log-likelihoods agree on %d rows, at worst %.2g of the tolerance"):format(check.work, check.rows,
    check.worst)
end

local function accuracy_line(accuracy)
  return ("%s: %s's f32 is off by %.2g (D + |log p|) at the 99th percentile of %d rows, by %.2g at worst"):format(
    accuracy.work, accuracy.who == "weir" and "Weir" or "the peer", accuracy.usual, accuracy.rows, accuracy.worst)
end

local model_heads = { "layers of", "op", "depth", "width", "D", "rows", "threads", "measured us", "predicted us",
  "predicted / measured" }
local model_widths = { -16, -9, 6, 6, 4, 6, 8, 12, 13, 21 }

local function model_cells(model)
  return { model.layer, model.op, tostring(model.depth), tostring(model.width), tostring(model.features), tostring(model.rows),
    tostring(model.threads), ("%.4g"):format(model.measured), ("%.4g"):format(model.predicted),
    ("%.2f"):format(model.predicted / model.measured) }
end

--- How many of the predictions lie within 30 % of what was measured.
local function model_line(models)
  local near = 0
  for _, model in ipairs(models) do
    local quotient = model.predicted / model.measured
    if quotient >= 0.7 and quotient <= 1.3 then near = near + 1 end
  end
  return ("%d of %d predictions lie within 30 %% of the measurement"):format(near, #models)
end

local function memory_line(memory)
  return ("training, %d layers, batches of %d rows%s: at most %.3g MB; the parameters are %.3g MB"):format(memory.depth,
    memory.rows, memory.recompute == 1 and ", recompute" or "", memory.megabytes, memory.parameters)
end

local function machine_line(machine)
  return ("Weir %s, %s kernels, %d processors; peer: %s; medians of %d rounds of %g s"):format(machine.version, machine.kernels,
    machine.processors, type(machine.peer) == "string" and machine.peer or "none", machine.rounds, machine.seconds)
end

--- What a line of weir-bench becomes on a terminal; nil: nothing.
function report.text(line, results)
  if line.kind == "machine" then return machine_line(line) .. "\n" end
  if line.kind == "limit" then return limit_line(line) .. "\n" end
  if line.kind == "startup" then return startup_line(line) .. "\n" end
  if line.kind == "model" then
    local head = #results.model == 1 and "\n" .. text_row(model_heads, model_widths) or ""
    return head .. text_row(model_cells(line), model_widths)
  end
  if line.kind == "memory" then return memory_line(line) .. "\n" end
  if line.kind == "accuracy" then return accuracy_line(line) .. "\n" end
  if line.kind == "check" then return check_line(line) .. "\n" end
  if line.kind ~= "case" then return nil end
  return (#results.case == 1 and "\n" .. text_row(case_heads) or "") .. text_row(case_cells(line))
end

--- The parts of a report: a title and a list of lines, or a table.
local function sections(results)
  local function lines(list, format)
    local out = {}
    for i, item in ipairs(list) do out[i] = format(item) end
    return out
  end
  local function rows(list, cells)
    return lines(list, cells)
  end
  return {
    { title = "Speed", text = "Rates are samples per second. The GEMM limit is what matrix products of these shapes reach "
      .. "alone, by the faster of Weir's kernel and BLIS. Ratios are medians over rounds in which Weir and the peer take turns, "
      .. "with the least and the greatest.", heads = case_heads, rows = rows(results.case, case_cells), bars = results.case },
    { title = "Limits of this machine", lines = lines(results.limit, limit_line) },
    { title = "Matrix products", heads = gemm_heads, rows = rows(results.gemm, gemm_cells) },
    { title = "Start-up and memory", lines = lines(results.startup, startup_line) },
    { title = "Same densities", lines = lines(results.check, check_line) },
    { title = "Model of cost", text = #results.model > 0 and model_line(results.model) .. "." or nil, heads = model_heads,
      rows = rows(results.model, model_cells) },
    { title = "Memory of training", lines = lines(results.memory, memory_line) },
    { title = "Accuracy", text = "Of log_prob in f32, against f64 by the same weights. D is the number of features.",
      lines = lines(results.accuracy, accuracy_line) },
  }
end

-- ---- Markdown ---------------------------------------------------------------------------------------------------------

local function markdown_table(heads, rows)
  local rule = {}
  for i = 1, #heads do rule[i] = "---" end
  local out = { "| " .. table.concat(heads, " | ") .. " |", "| " .. table.concat(rule, " | ") .. " |" }
  for _, row in ipairs(rows) do out[#out + 1] = "| " .. table.concat(row, " | ") .. " |" end
  return table.concat(out, "\n")
end

local function markdown(results)
  local out = { "# Weir: measured speed", machine_line(results.machine) .. "." }
  for _, part in ipairs(sections(results)) do
    local filled = part.rows or part.lines
    if #filled > 0 then
      out[#out + 1] = "## " .. part.title
      out[#out + 1] = part.text
      out[#out + 1] = part.rows and markdown_table(part.heads, part.rows) or "* " .. table.concat(part.lines, "\n* ")
    end
  end
  return table.concat(out, "\n\n") .. "\n"
end

-- ---- a page -----------------------------------------------------------------------------------------------------------

local function escape(text)
  return (tostring(text):gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ["\""] = "&quot;" }))
end

local function html_cells(row, tag)
  local out = {}
  for i, cell in ipairs(row) do out[i] = ("<%s>%s</%s>"):format(tag, escape(cell), tag) end
  return "<tr>" .. table.concat(out) .. "</tr>"
end

local function html_table(heads, rows)
  local out = { "<table>", html_cells(heads, "th") }
  for _, row in ipairs(rows) do out[#out + 1] = html_cells(row, "td") end
  return table.concat(out, "\n") .. "\n</table>"
end

local bar_height, bar_left, bar_room = 18, 190, 420

--- One bar for each case: of the multiply-add peak, with its ratio to the peer written beside it.
local function html_bars(cases)
  local out = { ('<svg width="%d" height="%d" role="img">'):format(bar_left + bar_room + 150, #cases * bar_height + 24) }
  for i, case in ipairs(cases) do
    local y, share = (i - 1) * bar_height, is_number(case.peak_fraction) and math.min(1, case.peak_fraction) or 0
    out[#out + 1] = ('<text x="%d" y="%d" text-anchor="end">%s</text>'):format(bar_left - 6, y + 13,
      escape(("%s %s %d, %d thr."):format(case.work, case.op, case.batch, case.threads)))
    out[#out + 1] = ('<rect class="all" x="%d" y="%d" width="%d" height="%d"/>'):format(bar_left, y + 2, bar_room, bar_height - 4)
    out[#out + 1] = ('<rect class="own" x="%d" y="%d" width="%.1f" height="%d"/>'):format(bar_left, y + 2, bar_room * share,
      bar_height - 4)
    out[#out + 1] = ('<text x="%d" y="%d">%s%s</text>'):format(bar_left + bar_room + 6, y + 13, percent(case.peak_fraction),
      is_number(case.ratio) and ("  x%.1f"):format(case.ratio) or "")
  end
  out[#out + 1] = ('<text x="%d" y="%d">fraction of the multiply-add peak; ratio to the peer</text></svg>'):format(bar_left,
    #cases * bar_height + 16)
  return table.concat(out, "\n")
end

local style = "body{font:15px sans-serif;max-width:75em;margin:2em auto;padding:0 1em;color:#222}"
  .. "table{border-collapse:collapse;font-size:13px}th,td{padding:2px 8px;text-align:right;border-bottom:1px solid #ddd}"
  .. "svg{font-size:12px}.all{fill:#eee}.own{fill:#2a6f97}"

local function page(results)
  local out = { '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Weir: measured speed</title><style>' .. style
    .. "</style></head><body>", "<h1>Weir: measured speed</h1>", "<p>" .. escape(machine_line(results.machine)) .. ".</p>" }
  for _, part in ipairs(sections(results)) do
    local filled = part.rows or part.lines
    if #filled > 0 then
      out[#out + 1] = "<h2>" .. escape(part.title) .. "</h2>"
      if part.text then out[#out + 1] = "<p>" .. escape(part.text) .. "</p>" end
      if part.bars then out[#out + 1] = html_bars(part.bars) end
      if part.rows then
        out[#out + 1] = html_table(part.heads, part.rows)
      else
        for _, line in ipairs(part.lines) do out[#out + 1] = escape(line) .. "<br>" end
      end
    end
  end
  return table.concat(out, "\n") .. "\n</body></html>\n"
end

--- By the ending of the file's name: function(results) -> text.
report.writers = { html = page, md = markdown }

return report
