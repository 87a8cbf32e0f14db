#!/bin/bash
# sdk/FORMULAS.md and the modules: each that `weir layers` lists has one row, in the table of its kind, no cell of it empty,
# and a doc that tells cost and source; no row names anything else. Each line of the errata names a test that exists, and
# each of the tests about formulas is named there.
set -eu
page=$WEIR_TEST_SOURCE/sdk/FORMULAS.md
weir=$WEIR_TEST_BUILD/bin/weir
wrong=0
say() {
  echo "$1"
  wrong=1
}

cat >list.lua <<'LUA'
for _, module in ipairs((require "weir.core").json_decode(io.open("modules.json"):read "*a")) do
  local doc = module.doc or ""
  print(module.kind, module.id, doc:find "[Cc]ost" and "cost" or "-", doc:find "Sources?[: ]" and "source" or "-")
end
LUA
"$weir" layers --json >modules.json
"$weir" list.lua | tr '\t' ' ' | sort >modules
awk -F'|' '
  /^## / { kind = "" }
  /^## Univariates/ { kind = "univariate" }
  /^## Networks/ { kind = "network" }
  /^## Densities/ { kind = "density" }
  /^## (Layers|Host containers)/ { kind = "layer" }
  kind != "" && /^\| `/ {
    id = $2
    gsub(/[` ]/, "", id)
    empty = 0
    for (i = 2; i < NF; i++) if ($i ~ /^ *$/) empty = 1
    print kind, id, NF - 2, empty
  }' "$page" | sort >rows

[ "$(wc -l <modules)" -ge 60 ] || say "only $(wc -l <modules) modules are listed"
while read -r kind id cost source; do
  count=$(grep -cE "^$kind $id " rows || true)
  [ "$count" = 1 ] || say "$id: $count rows in the table of its kind ($kind) in sdk/FORMULAS.md"
  [ "$cost" = cost ] || say "$id: its doc does not say what it costs"
  [ "$source" = source ] || say "$id: its doc names no source"
done <modules
while read -r kind id cells empty; do
  grep -qE "^$kind $id " modules || say "sdk/FORMULAS.md has a row for $id, which is no $kind that is installed"
  wanted=6
  case $kind in network | density) wanted=5 ;; esac
  [ "$cells" = "$wanted" ] || say "$id: its row has $cells cells, not $wanted"
  [ "$empty" = 0 ] || say "$id: a cell of its row is empty"
done <rows

ctest --test-dir "$WEIR_TEST_BUILD" --show-only=json-v1 | grep -oE '"name" : "[^"]+"' | sed -E 's/.*: "(.*)"/\1/' >entries
grep -oE '^unit\.formulas[a-z_]*\..*' entries | sort >tests || true
sed -n '/^## Errata/,$p' "$page" | grep '^| ' | grep -vE '^\| (Where|---)' >errata
[ "$(wc -l <errata)" -ge 20 ] || say "only $(wc -l <errata) lines of errata are found"
while IFS= read -r line; do
  grep -qE '`unit\.[a-z0-9_.]+` \|$' <<<"$line" || say "no test in: ${line:0:60}"
done <errata
grep -oE '`unit\.[a-z0-9_.]+`' errata | tr -d '`' | sort -u >named
while read -r test; do
  grep -qxF "$test" entries || say "sdk/FORMULAS.md names $test, and there is no such test"
done <named
while read -r test; do
  grep -qxF "$test" named || say "$test is not named in sdk/FORMULAS.md"
done <tests
exit $wrong
