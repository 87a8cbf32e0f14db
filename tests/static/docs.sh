#!/bin/bash
# The Lua library's comments make pages without a complaint, and a comment that does not fit makes none.
set -eu
command -v ldoc >/dev/null || { echo "skipped: no ldoc here; scripts/setup.sh --tests installs it"; exit 77; }
"$WEIR_TEST_SOURCE/scripts/docs.sh" "$PWD/pages" >docs.log 2>&1 || { cat docs.log; exit 1; }
for page in weir weir.flow weir.data weir.fit weir.plot weir.array; do
  [ -s "pages/modules/$page.html" ] || [ -s "pages/$page.html" ] || { echo "no page of $page"; exit 1; }
done
grep -rq 'Flow:log_prob' pages || { echo "the methods of flows are missing"; exit 1; }

# Nothing that a script may call is without words, and a function that has none is found.
command -v luajit >/dev/null || { echo "skipped: no luajit here; scripts/setup.sh installs it"; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
luajit "$here/documented.lua" "$WEIR_TEST_SOURCE"
mkdir -p mute/core/src
cp -r "$WEIR_TEST_SOURCE/scripts" mute/
cp -r "$WEIR_TEST_SOURCE/core/src/lua" mute/core/src/
refused() { # refused WORDS SED-COMMAND FILE
  cp "mute/$3" kept
  sed -i "$2" "mute/$3"
  cmp -s kept "mute/$3" && { echo "$3 is not changed by $2"; exit 1; }
  if luajit "$here/documented.lua" mute >mute.log; then echo "$2 passes"; exit 1; fi
  grep -q "$1" mute.log || { echo "$2 is not told: $(cat mute.log)"; exit 1; }
  cp kept "mute/$3"
}
refused 'Trainer:restore has no comment' '/^--- Puts the copy/,/^-- @return/d' scripts/weir/optim.lua
refused 'weir.share: nothing is said of name' '/^-- @param name string$/d' scripts/weir/init.lua
refused 'Set:split: what it returns is not said' '/^-- @return table: train/d' scripts/weir/data.lua
refused 'std of core/src/lua is missing' '/^-- @function array:std$/d' scripts/docs/array.lua
refused 'stir is nothing' 's/^-- @function array:std$/-- @function array:stir/' scripts/docs/array.lua

mkdir copy
cp -r "$WEIR_TEST_SOURCE/scripts/weir" "$WEIR_TEST_SOURCE/scripts/config.ld" "$WEIR_TEST_SOURCE/scripts/docs.sh" "$WEIR_TEST_SOURCE/scripts/docs" copy/
sed -i 's/^-- @param n number: how many$/-- @param m number: how many/' copy/weir/flow.lua
if copy/docs.sh "$PWD/other" >docs.log 2>&1; then echo "a parameter that does not exist passes"; exit 1; fi
