#!/bin/bash
# cross.sh [--test]: builds Weir for 64-bit Arm into build/aarch64, on an x86-64 Debian 12 and as any user.
#   (nothing)  downloads Debian's packages for that processor into build/aarch64/sysroot, and builds
#   --test     and runs there, on an emulated processor, the tests that are worth it, and models between both processors
# The system gets no foreign architecture; a second call downloads nothing. Packages come from where the system's own do.
set -eu
cd "$(dirname "$0")/.."

# What Weir is built with and tested by; what these need is apt's to say.
wanted="libc6-dev libblis-pthread-dev libsleef-dev libjansson-dev zlib1g-dev libffi-dev libluajit-5.1-dev libcriterion-dev luajit lua-busted"
sysroot=build/aarch64/sysroot

stop() {
  echo "cross.sh: $*" >&2
  exit 1
}

tested=false
for word in "$@"; do
  case $word in
  --test) tested=true ;;
  -h | --help) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
  *) echo "cross.sh: unknown word '$word'; it takes --test" >&2; exit 2 ;;
  esac
done

for program in aarch64-linux-gnu-gcc qemu-aarch64 cmake ninja; do
  command -v $program >/dev/null || stop "no $program here; run scripts/setup.sh --all"
done

# The folder that packages are unpacked into takes its place when it is whole: an interrupted call leaves none.
make_sysroot() { # make_sysroot RELEASE
  local new=$sysroot.new here package
  rm -rf "$new"
  mkdir -p "$new/apt/lists/partial" "$new/apt/archives/partial"
  here=$(cd "$new/apt" && pwd)
  : >"$here/status" # nothing is installed there, so that everything needed is downloaded
  cat >"$here/apt.conf" <<CONF
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::State::lists "$here/lists";
Dir::State::status "$here/status";
Dir::Cache "$here";
Dir::Cache::archives "$here/archives";
CONF
  quietly "$here/log" env APT_CONFIG="$here/apt.conf" apt-get update -q
  # shellcheck disable=SC2086
  quietly "$here/log" env APT_CONFIG="$here/apt.conf" apt-get install -q -y --download-only $wanted
  for package in "$here"/archives/*.deb; do
    dpkg -x "$package" "$new" || stop "$package cannot be unpacked; is the disk full?"
  done
  # Links that begin at the root would lead the linker out of this folder.
  find "$new" -type l -lname '/*' -printf '%P\t%l\n' | while IFS=$'\t' read -r link target; do
    ln -sfnr "$new$target" "$new/$link"
  done
  rm -rf "$here"
  echo "$1 $wanted" >"$new/packages"
  rm -rf "$sysroot"
  mv "$new" "$sysroot"
}

quietly() { # quietly LOG command...
  local log=$1
  shift
  "$@" >"$log" 2>&1 </dev/null && return
  tail -n 5 "$log" >&2
  stop "Debian's packages for arm64 cannot be had from where apt looks; the lines above say why"
}

# The cross compiler's C library and that of the packages are of one release.
release=$(. /etc/os-release && [ "${ID:-}" = debian ] && echo "${VERSION_CODENAME:-}") || release=""
[ -n "$release" ] && command -v apt-get >/dev/null || stop "this is no Debian; build on the Arm machine itself, by scripts/build.sh"
if [ "$(cat "$sysroot/packages" 2>/dev/null)" != "$release $wanted" ]; then
  echo "cross: Debian's packages for arm64"
  make_sysroot "$release"
fi

scripts/build.sh aarch64
if $tested; then
  scripts/build.sh release weir_product # whose models go there, and which gets those from there
  ctest --preset aarch64
fi
