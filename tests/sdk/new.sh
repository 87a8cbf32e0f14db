#!/bin/bash
# new.sh LANGUAGE: `weir new` of the installed tree PREFIX (environment), for all four kinds: each project builds without a
# warning, keeps every promise at WEIR_TEST_LEVEL (quick), and its script runs. Skipped, with a word, where the compiler is
# missing. The univariate is made and tried by the commands that weir new prints, the others in one build, which is cheap.
set -eu
language=$1
for tool in $(case $language in c) echo gcc ;; c++) echo g++ ;; rust) echo rustc cargo ;; fortran) echo gcc gfortran ;; esac); do
  command -v "$tool" >/dev/null || { echo "skipped: no $tool here; scripts/setup.sh --tests installs it"; exit 77; }
done
export PATH="$PREFIX/bin:$PATH"
export CC=gcc CXX=g++ FC=gfortran CTEST_PARALLEL_LEVEL=2 CTEST_OUTPUT_ON_FAILURE=1 CARGO_NET_OFFLINE=true
unset WEIR_PLUGIN_PATH LUA_PATH LUA_CPATH
level=${WEIR_TEST_LEVEL:-quick}
build_type=
if [ "$level" = quick ]; then # compiling costs most of all this; sdk.mixed and the univariate in CMake are optimised
  export CARGO_PROFILE_RELEASE_OPT_LEVEL=0
  build_type=Unoptimised # CMake has no flags for it, and weir_add_plugin adds -O3 only where there is no build type
fi
wrong=0
fail() { echo "$1"; wrong=1; }
quietly() { "$@" >step.log 2>&1 || { cat step.log; fail "failed: $*"; return 1; }; }
cleanly() { # cleanly command...: anything that a compiler says fails
  quietly "$@" || return 1
  if grep -i 'warning' step.log; then cat step.log; fail "does not compile cleanly: $*"; fi
}

make_project() { # make_project KIND NAME [VENDOR.]
  weir new "$1" "${3:-}$2" --lang "$language" >new.log || { cat new.log; fail "weir new $1"; return 1; }
  grep -q "^$2/: the $1 ${3:-}$2" new.log || { cat new.log; fail "weir new does not say what it wrote"; }
  if grep -rn '@' "$2" | grep -E '@[A-Z]+@'; then fail "a word of the template stands in $2"; fi
}

# Where the plugin of a project comes to lie.
plugin_of() { # plugin_of NAME ID
  case $language in
  rust) echo "$1/target/release/lib$1.so" ;;
  lua) echo "$1/layers/$2.lua" ;;
  *) echo "$1/build/$1.so" ;;
  esac
}

build() { # build FOLDER NAME...: the projects as parts of one, configured in FOLDER: compilers are examined once
  local folder=$1 name
  shift
  case $language in
  lua) return 0 ;;
  rust) for name in "$@"; do cleanly cargo build --release --manifest-path "$name/Cargo.toml" || return; done ;;
  *)
    mkdir -p "$folder"
    {
      printf 'cmake_minimum_required(VERSION 3.25)\nproject(all NONE)\n'
      for name in "$@"; do printf 'add_subdirectory("%s" "%s")\n' "$PWD/$name" "$PWD/$name/build"; done
    } >"$folder/CMakeLists.txt"
    quietly cmake -S "$folder" -B "$folder/build" -DCMAKE_BUILD_TYPE=$build_type && cleanly cmake --build "$folder/build" -j 2 ;;
  esac
}

# What it needs is what it says it needs.
declares() { # declares PLUGIN
  local needed
  for needed in $(readelf -d "$1" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p' | grep -vE '^lib[cm]\.so\.6$'); do
    strings "$1" | grep -qF "$needed " || strings "$1" | grep -qE "(^| )${needed//./\\.}( |\$)" || fail "$1 needs $needed and does not declare it"
  done
}

keeps() { # keeps NAME ID: the promises
  local plugin
  plugin=$(plugin_of "$1" "$2")
  weir check "$plugin" --level "$level" --timeout 120 --quiet >check.log 2>&1 || { cat check.log; fail "$1 breaks a promise"; }
  grep -qE "^${2//./\\.}(\.lua)?: .* 0 failed" check.log || { cat check.log; fail "weir check does not speak of $2"; }
  [ "$language" != lua ] || return 0
  [ "$(nm -D --defined-only "$plugin" | awk '{print $3}')" = weir_plugin ] || fail "$plugin exports more than weir_plugin"
  declares "$plugin"
}

runs() { # runs NAME: its script
  mkdir -p "run_$1"
  (cd "run_$1" && weir run --trial "../$1/$1.lua" >../script.log 2>&1) || { cat script.log; fail "the script of $1 fails"; }
  [ "$(find "run_$1" -name '*.safetensors' | wc -l)" = 1 ] || fail "the script of $1 saved no model"
}

kinds="layer density network"
names=""
for kind in $kinds; do
  make_project "$kind" "my_$kind" acme.
  names="$names my_$kind"
done
# shellcheck disable=SC2086
build together $names || exit 1
for kind in $kinds; do
  keeps "my_$kind" "acme.my_$kind"
  runs "my_$kind"
done

# The univariate: the commands that weir new prints, word for word; the second is the project's own test.
make_project univariate printed
sed -n '/^next:/,$p' new.log | sed -n '2,4s/^  //p' >next.sh
[ "$(wc -l <next.sh)" = "$(case $language in lua) echo 2 ;; *) echo 3 ;; esac)" ] || { cat new.log; fail "weir new prints other commands"; }
sed -i 's/^weir /weir run --trial /' next.sh
cleanly bash -eu next.sh || true
[ "$(find . -maxdepth 1 -name 'printed_*.safetensors' | wc -l)" = 3 ] || fail "the script of the univariate saved no models"
[ "$level" = quick ] || keeps printed printed.univariate

# A univariate is short: as a whole in C and C++, without comments in Lua, where VJPs are written out.
case $language in
c) source=printed/printed.c ;;
c++) source=printed/printed.cpp ;;
rust) source=printed/src/lib.rs ;;
fortran) source=printed/kernel.F90 ;;
lua) source=printed/layers/printed.univariate.lua ;;
esac
case $language in
c | c++) [ "$(wc -l <"$source")" -lt 60 ] || fail "$source has $(wc -l <"$source") lines" ;;
lua) [ "$(grep -cvE '^ *(--.*)?$' "$source")" -lt 60 ] || fail "$source has too many lines" ;;
esac

# A formula with a mistake in it is found out by the project's own test.
cp "$source" kept
sed -i -E 's/0\.9_wp \* \(1 - tanh/0.8_wp * (1 - tanh/; s/^( *)at->curve = t /\1at->curve = -t /; s/curve: t /curve: -t /; s/\(0\.9 - t\[i\]/(0.8 - t[i]/' "$source"
cmp -s kept "$source" && fail "the mistake does not fit $source"
case $language in
rust) own="cargo test --release --manifest-path printed/Cargo.toml keeps_its_promises" ;;
lua) own="sh printed/test.sh" ;;
*) own="ctest --test-dir printed/build -R check" && quietly cmake --build printed/build ;;
esac
if $own >step.log 2>&1; then fail "a wrong derivative passes the project's test"; fi
grep -qiE 'FAILED +forward\.vjp_|check.*failed' step.log || { cat step.log; fail "the project's test fails otherwise"; }
cp kept "$source"

# The structs that Rust was told of lie as the compiler of C lays them out (tests/static/layout.txt).
rust_layout() {
  local record=$WEIR_TEST_SOURCE/tests/static/layout.txt
  {
    printf '#[path = "%s"]\nmod abi;\nuse std::mem::MaybeUninit;\nuse std::ptr::addr_of;\nfn main() {\n' "$PWD/printed/src/abi.rs"
    printf 'println!("draft {}", abi::DRAFT);\n'
    awk '/^pub struct [A-Z]/ { struct = $3 } /^}/ { struct = "" }
      struct != "" && /^    pub (r#)?[a-z_0-9]+:/ { sub(/:.*/, "", $2); print struct, $2 }' printed/src/abi.rs |
      while read -r struct field; do
        name=$(sed -E 's/([a-z])([A-Z])/\1_\2/g; s/.*/weir_\L&/; s/^weir_module_option$/weir_option/' <<<"$struct").${field#r#}
        printf 'let u = MaybeUninit::<abi::%s>::uninit(); let p = u.as_ptr();\n' "$struct"
        printf 'println!("%s {}", unsafe { addr_of!((*p).%s) as usize - p as usize });\n' "${name/weir_option.kind/weir_option.type}" "$field"
      done
    printf '}\n'
  } >layout.rs
  quietly rustc --edition 2021 -A dead_code -A invalid_value -o layout layout.rs || return 0
  ./layout >layout.rust
  [ "$(wc -l <layout.rust)" -gt 150 ] || fail "found only $(wc -l <layout.rust) members in abi.rs"
  grep -vxFf "$record" layout.rust && fail "abi.rs lays these out otherwise than the headers"
  return 0
}

if command -v luacheck >/dev/null; then # the scripts, and layers in Lua
  quietly luacheck --quiet --config "$WEIR_TEST_SOURCE/.luacheckrc" my_* printed || true
fi

case $language in
c | c++) # with the other compiler
  rm -rf my_density/build
  if ! command -v clang++ >/dev/null; then
    echo "left out: no clang here; scripts/setup.sh --tests installs it"
  elif CC=clang CXX=clang++ build by_clang my_density; then
    keeps my_density acme.my_density
  fi ;;
lua) # by way of a path, and at its first line
  weir check printed/layers/none.lua >check.log 2>&1 && fail "a file that is not there is checked"
  grep -q '^weir: check: printed/layers/none\.lua: No such file' check.log || { cat check.log; fail "a missing file is not told"; }
  sed '/^  kind = /d' "$source" >printed/layers/kindless.lua
  weir check printed/layers/kindless.lua >check.log 2>&1 && fail "a file without a kind is checked"
  grep -q '^weir: check: printed/layers/kindless\.lua: says no kind: put kind = ' check.log || { cat check.log; fail "a missing kind is not told"; }
  sed 's/kind = "univariate"/kind = "layer"/; /params = 2/d; /identity = /d' "$source" >printed/layers/other.lua
  WEIR_PLUGIN_PATH=printed/layers weir check lua_univariate --with '{"options": {"file": "other.lua"}}' >check.log 2>&1 && fail "a layer is checked as a univariate"
  grep -q 'other\.lua: says kind = "layer", expected "univariate"; lua_layer takes it' check.log || { cat check.log; fail "another kind is not told"; }
  mkdir "a 'quoted' folder"
  sed 's/(0\.9 - t\[i\]/(0.8 - t[i]/' "$source" >"a 'quoted' folder/wrong.lua"
  weir check "a 'quoted' folder/wrong.lua" --only forward.vjp_element_params >check.log 2>&1 && fail "a wrong derivative passes"
  again=$(sed -n 's/^ *again: //p' check.log)
  bash -c "$again" >again.log 2>&1 || true
  cmp -s check.log again.log || { cat check.log again.log; fail "what weir check says to do again does something else"; } ;;
rust)
  rust_layout
  # a panic ends at the border: the call fails with its text, and the process goes on
  sed -i 's/let bounded = p\[0\]\.tanh();/let bounded = if p[0] > R::of(1e30) { panic!("no tanh of that") } else { p[0].tanh() };/' "$source"
  sed -i 's/const IDENTITY: \[f64; 2\] = \[0.0, 0.0\]/const IDENTITY: [f64; 2] = [1e35, 0.0]/' "$source"
  build alone printed || true
  cat >panics.lua <<'LUA'
local weir = require "weir"
weir.open { plugin_path = "printed/target/release" }
local flow = weir.flow { weir.elementwise { univariate = weir["printed.univariate"]() }, features = 2 }
local ok, message = pcall(flow.log_prob, flow, { { 1, 2 } })
assert(not ok and message:find("no tanh of that", 1, true), tostring(message))
print "alive"
LUA
  if ! { weir panics.lua >panics.log 2>&1 && grep -qx alive panics.log; }; then cat panics.log; fail "a panic is not contained"; fi ;;
esac
exit $wrong
