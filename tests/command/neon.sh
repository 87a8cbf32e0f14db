#!/bin/bash
# 64-bit Arm: the NEON kernels give the products of the triple loop on an emulated processor, and host and plugins compile there.
. "$(dirname "$0")/expect.bash"
if ! compiler=$(command -v aarch64-linux-gnu-gcc) || ! qemu=$(command -v qemu-aarch64); then
  echo "skipped: no aarch64-linux-gnu-gcc or no qemu-aarch64 here; scripts/setup.sh --all installs both"
  exit 77
fi
[ "${WEIR_TEST_SANITIZED:-}" != TRUE ] || { echo "skipped: the cross compiler knows nothing of this build's sanitizers"; exit 77; }
source=$WEIR_TEST_SOURCE
core="-I$source/core/src -I$source/core/include -I$source/sdk/include"
strict="-std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wconversion -Werror"

# shellcheck disable=SC2086
"$compiler" $strict -O2 -ffp-contract=fast -static $core "$(dirname "$0")/neon/products.c" "$source/core/src/math/gemm_tile_neon.c" \
  "$source/core/src/math/plain.c" -lm -o products || fail "the kernels do not compile"
expect 0 "" "$qemu" ./products
has '^800 finished, 0 not, 0 wrong$' stdout

# What includes another library's header is left out: its packages for that processor are not here.
cat >foreign <<'LIST'
#include <(jansson|zlib|sleef|blis|lua|luajit|lauxlib|ffi|WEIR_BLIS)
LIST
checked=0
find "$source/core/src" "$source/plugins" -name '*.c' -exec grep -LEf foreign {} + >files
while read -r file; do
  # shellcheck disable=SC2086
  if "$compiler" $strict -fsyntax-only -DWEIR_REAL=32 $core -iquote "$(dirname "$file")" "$file" 2>said; then
    checked=$((checked + 1))
  elif ! grep -qE 'fatal error: .*: No such file' said; then
    fail "$file does not compile: $(head -n 3 said)"
  fi
done <files
[ "$checked" -gt 200 ] || fail "only $checked files were compiled"
finish
