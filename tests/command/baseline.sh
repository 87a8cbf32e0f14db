#!/bin/bash
# A processor of the x86-64 baseline, as qemu emulates one: no AVX, not even SSE3, and every instruction beyond that ends the
# process. The SSE2 kernels are picked, flows train and sample, and densities are those of this processor.
. "$(dirname "$0")/expect.bash"
qemu=$(command -v qemu-x86_64) || { echo "skipped: no qemu-x86_64 here; scripts/setup.sh --all installs it"; exit 77; }
[ "${WEIR_TEST_SANITIZED:-}" != TRUE ] || { echo "skipped: sanitizers need more memory than an emulated process has"; exit 77; }
[ "$(uname -m)" = x86_64 ] || { echo "skipped: this is no x86-64"; exit 77; }

processor=qemu64,-sse3,-cx16
baseline() {
  "$qemu" -cpu "$processor" "$@"
}

expect 0 "" baseline "$WEIR" version
has '^sse2 kernels$' stdout
expect 0 "" env WEIR_MATH=avx2 "$qemu" -cpu "$processor" "$WEIR" version # cannot raise the choice
has '^sse2 kernels$' stdout
expect 0 "" env WEIR_MATH=plain "$WEIR" version
has '^plain kernels$' stdout

# The emulation does end a process that goes beyond.
if command -v gcc >/dev/null; then
  printf '#include <immintrin.h>\nint main(int n, char **w) { (void)w; __m256 a = _mm256_set1_ps((float)n); return (int)_mm256_cvtss_f32(_mm256_mul_ps(a, a)) - 1; }\n' >wide.c
  gcc -mavx2 -O0 wide.c -o wide || fail "cannot compile"
  baseline ./wide >/dev/null 2>&1 && fail "the emulated processor knows AVX"
fi

cat >data.lua <<'LUA'
local weir = require "weir"
weir.data.two_moons { n = 600, seed = 1 }.x:save("moons.csv", { "a", "b" })
LUA
expect 0 "" "$WEIR" data.lua

# same FILE FILE: two arrays, to the rounding of f32.
same() {
  cat >same.lua <<LUA
local weir = require "weir"
local a, b = weir.array.load "$1", weir.array.load "$2"
local far = ((a - b):abs() / (b:abs() + 1)):max()
if not (a:rows() == b:rows() and far < 2e-5) then error("$1 and $2 differ: " .. far, 0) end
LUA
  "$WEIR" same.lua >same.out 2>&1 || fail "$(cat same.out)"
}

for flow in nsf maf; do
  expect 0 "" baseline "$WEIR" fit moons.csv --flow "$flow" --transforms 2 --hidden 24,24 --epochs 3 --threads 2 --seed 1 -o "$flow.safetensors"
  expect 0 "" baseline "$WEIR" eval "$flow.safetensors" moons.csv -o there.npy
  expect 0 "" "$WEIR" eval "$flow.safetensors" moons.csv -o here.npy
  same there.npy here.npy
  expect 0 "" baseline "$WEIR" sample "$flow.safetensors" -n 200 --seed 3 -o drawn.npy
  expect 0 "" "$WEIR" sample "$flow.safetensors" -n 200 --seed 3 -o expected.npy
  same drawn.npy expected.npy
done
finish
