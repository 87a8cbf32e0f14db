--- y = x + k tanh x with k = 0.9 tanh(p + slope): no inverse in closed form, so the host finds it. A tensor of its own, and
-- one that prepare derives from it.
local weir = ...

local function bend_of(frame, n, p, theta)
  local k = weir.take(frame)
  local bent = theta.bent[0]
  for i = 0, n - 1 do k[i] = p[i] + bent end
  frame.math.tanh(n, k, k)
  return k
end

return {
  params = 1,
  identity = { 0 },
  parameters = { { "slope", {}, 0 } },
  derived = { { "bent", {} } },

  prepare = function(_, theta) theta.bent[0] = 0.5 * theta.slope[0] end,
  prepare_vjp = function(_, _, theta_bar) theta_bar.slope[0] = theta_bar.slope[0] + 0.5 * theta_bar.bent[0] end,

  forward = function(frame, n, x, p, _, y, log_det, theta)
    local k, t, l = bend_of(frame, n, p, theta), weir.take(frame), weir.take(frame)
    frame.math.tanh(n, x, t)
    for i = 0, n - 1 do
      y[i] = x[i] + 0.9 * k[i] * t[i]
      l[i] = 0.9 * k[i] * (1 - t[i] * t[i])
    end
    frame.math.log1p(n, l, l)
    for i = 0, n - 1 do log_det[i] = log_det[i] + l[i] end
  end,

  forward_vjp = function(frame, n, x, p, _, _, y_bar, log_det_bar, x_bar, p_bar, theta, theta_bar)
    local k, t = bend_of(frame, n, p, theta), weir.take(frame)
    frame.math.tanh(n, x, t)
    for i = 0, n - 1 do
      local sech2 = 1 - t[i] * t[i]
      local u = 1 + 0.9 * k[i] * sech2
      x_bar[i] = y_bar[i] * u - log_det_bar[i] * 1.8 * k[i] * t[i] * sech2 / u
      p_bar[i] = 0.9 * (1 - k[i] * k[i]) * (y_bar[i] * t[i] + log_det_bar[i] * sech2 / u)
    end
    theta_bar.bent[0] = theta_bar.bent[0] + weir.sum(frame, p_bar)
  end,
}
