--- y = bias + W sin x: a network, its products by the host's gemm.
local weir = ...
local I, O = weir.features, weir.outputs

local function sines(frame, x)
  local h, stride = weir.take(frame, I + 1), tonumber(frame.stride)
  for d = 0, I - 1 do frame.math.sin(frame.width, x:lane(d), h + d * stride) end
  return h, stride
end

return {
  parameters = {
    { "weight", { O, I }, { "normal", 0, 1e-3 } },
    { "bias", { O }, weir.output_bias or 0 },
  },

  forward = function(frame, x, y, theta)
    local n = frame.width
    local h, stride = sines(frame, x)
    for k = 0, O - 1 do
      local to, b = y:lane(k), theta.bias[k]
      for r = 0, n - 1 do to[r] = b end
    end
    frame.math.gemm(O, n, I, 1, theta.weight, I, 1, h, stride, 1, 1, y.data, y.stride, 1)
  end,

  vjp = function(frame, x, _, y_bar, x_bar, theta, theta_bar)
    local n = frame.width
    local h, stride = sines(frame, x)
    for k = 0, O - 1 do theta_bar.bias[k] = theta_bar.bias[k] + weir.sum(frame, y_bar:lane(k)) end
    frame.math.gemm(O, I, frame.rows, 1, y_bar.data, y_bar.stride, 1, h, 1, stride, 1, theta_bar.weight, I, 1)
    frame.math.gemm(I, n, O, 1, theta.weight, 1, I, y_bar.data, y_bar.stride, 1, 0, x_bar.data, x_bar.stride, 1)
    for d = 0, I - 1 do
      local c, to = h, x_bar:lane(d)
      frame.math.cos(n, x:lane(d), c)
      for r = 0, n - 1 do to[r] = to[r] * c[r] end
    end
  end,
}
