#!/bin/bash
# What core/SPEED.md says of cost and memory, as weir bench measures it: the model of cost predicts, activations do not grow with
# the batch, nor with the depth in recompute mode; and the same through Lua.
. "$(dirname "$0")/expect.bash"
bench=$(dirname "$WEIR")/weir-bench
[ "${WEIR_TEST_SANITIZED:-}" != TRUE ] || { echo "skipped: sanitizers have a memory and a pace of their own"; exit 77; }

lines_of() { # lines_of KIND FILE: as a JSON list
  printf '[%s]' "$(grep "\"kind\":\"$1\"" "$2" | paste -sd,)"
}

# One point is (depth, rows, recompute). Activations of 56 rows more: with a tape eight times as many layers take eight times as
# much, in recompute mode as much as few. A batch of 16384 rows adds to one of 64 fifteen gradients, and 1.5 MB for chance.
expect 0 "" "$bench" --only memory
lines_of memory stdout >list.json
json list.json '#v == 12 and (function() local m, p = {}, {} for _, e in ipairs(v) do m[e.depth .. " " .. e.rows .. " " .. e.recompute] = e.megabytes p[e.depth] = e.parameters end local function rows(d, r) return m[d .. " 64 " .. r] - m[d .. " 8 " .. r] end local tape, flat = rows(64, 0), rows(64, 1) if not (tape > 1.5 and flat < 0.4 * tape and flat - rows(8, 1) < 0.4) then error("activations " .. tape .. ", " .. flat) end for _, d in ipairs { 8, 64 } do for r = 0, 1 do local more = m[d .. " 16384 " .. r] - m[d .. " 64 " .. r] if more > 15 * p[d] + 1.5 then error("a batch takes " .. more) end end end return true end)()'

# On a busy machine single figures mean little: half of the predictions are within a factor of two.
expect 0 "" "$bench" --only model --op log_prob --threads 1 --seconds 0.002
lines_of model stdout >list.json
json list.json '#v == 45 and (function() local near = 0 for _, e in ipairs(v) do local q = e.predicted / e.measured if not (q > 0 and q < 1e3) then error(e.layer) end if q > 0.5 and q < 2 then near = near + 1 end end if near < 23 then error(near .. " of 45") end return true end)()'

# A peer in Lua gives the same densities, and is not slower than by half even here.
expect 0 "" "$WEIR" bench --lua --work W2a,W3 --op train,log_prob,sample --batch 256 --threads 1 --seconds 0.02 --rounds 5 --only cases --json
json stdout '#v == 6 and (function() for _, c in ipairs(v) do if (c.op == "sample") ~= (c.peer == null) then error(c.op) end if c.op ~= "sample" and not (c.ratio > 0.5 and c.ratio < 2) then error(c.work .. " " .. c.op .. " " .. c.ratio) end end return true end)()'
finish
