--- y = sinh(d asinh x - e), d = e^a, a = c tanh(p / c): the plugin sinh_arcsinh (Jones and Pewsey 2009) once more, in Lua. All
-- in the coordinates in which the map is affine, g = asinh x and w = d g - e = asinh y, so that nothing overflows early.
local weir = ...
local c = weir.constants[1] or 2
local large = weir.precision == "f32" and 1e18 or 1e150
local abs, max, sqrt = math.abs, math.max, math.sqrt

-- Of signs that nobody can foresee a branch makes two compiled paths and a wrong guess for every other element.
local function sign(a) return a / max(abs(a), 1e-300) end

--- asinh a = log1p(|a| + a^2 / (1 + sqrt(1 + a^2))) with a's sign; where a^2 overflows, log(2 |a|).
local function asinh(frame, n, a, out)
  for i = 0, n - 1 do
    local size = abs(a[i])
    local square = size * size
    out[i] = size < large and size + square / (1 + sqrt(1 + square)) or 2 * size - 1
  end
  frame.math.log1p(n, out, out)
  for i = 0, n - 1 do out[i] = sign(a[i]) * out[i] end
end

--- sinh a = (t + t / (t + 1)) / 2 with t = e^|a| - 1, and a's sign.
local function sinh(frame, n, a, out)
  for i = 0, n - 1 do out[i] = abs(a[i]) end
  frame.math.expm1(n, out, out)
  for i = 0, n - 1 do out[i] = sign(a[i]) * (out[i] + out[i] / (out[i] + 1)) / 2 end
end

local function log_cosh(frame, n, a)
  local out = weir.take(frame)
  for i = 0, n - 1 do out[i] = -2 * abs(a[i]) end
  frame.math.softplus(n, out, out)
  for i = 0, n - 1 do out[i] = out[i] + abs(a[i]) - 0.69314718055994530942 end
  return out
end

--- Lanes of a, da/dp and d.
local function weigh(frame, n, p)
  local a, pull, d = weir.take(frame), weir.take(frame), weir.take(frame)
  for i = 0, n - 1 do a[i] = p[i] / c end
  frame.math.tanh(n, a, a)
  for i = 0, n - 1 do
    pull[i] = 1 - a[i] * a[i]
    a[i] = c * a[i]
  end
  frame.math.exp(n, a, d)
  return a, pull, d
end

--- Lanes of dy/dx, sech g, tanh g, tanh w and cosh w: what both VJPs are made of.
local function slopes(frame, n, a, g, w)
  local u, sech, tanh_g, tanh_w, cosh = weir.take(frame), log_cosh(frame, n, g), weir.take(frame), weir.take(frame),
    log_cosh(frame, n, w)
  for i = 0, n - 1 do
    u[i] = a[i] + cosh[i] - sech[i]
    sech[i] = -sech[i]
  end
  frame.math.exp(n, u, u)
  frame.math.exp(n, sech, sech)
  frame.math.exp(n, cosh, cosh)
  frame.math.tanh(n, g, tanh_g)
  frame.math.tanh(n, w, tanh_w)
  return u, sech, tanh_g, tanh_w, cosh
end

return {
  params = 2,
  identity = { 0, 0 },

  forward = function(frame, n, x, p, s, y, log_det)
    local a, _, d = weigh(frame, n, p)
    local g, w, e = weir.take(frame), weir.take(frame), p + s
    asinh(frame, n, x, g)
    for i = 0, n - 1 do w[i] = d[i] * g[i] - e[i] end
    local log_cosh_g, log_cosh_w = log_cosh(frame, n, g), log_cosh(frame, n, w)
    sinh(frame, n, w, y)
    for i = 0, n - 1 do log_det[i] = log_det[i] + a[i] + log_cosh_w[i] - log_cosh_g[i] end
  end,

  forward_vjp = function(frame, n, x, p, s, _, y_bar, log_det_bar, x_bar, p_bar)
    local a, pull, d = weigh(frame, n, p)
    local g, w, e, e_bar = weir.take(frame), weir.take(frame), p + s, p_bar + s
    asinh(frame, n, x, g)
    for i = 0, n - 1 do w[i] = d[i] * g[i] - e[i] end
    local u, sech, tanh_g, tanh_w, cosh = slopes(frame, n, a, g, w)
    for i = 0, n - 1 do
      local k = y_bar[i] * cosh[i] + log_det_bar[i] * tanh_w[i]
      x_bar[i] = y_bar[i] * u[i] + log_det_bar[i] * (d[i] * tanh_w[i] - tanh_g[i]) * sech[i]
      p_bar[i] = (k * d[i] * g[i] + log_det_bar[i]) * pull[i]
      e_bar[i] = -k
    end
  end,

  inverse = function(frame, n, y, p, s, x, log_det)
    local a, _, d = weigh(frame, n, p)
    local g, w, e = weir.take(frame), weir.take(frame), p + s
    asinh(frame, n, y, w)
    for i = 0, n - 1 do g[i] = (w[i] + e[i]) / d[i] end
    local log_cosh_g, log_cosh_w = log_cosh(frame, n, g), log_cosh(frame, n, w)
    sinh(frame, n, g, x)
    for i = 0, n - 1 do log_det[i] = log_det[i] + log_cosh_g[i] - log_cosh_w[i] - a[i] end
  end,

  inverse_vjp = function(frame, n, y, p, s, _, x_bar, log_det_bar, y_bar, p_bar)
    local a, pull, d = weigh(frame, n, p)
    local g, w, e, e_bar = weir.take(frame), weir.take(frame), p + s, p_bar + s
    asinh(frame, n, y, w)
    for i = 0, n - 1 do g[i] = (w[i] + e[i]) / d[i] end
    local u, sech, tanh_g, tanh_w, cosh = slopes(frame, n, a, g, w)
    for i = 0, n - 1 do
      local b = (x_bar[i] - log_det_bar[i] * (d[i] * tanh_w[i] - tanh_g[i]) * sech[i]) / u[i]
      local k = b * cosh[i] + log_det_bar[i] * tanh_w[i]
      y_bar[i] = b
      p_bar[i] = -(k * d[i] * g[i] + log_det_bar[i]) * pull[i]
      e_bar[i] = k
    end
  end,
}
