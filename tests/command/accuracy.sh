#!/bin/bash
# log_prob in f32 is as exact as promised: within 1e-5 (D + |log p|) of f64 by the same weights at the 99th percentile of rows,
# for trained models of every kind that weir bench measures and every instruction set; and no worse than PyTorch's f32.
. "$(dirname "$0")/expect.bash"
bench=$(dirname "$WEIR")/weir-bench
if [ "${WEIR_TEST_SANITIZED:-}" = TRUE ]; then echo "skipped: a sanitizer changes no figure, and takes its time"; exit 77; fi

# The lines of one kind as a JSON list.
lines_of() { # lines_of KIND FILE
  printf '[%s]' "$(grep "\"kind\":\"$1\"" "$2" | paste -sd,)"
}

accurate() { # accurate WORKS [VARIABLE=VALUE]
  expect 0 "" env "${2:-A=}" "$bench" --only accuracy --threads 1 --work "$1"
  lines_of accuracy stdout >list.json
  json list.json "#v == $(echo "$1" | tr , '\n' | wc -l) and (function() for _, a in ipairs(v) do if not (a.who == \"weir\" and a.rows >= 1000 and a.usual > 0 and a.usual < 1e-5 and a.worst < 1e-4) then error(a.work .. \": \" .. a.usual .. \", \" .. a.worst) end end return true end)()"
}
accurate W1,W2a,W3,W4a,W4b
accurate W2a,W3 WEIR_MATH=sse2

# Rounding is chance: figures of equal quality differ by a tenth from one set of weights to another, and the most exact of the
# peer's three variants counts.
peer=$(dirname "$WEIR")/../share/weir-bench/peer_torch.py
if /usr/bin/python3 -c 'import torch, numpy' 2>/dev/null; then
  expect 0 "" "$bench" --only accuracy,cases --threads 1 --work W1,W2a,W3,W4b --op log_prob --batch 64 --seconds 0.001 --rounds 1 --peer "$peer"
  lines_of accuracy stdout >list.json
  json list.json '#v == 8 and (function() for i = 1, 8, 2 do local own, peer = v[i], v[i + 1] if not (own.who == "weir" and peer.who == "peer" and own.work == peer.work and own.usual < 1.1 * peer.usual) then error(own.work .. ": " .. own.usual .. " beside " .. peer.usual) end end return true end)()'
fi
finish
