--- @ID@ - independent Gumbel features: what the largest of many values is distributed like.
--
-- log p(z) = sum over features of -w - exp(-w) - s, w = (z - m) exp(-s). Parameters: location [features] = m,
-- log_scale [features] = s; s starts at 0, m at the first of the option `constants`, or 0.
-- Samples: z = m - exp(s) log(-log u), u uniform on (0, 1); gradients reach the parameters through them too.
-- Far to the left exp(-w) overflows: the density is 0 to rounding and its logarithm -infinity. NaN is discarded.
-- Source: Gumbel 1935, "Les valeurs extremes des distributions statistiques".
--
-- z:lane(f) is the lane of feature f, a pointer to frame.width numbers, counted from 0 as features are. z_bar is set, log_p
-- and the gradients in theta_bar are added to. `weir layers lua_density` says the rest.
local weir = ...
local D = weir.features

-- The lanes of w and exp(-w), in scratch.
local function standard(frame, from, m, s)
  local w, tail, n = weir.take(frame), weir.take(frame), frame.width
  local shrink = math.exp(-s)
  for r = 0, n - 1 do
    w[r] = (from[r] - m) * shrink
    tail[r] = -w[r]
  end
  frame.math.exp(n, tail, tail)
  return w, tail
end

return {
  kind = "density",
  parameters = { { "location", { D }, weir.constants[1] or 0 }, { "log_scale", { D }, 0 } },

  log_density = function(frame, z, log_p, theta)
    for f = 0, D - 1 do
      local s = theta.log_scale[f]
      local w, tail = standard(frame, z:lane(f), theta.location[f], s)
      for r = 0, frame.width - 1 do log_p[r] = log_p[r] - (w[r] + tail[r] + s) end
    end
  end,

  -- d log p / dw = exp(-w) - 1. Rows from frame.rows on repeat others and do not count in sums.
  vjp = function(frame, z, log_p_bar, z_bar, theta, theta_bar)
    for f = 0, D - 1 do
      local to, shrink = z_bar:lane(f), math.exp(-theta.log_scale[f])
      local w, tail = standard(frame, z:lane(f), theta.location[f], theta.log_scale[f])
      for r = 0, frame.width - 1 do to[r] = log_p_bar[r] * (tail[r] - 1) * shrink end
      local moved, stretched = 0, 0
      for r = 0, frame.rows - 1 do
        local by_w = log_p_bar[r] * (tail[r] - 1)
        moved = moved - by_w * shrink
        stretched = stretched - by_w * w[r] - log_p_bar[r]
      end
      theta_bar.location[f] = theta_bar.location[f] + moved
      theta_bar.log_scale[f] = theta_bar.log_scale[f] + stretched
    end
  end,

  -- Draw number f of this module's stream: the same row of the same run always draws the same.
  sample = function(frame, z, theta)
    local n = frame.width
    for f = 0, D - 1 do
      local lane, m, scale = z:lane(f), theta.location[f], math.exp(theta.log_scale[f])
      frame.services.random_uniform(frame, weir.stream, f, lane)
      frame.math.log(n, lane, lane)
      for r = 0, n - 1 do lane[r] = -lane[r] end
      frame.math.log(n, lane, lane)
      for r = 0, n - 1 do lane[r] = m - scale * lane[r] end
    end
  end,

  -- dz/dm = 1 and dz/ds = z - m.
  sample_vjp = function(frame, z, z_bar, theta, theta_bar)
    for f = 0, D - 1 do
      local lane, bar, m = z:lane(f), z_bar:lane(f), theta.location[f]
      local stretched = 0
      for r = 0, frame.rows - 1 do stretched = stretched + bar[r] * (lane[r] - m) end
      theta_bar.location[f] = theta_bar.location[f] + weir.sum(frame, bar)
      theta_bar.log_scale[f] = theta_bar.log_scale[f] + stretched
    end
  end,
}
