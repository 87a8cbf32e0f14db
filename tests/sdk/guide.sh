#!/bin/bash
# guide.sh: what sdk/GUIDE.md says is so. Its blocks marked sh run one after the other, in one shell that stops at the first
# failure; the lines of a block marked text are in the output of the block before (... stands for anything); a block marked
# c or cmake and a file's name stands in that file, word for word. A block of any other kind is refused: it would be untested.
set -eu
guide=$WEIR_TEST_SOURCE/sdk/GUIDE.md
home=$PWD
mkdir blocks user
ln -s "$WEIR_TEST_BUILD" build
export HOME=$home/user
export CC=gcc # cc may be a wrapper whose settings are in the real home
unset WEIR_PLUGIN_PATH XDG_CACHE_HOME LUA_PATH LUA_CPATH

# blocks/N.sh, N.text and N.quote (whose first line is the file) in the order of the page
awk -v folder=blocks '
  /^```$/ && inside { close(file); inside = 0; next }
  /^```/ {
    inside = 1; n++; kind = substr($1, 4)
    if (kind == "sh" || kind == "text") file = sprintf("%s/%03d.%s", folder, n, kind)
    else if ((kind == "c" || kind == "cmake") && NF == 2) { file = sprintf("%s/%03d.quote", folder, n); print $2 > file }
    else { print "a block that nothing tests: " $0; bad = 1; exit 1 }
    printf "" >> file; next }
  inside { print > file }
  END { if (inside) { print "a block without an end"; exit 1 } exit bad }' "$guide"
[ "$(find blocks -name '*.sh' | wc -l)" -ge 6 ] || { echo "found hardly any block of commands"; exit 1; }
[ "$(find blocks -name '*.text' | wc -l)" -ge 4 ] || { echo "found hardly any output"; exit 1; }

cat >run_blocks.sh <<'END'
set -eu
home=$PWD
contains() { # contains FILE LINE
  local pattern
  pattern=$(printf '%s' "$2" | sed -E 's/[][\\.*^$+?(){}|]/\\&/g; s/\\\.\\\.\\\./.*/g')
  grep -qE -- "$pattern" "$1"
}
last=
for block in "$home"/blocks/*; do
  case $block in
  *.sh)
    last=$block.out
    finished=no
    trap '[ $finished = yes ] || { echo "failed: $block"; cat "$block"; echo "it said:"; cat "$last"; }' EXIT
    . "$block" >"$last" 2>&1
    finished=yes ;;
  *.text)
    while IFS= read -r line; do
      contains "$last" "$line" || { echo "not in the output of ${last##*/}: $line"; cat "$last"; exit 1; }
    done <"$block" ;;
  *.quote)
    file=$(head -n 1 "$block")
    [[ "$(<"$file")" == *"$(tail -n +2 "$block")"* ]] || { echo "$file has not what the guide quotes:"; cat "$block"; exit 1; } ;;
  esac
done
END
bash run_blocks.sh

# "In under 60 lines": the reader's own univariate, as the guide writes it.
lines=$(grep -cvE '^[[:space:]]*(/\*.*)?$' stretch/stretch.c)
[ "$lines" -lt 60 ] || { echo "the guide's univariate has $lines lines"; exit 1; }
