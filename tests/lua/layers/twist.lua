--- z_d = x_d + 0.4 tanh(w_d x_(d + 1)), around the circle of features: a layer with forward and forward_vjp alone. Its Jacobian
-- is I plus one diagonal and a corner, so that its determinant is 1 - (-1)^D times the product of the entries.
local weir = ...
local D = weir.features
assert(D > 1, "needs two features or more")
local parity = D % 2 == 0 and -1 or 1

--- Slopes 0.4 w_d sech^2 as D lanes; z too when it is wanted.
local function slopes(frame, x, z, theta)
  local all, stride = weir.take(frame, D), tonumber(frame.stride)
  for d = 0, D - 1 do
    local from, own, t, w = x:lane((d + 1) % D), x:lane(d), all + d * stride, theta.w[d]
    for r = 0, frame.width - 1 do t[r] = w * from[r] end
    frame.math.tanh(frame.width, t, t)
    if z then
      local to = z:lane(d)
      for r = 0, frame.width - 1 do to[r] = own[r] + 0.4 * t[r] end
    end
    for r = 0, frame.width - 1 do t[r] = 0.4 * w * (1 - t[r] * t[r]) end
  end
  return all, stride
end

local function product(frame, all, stride)
  local p = weir.take(frame)
  for r = 0, frame.width - 1 do p[r] = parity end
  for d = 0, D - 1 do
    local t = all + d * stride
    for r = 0, frame.width - 1 do p[r] = p[r] * t[r] end
  end
  return p
end

return {
  parameters = { { "w", { D }, { "uniform", 0.3, 0.9 } } },

  forward = function(frame, x, z, log_det, theta)
    local all, stride = slopes(frame, x, z, theta)
    local p = product(frame, all, stride)
    frame.math.log1p(frame.width, p, p)
    for r = 0, frame.width - 1 do log_det[r] = log_det[r] + p[r] end
  end,

  forward_vjp = function(frame, x, _, z_bar, log_det_bar, x_bar, theta, theta_bar)
    local all, stride = slopes(frame, x, nil, theta)
    local p, t, work = product(frame, all, stride), weir.take(frame), weir.take(frame)
    for d = 0, D - 1 do
      local bar, to = z_bar:lane(d), x_bar:lane(d)
      for r = 0, frame.width - 1 do to[r] = bar[r] end
    end
    for d = 0, D - 1 do
      local from, bar, to, w = x:lane((d + 1) % D), z_bar:lane(d), x_bar:lane((d + 1) % D), theta.w[d]
      local slope = all + d * stride
      for r = 0, frame.width - 1 do t[r] = w * from[r] end
      frame.math.tanh(frame.width, t, t)
      for r = 0, frame.width - 1 do
        -- d log|1 + p| / d (w x) by way of this slope's sech^2, -2 tanh each
        local bent = -2 * t[r] * p[r] / (1 + p[r]) * log_det_bar[r]
        to[r] = to[r] + bar[r] * slope[r] + w * bent
        work[r] = 0.4 * (1 - t[r] * t[r]) * from[r] * bar[r] + from[r] * bent + p[r] / (1 + p[r]) * log_det_bar[r] / w
      end
      theta_bar.w[d] = theta_bar.w[d] + weir.sum(frame, work)
    end
  end,
}
