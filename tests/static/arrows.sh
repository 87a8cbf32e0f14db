#!/bin/bash
# The arrows between the folders: plugins -> sdk <- core <- scripts. Nothing points the other way, and the host knows no
# plugin's module by name.
set -eu
shopt -s lastpipe # so that what a pipe into `refuse` finds is remembered
cd "$WEIR_TEST_SOURCE"
wrong=0
refuse() { # refuse REASON, with offending lines on standard input
  local lines
  lines=$(cat)
  if [ -n "$lines" ]; then
    printf '%s\n%s\n' "$1:" "$lines"
    wrong=1
  fi
}

# A plugin includes the SDK, the C library and files of its own folder. So does the SDK itself.
for folder in plugins/*/; do
  grep -rnE '^[[:space:]]*#[[:space:]]*include' "$folder" --include='*.[ch]' |
    grep -vE 'include <weir/[a-z_]+\.h>' |
    grep -vE 'include <(assert|ctype|errno|float|inttypes|limits|math|stdalign|stdarg|stdbool|stddef|stdint|stdio|stdlib|string)\.h>' |
    while IFS= read -r line; do
      own=$(printf '%s' "$line" | sed -nE 's/.*include "([a-z0-9_]+\.h)".*/\1/p')
      [ -n "$own" ] && [ -e "$folder/$own" ] || printf '%s\n' "$line"
    done | refuse "$folder may include the SDK, the C library and itself only"
done
grep -rnE '#[[:space:]]*include' sdk/include | grep -vE '<(weir/(abi|tile|frame|module|build|plugin|lanes)|math|stdarg|stddef|stdint|stdio|string)\.h>' |
  refuse "the SDK stands on the C library alone" || true
grep -rnE 'include.*plugins/' core sdk/include | refuse "core and sdk never look into plugins/"
grep -rniE 'luajit|lauxlib|lua\.h' core/src core/include | grep -vE '^core/src/(lua|command)/' |
  refuse "libweir knows no Lua"

# No module that a plugin offers is named by the host. A model that does not say its base density gets the one the
# host's fallback names: that default is part of the file format, and stands in one place, core/include/weir.h and
# the constant it speaks of.
ids=$(grep -rhoE '^[[:space:]]*\.id = "[a-z0-9_.]+"' plugins | sed -E 's/.*"(.*)"/\1/' | sort -u)
[ -n "$ids" ] || { echo "found no module id in plugins/: is this test looking in the right place?"; exit 1; }
for id in $ids; do
  grep -rnE "\"$id\"" core/src core/include --include='*.[ch]' |
    grep -vE 'WEIR__DEFAULT_BASE "normal"' |
    grep -vE '^core/include/weir\.h:[0-9]+: \*.*"type": "normal"' |
    refuse "core names the module $id of a plugin"
done
exit $wrong
