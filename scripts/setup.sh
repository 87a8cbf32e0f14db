#!/bin/bash
# setup.sh [--tests] [--languages] [--bench] [--all]: installs from Debian's archive whatever Weir needs and this system lacks.
#   (nothing)    to build and run Weir, and the data of the quickstart
#   --tests      and what scripts/test.sh needs, the compilers of C++, Rust and Fortran among it, for plugins in those
#   --languages  and those compilers alone; without them their tests are skipped
#   --bench      and the peer of weir bench --peer: PyTorch, with the BLAS libraries that serve it best
#   --all        and what scripts/test.sh --all needs
# Touches nothing when all is there: then it needs neither a network nor root.
set -eu

build_packages="build-essential cmake file ninja-build pkg-config libblis-pthread-dev libsleef-dev libjansson-dev zlib1g-dev libffi-dev
  libluajit-5.1-dev luajit libcairo2 dataset-fashion-mnist"
test_packages="libcriterion-dev abigail-tools clang clang-format libclang-rt-14-dev lua-busted lua-check lua-ldoc locales procps shellcheck"
bench_packages="python3-torch python3-numpy libblis4-openmp libopenblas0-openmp"
language_packages="g++ rustc cargo gfortran"
matrix_packages="clang-tidy valgrind gcovr lintian luarocks qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross"

wanted=$build_packages
for word in "$@"; do
  case $word in
  --tests) wanted="$wanted $test_packages $language_packages" ;;
  --bench) wanted="$wanted $bench_packages" ;;
  --languages) wanted="$wanted $language_packages" ;;
  --all) wanted="$wanted $test_packages $language_packages $matrix_packages" ;;
  -h | --help) sed -n '2,8s/^# //p' "$0"; exit 0 ;;
  *) echo "setup.sh: unknown word '$word'; it takes --tests, --languages, --bench or --all" >&2; exit 2 ;;
  esac
done

if ! command -v apt-get >/dev/null; then
  echo "setup.sh: this is no Debian; install the like of: $(echo $wanted)" >&2
  exit 1
fi

missing=""
for package in $wanted; do
  if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
    missing="$missing $package"
  fi
done
if [ -z "$missing" ]; then
  echo "setup: everything is installed"
  exit 0
fi

as_root=""
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "setup.sh: run as root, or install sudo: needs$missing" >&2; exit 1; }
  as_root=sudo
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "setup: installing$missing"
run() {
  if ! $as_root env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    echo "setup.sh: '$*' failed; the lines above say why" >&2
    exit 1
  fi
}
run apt-get update
run apt-get install -y --no-install-recommends $missing
echo "setup: done"
