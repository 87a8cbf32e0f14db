--- The univariate y = x + k sin x + shift, k = 0.9 tanh p: a ripple that no affine map has, and always increasing.
--
-- Read by scripts/examples/lua_layer.lua. forward and its VJP are all that must be written: the host finds the inverse.
local weir = ...

--- The lane of k.
local function ripple(frame, n, p)
  local k = weir.take(frame)
  frame.math.tanh(n, p, k)
  for i = 0, n - 1 do k[i] = 0.9 * k[i] end
  return k
end

return {
  kind = "univariate",
  params = 2,
  identity = { 0, 0 },

  forward = function(frame, n, x, p, s, y, log_det)
    local k, wave, slope = ripple(frame, n, p), weir.take(frame), weir.take(frame)
    local shift = p + s
    frame.math.sin(n, x, wave)
    frame.math.cos(n, x, slope)
    for i = 0, n - 1 do
      y[i] = x[i] + k[i] * wave[i] + shift[i]
      slope[i] = k[i] * slope[i]
    end
    frame.math.log1p(n, slope, slope)
    for i = 0, n - 1 do log_det[i] = log_det[i] + slope[i] end
  end,

  forward_vjp = function(frame, n, x, p, s, _, y_bar, log_det_bar, x_bar, p_bar)
    local k, wave, slope = ripple(frame, n, p), weir.take(frame), weir.take(frame)
    local shift_bar = p_bar + s
    frame.math.sin(n, x, wave)
    frame.math.cos(n, x, slope)
    for i = 0, n - 1 do
      local u = 1 + k[i] * slope[i] -- dy/dx
      local k_bar = y_bar[i] * wave[i] + log_det_bar[i] * slope[i] / u
      x_bar[i] = y_bar[i] * u - log_det_bar[i] * k[i] * wave[i] / u
      p_bar[i] = k_bar * (0.9 - k[i] * k[i] / 0.9)
      shift_bar[i] = y_bar[i]
    end
  end,
}
