--- @ID@ - the line with one slope on the left and another on the right, joined smoothly: a bend.
--
-- y = x + t sqrt(1 + x^2) + b with t = 0.9 tanh(s): the slope is 1 - t far to the left and 1 + t far to the right.
-- Parameters per element: s, b; 0, 0 is the identity. log|dy/dx| = log(1 + t x / sqrt(1 + x^2)).
-- Inverse, with u = y - b: x = (u - t sqrt(u^2 + 1 - t^2)) / (1 - t^2).
--
-- Every function works on whole lanes, pointers to n numbers counted from 0: `p` is the lane of s, and that of b lies one
-- `stride` after it. Outputs are set, log_det is added to. `weir layers lua_univariate` says the rest.
local weir = ...
local sqrt = math.sqrt

-- Whole lanes go through the host's functions, which are faster than math.tanh number by number.
local function bend_of(frame, n, s)
  local t = weir.take(frame)
  frame.math.tanh(n, s, t)
  for i = 0, n - 1 do t[i] = 0.9 * t[i] end
  return t
end

-- Adds sign * log(1 + lean), for a lane of t x / sqrt(1 + x^2).
local function add_log(frame, n, sign, lean, log_det)
  frame.math.log1p(n, lean, lean)
  for i = 0, n - 1 do log_det[i] = log_det[i] + sign * lean[i] end
end

return {
  kind = "univariate",
  params = 2,
  identity = { 0, 0 },

  forward = function(frame, n, x, p, stride, y, log_det)
    local t, b, lean = bend_of(frame, n, p), p + stride, weir.take(frame)
    for i = 0, n - 1 do
      local root = sqrt(1 + x[i] * x[i])
      y[i] = x[i] + t[i] * root + b[i]
      lean[i] = t[i] * (x[i] / root)
    end
    add_log(frame, n, 1, lean, log_det)
  end,

  inverse = function(frame, n, y, p, stride, x, log_det)
    local t, b, lean = bend_of(frame, n, p), p + stride, weir.take(frame)
    for i = 0, n - 1 do
      local c, u = 1 - t[i] * t[i], y[i] - b[i]
      x[i] = (u - t[i] * sqrt(u * u + c)) / c
      lean[i] = t[i] * (x[i] / sqrt(1 + x[i] * x[i]))
    end
    add_log(frame, n, -1, lean, log_det)
  end,

  -- The cotangents of x, s and b, from those of y and log_det. The VJP of the inverse the host derives from this one.
  forward_vjp = function(frame, n, x, p, stride, _, y_bar, log_det_bar, x_bar, p_bar)
    local t, b_bar = bend_of(frame, n, p), p_bar + stride
    for i = 0, n - 1 do
      local root = sqrt(1 + x[i] * x[i])
      local lean = x[i] / root
      local slope = 1 + t[i] * lean
      local through = log_det_bar[i] / slope
      x_bar[i] = y_bar[i] * slope + through * t[i] / (root * root * root)
      p_bar[i] = (y_bar[i] * root + through * lean) * (0.9 - t[i] * t[i] / 0.9)
      b_bar[i] = y_bar[i]
    end
  end,
}
