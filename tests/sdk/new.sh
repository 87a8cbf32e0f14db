#!/bin/bash
# new.sh LANGUAGE: `weir new` of an installed tree, for every kind that the language has: each project builds without a
# warning, keeps every promise, and its script runs. Skipped, with a word, where the compiler is missing.
set -eu
language=$1
for tool in $(case $language in c) echo gcc ;; c++) echo g++ ;; rust) echo rustc cargo ;; fortran) echo gcc gfortran ;; esac); do
  command -v "$tool" >/dev/null || { echo "skipped: no $tool here; scripts/setup.sh --languages installs it"; exit 77; }
done
prefix=$PWD/prefix
cmake --install "$WEIR_TEST_BUILD" --prefix "$prefix" >install.log
export PATH="$prefix/bin:$PATH"
unset WEIR_PLUGIN_PATH LUA_PATH LUA_CPATH
wrong=0
fail() { echo "$1"; wrong=1; }
quietly() { "$@" >step.log 2>&1 || { cat step.log; fail "failed: $*"; return 1; }; }

# Where the plugin of a project comes to lie.
plugin_of() { # plugin_of NAME
  case $language in rust) echo "$1/target/release/lib$1.so" ;; *) echo "$1/build/$1.so" ;; esac
}

build() { # build NAME [COMPILER]: anything that a compiler says fails
  case $language in
  rust) quietly cargo build --offline --release --manifest-path "$1/Cargo.toml" || return ;;
  c++) quietly cmake -S "$1" -B "$1/build" -DCMAKE_CXX_COMPILER="${2:-g++}" && quietly cmake --build "$1/build" || return ;;
  *) quietly cmake -S "$1" -B "$1/build" -DCMAKE_C_COMPILER="${2:-gcc}" && quietly cmake --build "$1/build" || return ;;
  esac
  if grep -iE 'warning' step.log; then cat step.log; fail "$1 does not compile cleanly"; fi
}

# What it needs is what it says it needs.
declares() { # declares PLUGIN
  local needed
  for needed in $(readelf -d "$1" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p' | grep -vE '^lib[cm]\.so\.6$'); do
    strings "$1" | grep -qF "$needed " || strings "$1" | grep -qE "(^| )${needed//./\\.}( |\$)" || fail "$1 needs $needed and does not declare it"
  done
}

try() { # try KIND NAME ID
  local plugin
  plugin=$(plugin_of "$2")
  weir check "$plugin" --level full --quiet >check.log 2>&1 || { cat check.log; fail "$2 breaks a promise"; }
  grep -q "^$3: .* 0 failed" check.log || { cat check.log; fail "weir check does not speak of $3"; }
  [ "$(nm -D --defined-only "$plugin" | awk '{print $3}')" = weir_plugin ] || fail "$plugin exports more than weir_plugin"
  declares "$plugin"
  mkdir -p "run_$2"
  (cd "run_$2" && weir run --trial "../$2/$2.lua" >../script.log 2>&1) || { cat script.log; fail "the script of $2 fails"; }
  [ "$(find "run_$2" -name '*.safetensors' | wc -l)" -ge 1 ] || fail "the script of $2 saved no model"
}

kinds=$(ls "$prefix/share/weir-sdk/templates/$language")
count=0
for kind in univariate layer density network; do
  case " $(echo $kinds) " in *" $kind "*) ;; *) continue ;; esac
  count=$((count + 1))
  weir new "$kind" "acme.my_$kind" --lang "$language" >new.log || { cat new.log; fail "weir new $kind"; continue; }
  grep -q "^my_$kind/: the $kind acme.my_$kind\$" new.log || { cat new.log; fail "weir new does not say what it wrote"; }
  if grep -rn '@' "my_$kind" | grep -E '@[A-Z]+@'; then fail "a word of the template stands in my_$kind"; fi
  build "my_$kind" || continue
  try "$kind" "my_$kind" "acme.my_$kind"
done
[ $count -ge 2 ] || fail "$language has $count kinds"

# The project's own test, and the commands that weir new prints, word for word.
weir new univariate printed --lang "$language" >new.log
sed -n '/^next:/,$p' new.log | sed -n '2,4s/^  //p' >next.sh
[ "$(wc -l <next.sh)" = 3 ] || { cat new.log; fail "weir new prints no three commands"; }
sed -i 's/^weir /weir run --trial /' next.sh
quietly bash -eu next.sh || true
weir check "$(plugin_of printed)" --quiet | grep -q '^printed.univariate: ' || fail "an id without a vendor is not NAME.KIND"

# A formula with a mistake in it is found out by the project's own test.
case $language in
rust) source=printed/src/lib.rs ;;
fortran) source=printed/kernel.F90 ;;
c++) source=printed/printed.cpp ;;
*) source=printed/printed.c ;;
esac
cp "$source" kept
sed -i -E 's/0\.9_wp \* \(1 - tanh/0.8_wp * (1 - tanh/; s/^( *)at->curve = t /\1at->curve = -t /; s/curve: t /curve: -t /' "$source"
cmp -s kept "$source" && fail "the mistake does not fit $source"
if tail -n +1 next.sh | sed -n 1,2p | bash -eu >step.log 2>&1; then fail "a wrong derivative passes the project's test"; fi
cp kept "$source"

# The structs that Rust was told of lie as the compiler of C lays them out (tests/static/layout.txt).
rust_layout() {
  local record=$WEIR_TEST_SOURCE/tests/static/layout.txt
  {
    printf '#[path = "%s"]\nmod abi;\nuse std::mem::MaybeUninit;\nuse std::ptr::addr_of;\nfn main() {\n' "$PWD/printed/src/abi.rs"
    printf 'println!("draft {}", abi::DRAFT);\n'
    awk '/^pub struct [A-Z]/ { struct = $3 } /^}/ { struct = "" }
      struct != "" && /^    pub [a-z_0-9]+:/ { sub(/:.*/, "", $2); print struct, $2 }' printed/src/abi.rs |
      while read -r struct field; do
        name=$(sed -E 's/([a-z])([A-Z])/\1_\2/g; s/.*/weir_\L&/; s/^weir_module_option$/weir_option/' <<<"$struct").$field
        printf 'let u = MaybeUninit::<abi::%s>::uninit(); let p = u.as_ptr();\n' "$struct"
        printf 'println!("%s {}", unsafe { addr_of!((*p).%s) as usize - p as usize });\n' "${name/weir_option.kind/weir_option.type}" "$field"
      done
    printf '}\n'
  } >layout.rs
  quietly rustc --edition 2021 -A dead_code -A invalid_value -o layout layout.rs || return 0
  ./layout >layout.rust
  [ "$(wc -l <layout.rust)" -gt 120 ] || fail "found only $(wc -l <layout.rust) members in abi.rs"
  grep -vxFf "$record" layout.rust && fail "abi.rs lays these out otherwise than the headers"
  return 0
}

case $language in
c) # with the other compiler
  rm -rf my_layer/build && build my_layer clang && try layer my_layer acme.my_layer ;;
c++)
  rm -rf my_density/build && build my_density clang++ && try density my_density acme.my_density ;;
rust)
  rust_layout
  # a panic ends at the border: the call fails with its text, and the process goes on
  sed -i 's/let bounded = p\[0\]\.tanh();/let bounded = if p[0] > R::of(1e30) { panic!("no tanh of that") } else { p[0].tanh() };/' "$source"
  sed -i 's/const IDENTITY: \[f64; 2\] = \[0.0, 0.0\]/const IDENTITY: [f64; 2] = [1e35, 0.0]/' "$source"
  build printed || true
  cat >panics.lua <<'LUA'
local weir = require "weir"
weir.open { plugin_path = "printed/target/release" }
local flow = weir.flow { weir.elementwise { univariate = weir["printed.univariate"]() }, features = 2 }
local ok, message = pcall(flow.log_prob, flow, { { 1, 2 } })
assert(not ok and message:find("no tanh of that", 1, true), tostring(message))
print "alive"
LUA
  weir panics.lua >panics.log 2>&1 && grep -qx alive panics.log || { cat panics.log; fail "a panic is not contained"; } ;;
esac
exit $wrong
