#!/bin/bash
# Old and new go together: hosts, plugins and programs made with three sets of headers give the same bits in every pair.
#   old       the oldest in headers/, kept by keep.sh, with the draft number of today (under their own they are refused)
#   today     this tree's
#   tomorrow  this tree's, where every struct that may grow has one member more, and the minor version is one higher
# pair/host.c with old headers is the older host: the tables of each host end at the edge of the memory it may touch.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$WEIR_TEST_SOURCE
wrong=0
fail() { echo "$1"; wrong=1; }
same() { # same WHAT WANTED GOT
  cmp -s "$2" "$3" || { diff "$2" "$3" | cut -c 1-300 | head -n 6; fail "$1: other results"; }
}

# ---- the three sets ----

mkdir today
cp -r "$root/sdk/include/weir" "$root/core/include/weir.h" today/
number() { sed -nE "s/^#define WEIR_ABI_$2 ([0-9]+).*/\1/p" "$1/weir/abi.h"; }
draft=$(number today DRAFT)
kept=$(cd "$here/headers" && printf '%s\n' [0-9]* | sort -n | head -n 1)
cp -r "$here/headers/$kept" old
sed -i -E "s/^(#define WEIR_ABI_DRAFT) .*/\1 $draft/" old/weir/abi.h
cp -r today tomorrow
sed -i -E "s/^(#define WEIR_ABI_MINOR) .*/\1 $(($(number today MINOR) + 1))/" tomorrow/weir/abi.h
perl -0pi -e 's/(struct (weir_(?!root|fingerprint|domain)\w+) \{(?:(?!\n\}).)*)(\n\}( \2)?;)/$1\n    void *tomorrow;$3/gs' tomorrow/weir/*.h
perl -0pi -e 's/(struct (weir_(?!error)\w+) \{(?:(?!\n\}).)*)(\n\} \2;)/$1\n    void *tomorrow;$3/gs' tomorrow/weir.h
for grown in 7:weir/module.h 5:weir/build.h 3:weir/frame.h 6:weir.h; do
  [ "$(grep -c 'void \*tomorrow;' tomorrow/${grown#*:})" -ge ${grown%:*} ] || fail "the structs of ${grown#*:} did not grow"
done

# Old headers go as far as nothing but additions came since.
layout_of() { # layout_of FOLDER: the members of its structs
  mkdir -p "layout/$1/sdk/include" "layout/$1/core/include"
  cp -r "$1/weir" "layout/$1/sdk/include/"
  cp "$1/weir.h" "layout/$1/core/include/"
  WEIR_TEST_SOURCE=$PWD/layout/$1 bash "$root/tests/static/layout.sh" --print | grep -F .
}
layout_of old >old.layout
layout_of today >today.layout
sets="old today tomorrow"
if [ -n "$(comm -23 old.layout today.layout)" ]; then
  echo "draft $draft has broken what headers/$kept promised: plugins of that time are refused, and tried no further; keep.sh keeps younger headers"
  sets="today tomorrow"
fi

# ---- every host x every plugin ----

for set in $sets; do
  flags="-std=c11 -Wall -Wextra -Wpedantic -Werror -I$set"
  [ $set != tomorrow ] || flags="$flags -DTOMORROW"
  mkdir plugins_$set
  # shellcheck disable=SC2086
  cc $flags -shared -fPIC "$here/pair/plugin.c" -o plugins_$set/stretch.so
  # shellcheck disable=SC2086
  cc $flags "$here/pair/host.c" -o host_$set -lm -ldl
  # shellcheck disable=SC2086
  cc $flags "$here/pair/program.c" -o program_$set -L"$WEIR_TEST_BUILD/lib" -lweir -Wl,-rpath,"$WEIR_TEST_BUILD/lib"
done
./host_today plugins_today/stretch.so >wanted.txt
grep -q '^  status 0, 1 parameters' wanted.txt || { cat wanted.txt; fail "the pair of today does not work"; }
for host in $sets; do
  for plugin in $sets; do
    status=0
    "./host_$host" plugins_$plugin/stretch.so >got.txt 2>said.txt || status=$?
    [ $status = 0 ] || fail "host of $host, plugin of $plugin: ended with status $status"
    same "host of $host, plugin of $plugin" wanted.txt got.txt
    # What both have is used, and nothing that only one has: once in create, once in forward.
    used=0
    [ $host$plugin != tomorrowtomorrow ] || used=2
    if [ $host = tomorrow ]; then grep -qx "tomorrow $used" said.txt || fail "host of $host, plugin of $plugin: $(cat said.txt), not $used"; fi
  done
done

# A plugin that does not ask before it looks is killed by the older host: the edge is there.
cc -std=c11 -Itomorrow -DTOMORROW -DCARELESS -shared -fPIC "$here/pair/plugin.c" -o careless.so
status=0
bash -c './host_today ./careless.so; exit $?' >/dev/null 2>&1 || status=$?
[ $status = 139 ] || fail "a plugin that reads beyond the tables of its host is not noticed: status $status"

# Today's univariates in the older host: the same bits, or a refusal that says what is missing.
if [ -x host_old ]; then
  ./host_today "$WEIR_TEST_BUILD"/plugins/*.so >today.txt || fail "the host of today ends with $?"
  ./host_old "$WEIR_TEST_BUILD"/plugins/*.so >old.txt || fail "the older host ends with $?"
  [ "$(grep -c '^  status 0' today.txt)" -ge 15 ] || { cat today.txt; fail "hardly any univariate runs"; }
  for text in today old; do sed -E 's/^  refused: .*; use a newer one$/  refused/' $text.txt >$text.plain; done
  same "the built-in univariates in the older host" today.plain old.plain
fi

# ---- libweir x every plugin, every program ----

unset WEIR_PLUGIN_PATH
./program_today plugins_today >wanted.txt || fail "the program of today does not work"
for program in $sets; do
  for plugin in $sets; do
    ./program_$program plugins_$plugin >got.txt 2>said.txt || { cat said.txt; fail "program of $program, plugin of $plugin: fails"; }
    same "program of $program, plugin of $plugin" wanted.txt got.txt
  done
done
weir=$WEIR_TEST_BUILD/bin/weir
if [ -x "$weir" ]; then
  for plugin in $sets; do
    [ $plugin != today ] || continue
    "$weir" check plugins_$plugin/stretch.so --quiet >check.log 2>&1 || { cat check.log; fail "the plugin of $plugin breaks a promise"; }
  done

  # Under its own number another draft is refused, with the field that differs and what to do.
  mkdir plugins_draft
  cc -std=c11 -I"$here/headers/$kept" -shared -fPIC "$here/pair/plugin.c" -o plugins_draft/stretch.so
  WEIR_PLUGIN_PATH=$PWD/plugins_draft "$weir" plugins >plugins.log 2>&1 || true
  if [ "$kept" != "$draft" ]; then
    tr -s ' \n' ' ' <plugins.log |
      grep -q "fingerprint.draft differs: plugin $kept, host $draft; rebuild the plugin with this Weir's SDK" ||
      { cat plugins.log; fail "a plugin of draft $kept is not refused by its number"; }
  fi
fi
exit $wrong
