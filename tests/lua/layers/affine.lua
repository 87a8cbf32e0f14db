--- y = x e^a + b with a = c tanh(p / c), as the plugin affine has it: what C and Lua cost can be compared.
local weir = ...
local c = weir.constants[1] or 3

local function bounded(frame, n, p, a, slope)
  for i = 0, n - 1 do a[i] = p[i] / c end
  frame.math.tanh(n, a, a)
  for i = 0, n - 1 do
    slope[i] = 1 - a[i] * a[i]
    a[i] = c * a[i]
  end
end

return {
  params = 2,
  identity = { 0, 0 },

  forward = function(frame, n, x, p, s, y, log_det)
    local a, e = weir.take(frame), weir.take(frame)
    local b = p + s
    bounded(frame, n, p, a, e)
    frame.math.exp(n, a, e)
    for i = 0, n - 1 do
      y[i] = x[i] * e[i] + b[i]
      log_det[i] = log_det[i] + a[i]
    end
  end,

  forward_vjp = function(frame, n, x, p, s, _, y_bar, log_det_bar, x_bar, p_bar)
    local a, e, slope = weir.take(frame), weir.take(frame), weir.take(frame)
    local b_bar = p_bar + s
    bounded(frame, n, p, a, slope)
    frame.math.exp(n, a, e)
    for i = 0, n - 1 do
      x_bar[i] = y_bar[i] * e[i]
      p_bar[i] = (y_bar[i] * x[i] * e[i] + log_det_bar[i]) * slope[i]
      b_bar[i] = y_bar[i]
    end
  end,

  inverse = function(frame, n, y, p, s, x, log_det)
    local a, e = weir.take(frame), weir.take(frame)
    local b = p + s
    bounded(frame, n, p, a, e)
    frame.math.exp(n, a, e)
    for i = 0, n - 1 do
      x[i] = (y[i] - b[i]) / e[i]
      log_det[i] = log_det[i] - a[i]
    end
  end,

  inverse_vjp = function(frame, n, _, p, s, x, x_bar, log_det_bar, y_bar, p_bar)
    local a, e, slope = weir.take(frame), weir.take(frame), weir.take(frame)
    local b_bar = p_bar + s
    bounded(frame, n, p, a, slope)
    frame.math.exp(n, a, e)
    for i = 0, n - 1 do
      y_bar[i] = x_bar[i] / e[i]
      p_bar[i] = -(x_bar[i] * x[i] + log_det_bar[i]) * slope[i]
      b_bar[i] = -y_bar[i]
    end
  end,
}
