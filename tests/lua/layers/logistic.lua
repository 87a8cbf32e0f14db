--- Independent logistic variables around a trained place: log p = sum of -u - 2 softplus(-u), u = z - place.
local weir = ...
local D = weir.features

local function minus_u(frame, z, d, theta, out)
  local from, place = z:lane(d), theta.place[d]
  for r = 0, frame.width - 1 do out[r] = place - from[r] end
end

return {
  parameters = { { "place", { D }, 0 } },

  log_density = function(frame, z, log_p, theta)
    local v, s, n = weir.take(frame), weir.take(frame), frame.width
    for d = 0, D - 1 do
      minus_u(frame, z, d, theta, v)
      -- even in u: the branch that cannot overflow
      for r = 0, n - 1 do v[r] = -math.abs(v[r]) end
      frame.math.softplus(n, v, s)
      for r = 0, n - 1 do log_p[r] = log_p[r] + v[r] - 2 * s[r] end
    end
  end,

  vjp = function(frame, z, log_p_bar, z_bar, theta, theta_bar)
    local v, n = weir.take(frame), frame.width
    for d = 0, D - 1 do
      local to = z_bar:lane(d)
      minus_u(frame, z, d, theta, v)
      for r = 0, n - 1 do v[r] = v[r] / 2 end
      frame.math.tanh(n, v, v)
      for r = 0, n - 1 do to[r] = log_p_bar[r] * v[r] end
      theta_bar.place[d] = theta_bar.place[d] - weir.sum(frame, to)
    end
  end,

  sample = function(frame, z, theta)
    local u, n = weir.take(frame), frame.width
    for d = 0, D - 1 do
      local to, place = z:lane(d), theta.place[d]
      frame.services.random_uniform(frame, weir.stream, d, u)
      for r = 0, n - 1 do to[r] = u[r] / (1 - u[r]) end
      frame.math.log(n, to, to)
      for r = 0, n - 1 do to[r] = to[r] + place end
    end
  end,

  sample_vjp = function(frame, _, z_bar, _, theta_bar)
    for d = 0, D - 1 do theta_bar.place[d] = theta_bar.place[d] + weir.sum(frame, z_bar:lane(d)) end
  end,
}
