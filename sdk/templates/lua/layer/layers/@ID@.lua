--- @ID@ - every feature is scaled, and pushed by the one before it: a staircase.
--
-- z_0 = a_0 x_0,  z_f = a_f x_f + w_f tanh(x_(f-1)), with scales a = softplus(raw) > 0. Parameters: raw [features],
-- push [features] = w. Starts at the identity: a = 1, w = 0. Derived: scale = a.
-- J is lower triangular: log|det J| = sum log a_f. The inverse goes up the stairs, x_0 first, and is exact.
--
-- x:lane(f) is the lane of feature f, a pointer to frame.width numbers, counted from 0 as features are. Outputs are set;
-- log_det and the gradients in theta_bar are added to. `weir layers lua_layer` says the rest.
local weir = ...
local D = weir.features

-- Lane f of memory that weir.take or weir.keep gave.
local function lane_of(frame, memory, f) return memory + f * tonumber(frame.stride) end

local function add_log_det(frame, sign, log_det, theta)
  local sum = 0
  for f = 0, D - 1 do sum = sum + math.log(theta.scale[f]) end
  for r = 0, frame.width - 1 do log_det[r] = log_det[r] + sign * sum end
end

-- The gradients of feature f's parameters, when `bar` is the cotangent of z_f and sum_bar that of the log-det, summed over
-- the rows. Rows from frame.rows on repeat others and do not count.
local function add_gradients(frame, f, sign, bar, x, below, sum_bar, theta, theta_bar)
  local along, pushed = 0, 0
  for r = 0, frame.rows - 1 do
    along = along + bar[r] * x[r]
    pushed = pushed + bar[r] * below[r]
  end
  theta_bar.scale[f] = theta_bar.scale[f] + sign * (along + sum_bar / theta.scale[f])
  if f > 0 then theta_bar.push[f] = theta_bar.push[f] + sign * pushed end
end

return {
  kind = "layer",
  parameters = { { "raw", { D }, math.log(math.exp(1) - 1) }, { "push", { D }, 0 } },
  derived = { { "scale", { D } } },

  -- What does not depend on rows is done here, once for each update of the parameters.
  prepare = function(frame, theta) frame.math.softplus(D, theta.raw, theta.scale) end,

  -- All tiles have added to the gradient of scale; it goes on to raw.
  prepare_vjp = function(_, theta, theta_bar)
    for f = 0, D - 1 do
      theta_bar.raw[f] = theta_bar.raw[f] + theta_bar.scale[f] / (1 + math.exp(-theta.raw[f]))
    end
  end,

  -- Both directions keep tanh(x) on the tape: the way back needs it, and it is dear to compute.
  forward = function(frame, x, z, log_det, theta)
    local bent, n = weir.keep(frame, D), frame.width
    for f = 0, D - 1 do
      local from, to, a = x:lane(f), z:lane(f), theta.scale[f]
      frame.math.tanh(n, from, lane_of(frame, bent, f))
      for r = 0, n - 1 do to[r] = a * from[r] end
      if f > 0 then
        local below, w = lane_of(frame, bent, f - 1), theta.push[f]
        for r = 0, n - 1 do to[r] = to[r] + w * below[r] end
      end
    end
    add_log_det(frame, 1, log_det, theta)
  end,

  inverse = function(frame, z, x, log_det, theta)
    local bent, n = weir.keep(frame, D), frame.width
    for f = 0, D - 1 do
      local from, to, a = z:lane(f), x:lane(f), theta.scale[f]
      for r = 0, n - 1 do to[r] = from[r] / a end
      if f > 0 then
        local below, w = lane_of(frame, bent, f - 1), theta.push[f] / a
        for r = 0, n - 1 do to[r] = to[r] - w * below[r] end
      end
      frame.math.tanh(n, to, lane_of(frame, bent, f))
    end
    add_log_det(frame, -1, log_det, theta)
  end,

  -- x_f reaches z_f through its scale, and z_(f+1) through tanh.
  forward_vjp = function(frame, x, _, z_bar, log_det_bar, x_bar, theta, theta_bar)
    local bent, sum_bar = weir.kept(frame, D), weir.sum(frame, log_det_bar)
    for f = 0, D - 1 do
      local bar, to, a = z_bar:lane(f), x_bar:lane(f), theta.scale[f]
      add_gradients(frame, f, 1, bar, x:lane(f), lane_of(frame, bent, math.max(f - 1, 0)), sum_bar, theta, theta_bar)
      for r = 0, frame.width - 1 do to[r] = a * bar[r] end
      if f + 1 < D then
        local above, own, w = z_bar:lane(f + 1), lane_of(frame, bent, f), theta.push[f + 1]
        for r = 0, frame.width - 1 do to[r] = to[r] + w * above[r] * (1 - own[r] * own[r]) end
      end
    end
  end,

  -- z_bar = a with J^T a = x_bar, from the top of the stairs down; the parameters then get what forward gives them for -a
  -- and minus the log-det's cotangent.
  inverse_vjp = function(frame, _, x, x_bar, log_det_bar, z_bar, theta, theta_bar)
    local bent, sum_bar = weir.kept(frame, D), weir.sum(frame, log_det_bar)
    for f = D - 1, 0, -1 do
      local bar, to, a = x_bar:lane(f), z_bar:lane(f), theta.scale[f]
      for r = 0, frame.width - 1 do to[r] = bar[r] / a end
      if f + 1 < D then
        local above, own, w = z_bar:lane(f + 1), lane_of(frame, bent, f), theta.push[f + 1] / a
        for r = 0, frame.width - 1 do to[r] = to[r] - w * above[r] * (1 - own[r] * own[r]) end
      end
      add_gradients(frame, f, -1, to, x:lane(f), lane_of(frame, bent, math.max(f - 1, 0)), sum_bar, theta, theta_bar)
    end
  end,
}
