#!/bin/bash
# renew.sh [BUILD]: records the interface of today, after a change that sdk/ABI.md allows: the layout of structs, constants,
# the types that cross and the symbols of libweir, from the headers and the built library (default: build/); and what is
# written from the tree besides: sdk/REFERENCE.md and the rockspec.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "${1:-$root/build}" && pwd)
export WEIR_TEST_SOURCE=$root WEIR_TEST_BUILD=$build
bash "$here/abidiff.sh" --write
bash "$here/constants.sh" --write
bash "$root/tests/static/layout.sh" --write
luajit "$root/sdk/reference.lua" >"$root/sdk/REFERENCE.md"
version=$(sed -nE 's/^project\(weir VERSION ([0-9.]+).*/\1/p' "$root/CMakeLists.txt")
luajit "$root/packaging/rock.lua" >"$root/packaging/weir-$version-1.rockspec"
git -C "$root" status --short -- tests/abi tests/static/layout.txt sdk/REFERENCE.md packaging 2>/dev/null || true
