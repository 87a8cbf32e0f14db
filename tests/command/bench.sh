#!/bin/bash
# weir bench: the list, the table, the report; a peer that answers, one that disagrees, one that is not there.
. "$(dirname "$0")/expect.bash"
tiny=(--seconds 0.001 --rounds 3 --threads 1)

# without a peer: rates, fractions of the peak, and null where the peer would be
expect 0 "" "$WEIR" bench "${tiny[@]}" --work W1,W4a --batch 1,32 --op train,log_prob,sample --json
json stdout '#v == 12 and (function() for _, c in ipairs(v) do for _, key in ipairs { "work", "op", "batch", "threads", "ours", "peer", "ratio", "ratio_min", "ratio_max", "peak_fraction" } do if c[key] == nil then error(key) end end if not (c.ours > 0 and c.peak_fraction > 0 and c.peak_fraction < 1 and c.peer == null and c.ratio == null) then return false end end return true end)()'
json stdout 'v[1].work == "W1" and v[1].op == "train" and v[1].batch == 1 and v[12].work == "W4a" and v[12].op == "sample" and v[12].batch == 32 and v[12].threads == 1'
json stdout '(function() local n = 0 for _ in pairs(v[1]) do n = n + 1 end return n == 10 end)()'

expect 0 "" "$WEIR" bench "${tiny[@]}" --work W2a --op log_prob --report report.html
has '^multiply-add, 1 thread: [0-9.]+ GFLOP/s$' stdout
has '^ *W2a log_prob +4096 ' stdout
has '^W2a: library: .* ms to the first log_prob, [0-9.]+ MB resident$' stdout
has '<svg ' report.html
has 'W2a log_prob 4096' report.html
has '</html>' report.html

# A peer by the line protocol, in place of Python. It lets weir itself say log_prob, and claims 1000 samples a second.
cat >peer <<'SH'
#!/bin/bash
[ "$3" != first ] || { echo "ok 0 1024"; exit 0; }
while read -r command work a b c; do
  case $command in
  hello) echo "ok pretender 1" ;;
  load) model=$a; echo ok ;;
  variants) if [ "$a" = sample ]; then echo ok; else echo "ok plain"; fi ;;
  check) "$WEIR" eval "$model" "$b" -o "$c" >/dev/null; [ -z "${WRONG:-}" ] || cp wrong.npy "$c"; echo ok ;;
  rate) echo "ok 1000" ;;
  *) echo "error what is $command $work" ;;
  esac
done
SH
chmod +x peer
expect 0 "" env WEIR="$WEIR" "$WEIR" bench "${tiny[@]}" --work W2a --batch 32 --peer --python ./peer --json
json stdout '#v == 3 and v[1].peer == 1000 and math.abs(v[1].ratio / (v[1].ours / 1000) - 1) < 1e-3 and v[1].ratio_min <= v[1].ratio and v[1].ratio <= v[1].ratio_max and v[3].op == "sample" and v[3].peer == null'
expect 0 "" env WEIR="$WEIR" "$WEIR" bench "${tiny[@]}" --work W2a --batch 32 --peer --python ./peer --report report.md
has 'peer: pretender 1' stdout
has '^\| W2a \| train \| 32 \| 1 \| .* \| 1k \| x' report.md
has 'log-likelihoods agree on 2048 rows' report.md

# other densities are an error, before anything is timed
printf 'local weir = require "weir"\nweir.random(1):normal(2048, 1):save "wrong.npy"\n' >wrong.lua
expect 0 "" "$WEIR" wrong.lua
expect 1 'W2a and the peer disagree about log_prob' env WEIR="$WEIR" WRONG=1 "$WEIR" bench "${tiny[@]}" --work W2a --batch 32 --peer --python ./peer --json

# no peer
expect 1 'scripts/setup.sh --bench' "$WEIR" bench "${tiny[@]}" --peer --python ./no-python-here --json
printf '#!/bin/bash\necho "error torch is missing for $0"\n' >bare
chmod +x bare
expect 1 'torch is missing for ./bare; install it with scripts/setup.sh --bench' "$WEIR" bench "${tiny[@]}" --peer --python ./bare --json
printf '#!/bin/bash\nexit 3\n' >dies
chmod +x dies
expect 1 'scripts/setup.sh --bench' "$WEIR" bench "${tiny[@]}" --peer --python ./dies --json

expect 2 'W9 is not understood' "$WEIR" bench --work W1,W9
expect 2 'backward is not understood' "$WEIR" bench --op backward
expect 2 '0 is not understood' "$WEIR" bench --batch 0
expect 2 '[.]html or [.]md' "$WEIR" bench --report speed.pdf
expect 2 'seconds' "$WEIR" bench --seconds 0

# the real one, where it is installed
if /usr/bin/python3 -c 'import torch, numpy' 2>/dev/null && [ "${WEIR_TEST_SANITIZED:-}" != TRUE ]; then
  expect 0 "" "$WEIR" bench "${tiny[@]}" --work W1,W2a,W3,W4a --batch 64 --peer --json
  json stdout '#v == 12 and (function() for _, c in ipairs(v) do local none = c.work == "W4a" and c.op == "sample" if none ~= (c.peer == null) or not none and not (c.peer > 0 and c.ratio > 0) then return false end end return true end)()'

  # weights are far enough from the identity for a constant that is a little off to show
  other_peer() { # other_peer SED: ./other, Python that reads the peer with this change
    sed "$1" "$(dirname "$WEIR")/../share/weir-bench/peer_torch.py" >other.py
    printf '#!/bin/bash\nshift\nexec /usr/bin/python3 other.py "$@"\n' >other
    chmod +x other
  }
  other_peer 's|s / 3[.]0) \* 3[.]0|s / 3.1) * 3.1|'
  for work in W1 W2b; do
    expect 1 "$work and the peer disagree about log_prob" "$WEIR" bench "${tiny[@]}" --work "$work" --op log_prob --batch 64 --peer --python ./other --json
  done
  other_peer 's|1e-3 \* bins|1.1e-3 * bins|'
  expect 1 "W3 and the peer disagree about log_prob" "$WEIR" bench "${tiny[@]}" --work W3 --op log_prob --batch 64 --peer --python ./other --json
fi
finish
