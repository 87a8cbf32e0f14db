--- What the user sees while a flow trains: a bar that is redrawn on a terminal, plain lines elsewhere. All on stderr.

local core = require "weir.core"

local progress = {}
local Progress = {}
Progress.__index = Progress

local function duration(seconds)
  if seconds ~= seconds or seconds == math.huge then return "-" end
  if seconds < 60 then return ("%.0fs"):format(seconds) end
  if seconds < 3600 then return ("%dm%02ds"):format(seconds / 60, seconds % 60) end
  return ("%dh%02dm"):format(seconds / 3600, seconds % 3600 / 60)
end

local function figure(value)
  return value and ("%.4f"):format(value) or "-"
end

--- @param mode "auto" | "bar" | "lines" | false
function progress.new(mode, total)
  local width = core.terminal(2)
  if mode == nil or mode == "auto" then mode = width and "bar" or "lines" end
  local now = core.clock()
  return setmetatable({ mode = mode, width = width or 80, total = total, started = now, drawn = 0, lined = now,
    first = nil, shown = false }, Progress)
end

--- `done` of `total` units; figures = {epoch, epochs, train, validation, best, rate (learning), rows (per second)}. Lines
-- come at ends of epochs, once a second at most, but the last one always.
function Progress:update(done, figures, at_epoch_end, last)
  if not self.mode then return end
  local now = core.clock()
  self.first = self.first or done
  local bar = self.mode == "bar"
  if bar and not at_epoch_end and now - self.drawn < 0.1 then return end
  if not bar and not (at_epoch_end and (last or now - self.lined >= 1 or not self.shown)) then return end
  self.drawn, self.lined = now, now
  local ahead = (now - self.started) * (self.total - done) / math.max(1e-9, done - self.first)
  local eta = done > self.first and duration(ahead) or "-"
  if bar then
    self:draw(done, figures, eta)
  else
    io.stderr:write(("epoch %d/%d  train %s  val %s  best %s  lr %.1e  %.0f rows/s  ETA %s\n"):format(figures.epoch,
      figures.epochs, figure(figures.train), figure(figures.validation), figure(figures.best), figures.rate or 0,
      figures.rows or 0, eta))
  end
  self.shown = true
end

local function short(value)
  return value and ("%.3f"):format(value) or "-"
end

--- 12345 rows as 12k.
local function thousands(value)
  if value < 1e4 then return ("%.0f"):format(value) end
  if value < 1e7 then return ("%.0fk"):format(value / 1e3) end
  return ("%.0fM"):format(value / 1e6)
end

--- The bar takes what room the figures leave, but at least eight cells.
function Progress:draw(done, figures, eta)
  local head = ("epoch %d/%d "):format(figures.epoch, figures.epochs)
  local tail = (" train %s  val %s  best %s  %s rows/s  ETA %s"):format(short(figures.train), short(figures.validation),
    short(figures.best), thousands(figures.rows or 0), eta)
  local cells = math.max(8, math.min(30, self.width - #head - #tail - 3))
  local full = math.floor(cells * done / math.max(1, self.total) + 0.5)
  local line = head .. "[" .. ("="):rep(full) .. (" "):rep(cells - full) .. "]" .. tail
  io.stderr:write("\r", line:sub(1, self.width - 1), "\27[K")
end

--- A line that stays.
function Progress:note(text)
  if not self.mode then return end
  io.stderr:write(self.mode == "bar" and "\r\27[K" or "", text, "\n")
end

--- Ends the bar's line.
function Progress:finish()
  if self.mode == "bar" and self.shown then io.stderr:write("\n") end
  self.mode = false
end

return progress
