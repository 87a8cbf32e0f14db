#!/bin/bash
# Every C and C++ file is as clang-format would write it; every text file as .editorconfig says.
set -eu
cd "$WEIR_TEST_SOURCE"
find sdk core plugins tests -name '*.[ch]' -o -name '*.cpp' -o -name '*.hpp' | sort | xargs clang-format --dry-run -Werror
bad=0
while IFS= read -r file; do
  if grep -nE '[[:space:]]+$' "$file" | sed "s|^|$file: blanks at the end of line |" | grep . ; then bad=1; fi
  if [ -s "$file" ] && [ "$(tail -c 1 "$file" | od -An -c | tr -d ' ')" != '\n' ]; then echo "$file: no newline at the end"; bad=1; fi
  if grep -nP '\r|\t' "$file" | sed "s|^|$file: tab or carriage return |" | grep .; then bad=1; fi
done < <(find . -path ./.git -prune -o -path './build*' -prune -o -path ./shared -prune -o -type f \
  \( -name '*.[ch]' -o -name '*.lua' -o -name '*.sh' -o -name '*.cmake' -o -name '*.json' -o -name '*.md' -o -name CMakeLists.txt \) -print)
exit $bad
