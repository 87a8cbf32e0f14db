--- @ID@ - a network with one hidden layer of gated units.
--
-- y = O (tanh(a) * sigmoid(g)) + c with (a, g) = W x + V context + b, each of U entries, U the first of the option
-- `constants`, or 64; V is there only when the model has a context.
-- Tensors: inner [2 U, inputs] = W, inner_bias = b, context [2 U, context features] = V, outer [outputs, U] = O,
-- outer_bias = c.
-- Start: W, V, b uniform on +-1/sqrt(inputs and context features); O zero and c the bias that the parent asked for, so
-- that a model starts at the identity. Not for autoregressive parents.
--
-- x:lane(k) is the lane of input k, a pointer to frame.width numbers, counted from 0 as inputs are. Outputs are set; the
-- gradients in theta_bar and the context's are added to. `weir layers lua_network` says the rest.
local weir = ...
local I, C, O = weir.features, weir.context, weir.outputs
local U = weir.constants[1] or 64
local bound = 1 / math.sqrt(math.max(I + C, 1))
local start = { "uniform", -bound, bound }

local parameters = {
  { "inner", { 2 * U, I }, start },
  { "inner_bias", { 2 * U }, start },
  { "outer", { O, U }, 0 },
  { "outer_bias", { O }, weir.output_bias or 0 },
}
if C > 0 then parameters[5] = { "context", { 2 * U, C }, start } end

-- The context as one block, which a matrix product can take: where the host has its lanes is the host's affair.
local function context_block(frame, stride)
  local block = weir.take(frame, C)
  for k = 0, C - 1 do
    local from, to = weir.lane(frame.context, k), block + k * stride
    for r = 0, frame.width - 1 do to[r] = from[r] end
  end
  return block
end

-- The lanes of h = tanh(a) * sigmoid(g), from those of both factors.
local function gate(frame, stride, factors)
  local h = weir.take(frame, U)
  for u = 0, U - 1 do
    local bent, open, out = factors + u * stride, factors + (U + u) * stride, h + u * stride
    for r = 0, frame.width - 1 do out[r] = bent[r] * open[r] end
  end
  return h
end

-- The cotangents of a and g.
local function gate_vjp(frame, stride, factors, h_bar)
  local bar = weir.take(frame, 2 * U)
  for u = 0, U - 1 do
    local bent, open, from = factors + u * stride, factors + (U + u) * stride, h_bar + u * stride
    local by_a, by_g = bar + u * stride, bar + (U + u) * stride
    for r = 0, frame.width - 1 do
      by_a[r] = from[r] * open[r] * (1 - bent[r] * bent[r])
      by_g[r] = from[r] * bent[r] * open[r] * (1 - open[r])
    end
  end
  return bar
end

return {
  kind = "network",
  parameters = parameters,

  -- frame.math.gemm(m, n, k, alpha, A, row, column, B, row, column, beta, C, row, column): C = beta C + alpha A B, where
  -- `row` and `column` are the steps from one row, or column, to the next; so a transposed matrix costs nothing.
  -- The tape keeps both factors of every unit; all else follows from them.
  forward = function(frame, x, y, theta)
    local gemm, n, stride = frame.math.gemm, frame.width, tonumber(frame.stride)
    local factors = weir.keep(frame, 2 * U)
    for u = 0, 2 * U - 1 do
      local lane, b = factors + u * stride, theta.inner_bias[u]
      for r = 0, n - 1 do lane[r] = b end
    end
    gemm(2 * U, n, I, 1, theta.inner, I, 1, x.data, x.stride, 1, 1, factors, stride, 1)
    if C > 0 then gemm(2 * U, n, C, 1, theta.context, C, 1, context_block(frame, stride), stride, 1, 1, factors, stride, 1) end
    for u = 0, U - 1 do
      local bent, open = factors + u * stride, factors + (U + u) * stride
      frame.math.tanh(n, bent, bent)
      frame.math.sigmoid(n, open, open)
    end
    for k = 0, O - 1 do
      local lane, c = y:lane(k), theta.outer_bias[k]
      for r = 0, n - 1 do lane[r] = c end
    end
    gemm(O, n, U, 1, theta.outer, U, 1, gate(frame, stride, factors), stride, 1, 1, y.data, y.stride, 1)
  end,

  -- Gradients of matrices are sums over the rows that count, frame.rows of them.
  vjp = function(frame, x, _, y_bar, x_bar, theta, theta_bar)
    local gemm, n, rows, stride = frame.math.gemm, frame.width, frame.rows, tonumber(frame.stride)
    local factors, h_bar = weir.kept(frame, 2 * U), weir.take(frame, U)
    local h = gate(frame, stride, factors)
    for k = 0, O - 1 do theta_bar.outer_bias[k] = theta_bar.outer_bias[k] + weir.sum(frame, y_bar:lane(k)) end
    gemm(O, U, rows, 1, y_bar.data, y_bar.stride, 1, h, 1, stride, 1, theta_bar.outer, U, 1)
    gemm(U, n, O, 1, theta.outer, 1, U, y_bar.data, y_bar.stride, 1, 0, h_bar, stride, 1)
    local bar = gate_vjp(frame, stride, factors, h_bar)
    for u = 0, 2 * U - 1 do theta_bar.inner_bias[u] = theta_bar.inner_bias[u] + weir.sum(frame, bar + u * stride) end
    gemm(2 * U, I, rows, 1, bar, stride, 1, x.data, 1, x.stride, 1, theta_bar.inner, I, 1)
    gemm(I, n, 2 * U, 1, theta.inner, 1, I, bar, stride, 1, 0, x_bar.data, x_bar.stride, 1)
    if C == 0 then return end
    gemm(2 * U, C, rows, 1, bar, stride, 1, context_block(frame, stride), 1, stride, 1, theta_bar.context, C, 1)
    if frame.context_bar == nil then return end
    local context_bar = weir.take(frame, C)
    gemm(C, n, 2 * U, 1, theta.context, 1, C, bar, stride, 1, 0, context_bar, stride, 1)
    for k = 0, C - 1 do
      local from, to = context_bar + k * stride, weir.lane(frame.context_bar, k)
      for r = 0, n - 1 do to[r] = to[r] + from[r] end
    end
  end,
}
