--- z_d = x_d e^(a_d) + b_d + c_d tanh(x_(d - 1) + context), feature after feature: a layer with all four functions, its own
-- parameters, a tape, and the context where there is one.
local weir = ...
local D = weir.features

local function bent(frame, x, d)
  local t = weir.take(frame)
  local before = x:lane(d - 1)
  if frame.context ~= nil then
    local context = weir.lane(frame.context, 0)
    for r = 0, frame.width - 1 do t[r] = before[r] + context[r] end
    frame.math.tanh(frame.width, t, t)
  else
    frame.math.tanh(frame.width, before, t)
  end
  return t
end

local function add_log_det(frame, log_det, theta, sign)
  local sum = 0
  for d = 0, D - 1 do sum = sum + theta.a[d] end
  for r = 0, frame.width - 1 do log_det[r] = log_det[r] + sign * sum end
end

local function to_context(frame, lane)
  if frame.context_bar == nil then return end
  local bar = weir.lane(frame.context_bar, 0)
  for r = 0, frame.width - 1 do bar[r] = bar[r] + lane[r] end
end

return {
  parameters = { { "a", { D }, { "normal", 0, 0.1 } }, { "b", { D }, 0.25 }, { "c", { D }, { "uniform", -0.5, 0.5 } } },

  forward = function(frame, x, z, log_det, theta)
    local scale = weir.keep(frame, D)
    for d = 0, D - 1 do
      local from, to, e, b, c = x:lane(d), z:lane(d), math.exp(theta.a[d]), theta.b[d], theta.c[d]
      scale[d] = e
      for r = 0, frame.width - 1 do to[r] = from[r] * e + b end
      if d > 0 then
        local t = bent(frame, x, d)
        for r = 0, frame.width - 1 do to[r] = to[r] + c * t[r] end
      end
    end
    add_log_det(frame, log_det, theta, 1)
  end,

  forward_vjp = function(frame, x, _, z_bar, log_det_bar, x_bar, theta, theta_bar)
    local scale, l_sum, work = weir.kept(frame, D), weir.sum(frame, log_det_bar), weir.take(frame)
    for d = D - 1, 0, -1 do
      local from, bar, to = x:lane(d), z_bar:lane(d), x_bar:lane(d)
      local e = scale[d]
      for r = 0, frame.width - 1 do
        to[r] = bar[r] * e
        work[r] = to[r] * from[r]
      end
      theta_bar.a[d] = theta_bar.a[d] + weir.sum(frame, work) + l_sum
      theta_bar.b[d] = theta_bar.b[d] + weir.sum(frame, bar)
    end
    for d = 1, D - 1 do
      local t, bar, to, c = bent(frame, x, d), z_bar:lane(d), x_bar:lane(d - 1), theta.c[d]
      for r = 0, frame.width - 1 do work[r] = bar[r] * t[r] end
      theta_bar.c[d] = theta_bar.c[d] + weir.sum(frame, work)
      for r = 0, frame.width - 1 do
        work[r] = bar[r] * c * (1 - t[r] * t[r])
        to[r] = to[r] + work[r]
      end
      to_context(frame, work)
    end
  end,

  inverse = function(frame, z, x, log_det, theta)
    for d = 0, D - 1 do
      local from, to, e, b, c = z:lane(d), x:lane(d), math.exp(theta.a[d]), theta.b[d], theta.c[d]
      for r = 0, frame.width - 1 do to[r] = from[r] - b end
      if d > 0 then
        local t = bent(frame, x, d)
        for r = 0, frame.width - 1 do to[r] = to[r] - c * t[r] end
      end
      for r = 0, frame.width - 1 do to[r] = to[r] / e end
    end
    add_log_det(frame, log_det, theta, -1)
  end,

  --- Backwards through the features: what x_d owes to z_bar goes on to x_(d - 1).
  inverse_vjp = function(frame, _, x, x_bar, log_det_bar, z_bar, theta, theta_bar)
    local l_sum, work, passed = weir.sum(frame, log_det_bar), weir.take(frame), weir.take(frame)
    for r = 0, frame.width - 1 do passed[r] = 0 end
    for d = D - 1, 0, -1 do
      local from, bar, to, e, c = x:lane(d), x_bar:lane(d), z_bar:lane(d), math.exp(theta.a[d]), theta.c[d]
      for r = 0, frame.width - 1 do
        to[r] = (bar[r] + passed[r]) / e
        work[r] = to[r] * from[r] * e
      end
      theta_bar.a[d] = theta_bar.a[d] - weir.sum(frame, work) - l_sum
      theta_bar.b[d] = theta_bar.b[d] - weir.sum(frame, to)
      if d > 0 then
        local t = bent(frame, x, d)
        for r = 0, frame.width - 1 do
          work[r] = to[r] * t[r]
          passed[r] = -to[r] * c * (1 - t[r] * t[r])
        end
        theta_bar.c[d] = theta_bar.c[d] - weir.sum(frame, work)
        to_context(frame, passed)
      end
    end
  end,
}
