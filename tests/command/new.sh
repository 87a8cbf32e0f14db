#!/bin/bash
# Bad input to `weir new`: one line that says what and what to do, status 2 or 1, and nothing written.
. "$(dirname "$0")/expect.bash"

mkdir empty && cd empty || exit 1
expect 2 'KIND is missing' "$WEIR" new
expect 2 'NAME is missing' "$WEIR" new layer
expect 2 'univariat is no kind of module.*did you mean univariate' "$WEIR" new univariat acme.bend
expect 2 'layers is no kind' "$WEIR" new layers acme.bend
for name in Bend 9bend be-nd 'be nd' '../bend' 'acme/bend' '.bend' 'bend.' 'a.b.c' '' "$(printf 'b%.0s' {1..64})" $'bend\n' 'bend;x' 'bé'; do
  expect 2 'new: ' "$WEIR" new layer "$name"
done
for name in test all m install weir weir.bend acme.clean fn; do
  expect 2 'keep the name' "$WEIR" new layer "$name"
done
expect 2 'rus is no language.*did you mean rust' "$WEIR" new layer acme.bend --lang rus
expect 2 'pascal is no language; expected c, c\+\+, rust, fortran, lua' "$WEIR" new density acme.bend --lang pascal
expect 2 'one word too many' "$WEIR" new layer acme.bend more
rm -f stdout stderr
[ -z "$(ls -A)" ] || fail "a refused request wrote $(ls -A)"

# Every kind in every language; sdk.new_LANGUAGE builds them.
number=0
for language in c c++ rust fortran lua; do
  for kind in univariate layer density network; do
    number=$((number + 1))
    expect 0 '' "$WEIR" new $kind acme.all$number --lang $language
    if [ ! -s all$number/all$number.lua ] || grep -rnE '@[A-Z]+@' all$number; then fail "$kind in $language is not whole"; fi
  done
done

expect 0 '' "$WEIR" new layer acme.bend
before=$(cat bend/* | cksum)
expect 1 'bend exists already; choose another name or remove it' "$WEIR" new univariate bend
[ "$before" = "$(cat bend/* | cksum)" ] || fail "an existing project was changed"
printf 'mine' >file
expect 1 'file exists already' "$WEIR" new layer file
[ "$(cat file)" = mine ] || fail "an existing file was changed"
ln -s nowhere dangling
expect 1 'dangling' "$WEIR" new layer dangling
if [ "$(id -u)" != 0 ]; then
  mkdir closed && chmod 555 closed
  (cd closed && ! "$WEIR" new layer acme.bend >../stdout 2>../stderr) || fail "wrote into a folder that is closed"
fi
finish
