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

# A plugin includes the SDK, the C library and files of its own folder. So does the SDK itself. The one that runs Lua files
# includes LuaJIT, and looks at the times of files, which C alone cannot; the one that calls installed libraries includes what
# finds and calls them.
for folder in plugins/*/; do
  grep -rnE '^[[:space:]]*#[[:space:]]*include' "$folder" --include='*.[ch]' |
    case $folder in
    plugins/lua/) grep -vE 'include <(lua|lauxlib|lualib|sys/stat)\.h>' ;;
    plugins/foreign/) grep -vE 'include <(dlfcn|ffi|jansson|link)\.h>' ;;
    *) cat ;;
    esac |
    grep -vE 'include <weir/[a-z_]+\.h>' |
    grep -vE 'include <(assert|ctype|errno|fenv|float|inttypes|limits|math|stdalign|stdarg|stdbool|stddef|stdint|stdio|stdlib|string)\.h>' |
    while IFS= read -r line; do
      own=$(printf '%s' "$line" | sed -nE 's/.*include "([a-z0-9_]+\.h)".*/\1/p')
      [ -n "$own" ] && [ -e "$folder/$own" ] || printf '%s\n' "$line"
    done | refuse "$folder may include the SDK, the C library and itself only"
done
grep -rnE '#[[:space:]]*include' sdk/include | grep -vE '<(weir/[a-z]+|float|math|stdarg|stddef|stdint|stdio|string)\.h>' |
  refuse "the SDK stands on the C library alone" || true
grep -rnE 'include.*plugins/' core sdk/include | refuse "core and sdk never look into plugins/"
grep -rniE 'luajit|lauxlib|lua\.h' core/src core/include | grep -vE '^core/src/(lua|command)/' |
  refuse "libweir knows no Lua"

# No module that a plugin offers is named by the host. Some of the same words mean something else there; each such place
# is listed with what it means.
same_words='
core/src/api/inspect.c          autoregressive  a trait
core/src/check/table.c          autoregressive  the name of a check
core/src/check/table.c          elementwise     the name of a check
core/src/check/check.c          normal          a kind of random points
core/src/lua/array_arithmetic.c exp             a function of arrays
core/src/lua/array_arithmetic.c tanh            a function of arrays
core/src/lua/random.c           normal          a method of random generators
core/src/lua/random.c           uniform         a method of random generators
core/src/lua/random.c           permutation     a function that shuffles rows
'
ids=$(grep -rhoE '^[[:space:]]*\.id = "[a-z0-9_.]+"' plugins | sed -E 's/.*"(.*)"/\1/' | sort -u)
[ -n "$ids" ] || { echo "found no module id in plugins/: is this test looking in the right place?"; exit 1; }
for id in $ids; do
  meant_otherwise=$(printf '%s' "$same_words" | awk -v id="$id" '$2 == id { print "^" $1 }')
  grep -rnE "\"$id(\\\\)?\"" core/src core/include --include='*.[ch]' |
    { if [ -n "$meant_otherwise" ]; then grep -vE "$meant_otherwise"; else cat; fi; } |
    refuse "core names the module $id of a plugin"
done
exit $wrong
