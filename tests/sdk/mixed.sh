#!/bin/bash
# mixed.sh: one model of layers that strangers wrote, in whatever languages there is a compiler for: it trains, is saved,
# comes back to the bit in another process, and says which plugin it lacks when one is gone. Then other versions of a
# plugin, a lock, and plugins that end the process.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
prefix=$PWD/prefix
cmake --install "$WEIR_TEST_BUILD" --prefix "$prefix" >install.log
export PATH="$prefix/bin:$PATH" XDG_CACHE_HOME=$PWD/cache
unset LUA_PATH LUA_CPATH WEIR_LOCK
export WEIR_PLUGIN_PATH=$PWD/plugins
mkdir -p cache plugins
wrong=0
fail() { echo "FAILED: $1"; wrong=1; }
quietly() { "$@" >step.log 2>&1 || { cat step.log; exit 1; }; }
refuses() { # refuses PATTERN command...: status 1 and one line that says so
  local pattern=$1 status=0
  shift
  "$@" >stdout 2>stderr || status=$?
  [ $status = 1 ] || fail "status $status, not 1: $*"
  grep -qE -- "$pattern" stderr || fail "no \"$pattern\": $* ($(cat stderr))"
  [ "$(wc -l <stderr)" = 1 ] || fail "not one line: $(cat stderr)"
}

# ---- the plugins, each of another origin ----

make_project() { # make_project LANGUAGE KIND NAME
  quietly weir new "$2" "mixed.$3" --lang "$1"
  case $1 in
  rust)
    quietly cargo build --offline --release --manifest-path "$3/Cargo.toml"
    cp "$3/target/release/lib$3.so" "plugins/$3.so"
    ;;
  *)
    quietly cmake -S "$3" -B "$3/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix"
    quietly cmake --build "$3/build"
    cp "$3/build/$3.so" plugins/
    ;;
  esac
}
parts=""
add() { # add LANGUAGE KIND NAME TOOL...
  local language=$1 kind=$2 name=$3 tool
  shift 3
  for tool in "$@"; do
    command -v "$tool" >/dev/null || { echo "left out of the mixture: $language, there is no $tool here"; return 0; }
  done
  make_project "$language" "$kind" "$name"
  parts="$parts $name"
}
add c univariate in_c gcc
add c++ layer in_cxx g++
add rust univariate in_rust rustc cargo
add fortran univariate in_fortran gfortran
cp "$WEIR_TEST_BUILD/tests/fixtures/only_f64.so" plugins/
# a layer written in Lua: the file ripple.lua, by way of the plugin that runs such files
cp "$here/../../scripts/examples/layers/ripple.lua" plugins/
# functions of the C library, by a declaration
printf '{ "summary": "e^x - 1", "library": "libm.so.6", "signature": "d(d)", "codomain": [-1, null],
  "forward": "expm1", "inverse": "log1p", "derivative": "exp" }\n' >plugins/expm1.foreign.json
echo "mixed:$parts, one in Lua, a function of the C library, and one that offers f64 only"

# ---- trained and saved ----

cat >train.lua <<'LUA'
local weir = require "weir"
local layers = { weir.standardize() }
local function add(layer) layers[#layers + 1] = layer end
for _, name in ipairs(arg) do
  local module = weir["mixed." .. name]
  if name == "in_cxx" then
    add(module())
  else
    add(weir.coupling { univariate = module() })
    add(weir.permutation { kind = "reverse" })
    add(weir.autoregressive { univariate = module() })
  end
  add(weir.lu_linear())
end
add(weir.coupling { univariate = weir.lua_univariate { file = "ripple.lua" } })
add(weir["test.only_f64"]())
-- an odd and increasing function of the line, declared beside the built-in plugins, and there and back by another one
add(weir.elementwise { univariate = weir.foreign { declaration = "sinh" } })
add(weir.elementwise { univariate = weir.sinh_arcsinh() })
add(weir.elementwise { univariate = weir.foreign { declaration = "expm1" } })
add(weir.inverse(weir.elementwise { univariate = weir.foreign { declaration = "expm1" } }))
add(weir.coupling { univariate = weir.rq_spline() })
layers.dtype, layers.seed = "f32", 1
local flow = weir.flow(layers)
local data = weir.data.two_moons { n = 1200, seed = 1 }:split { 0.8, 0.2, seed = 1 }
flow:fit(data, { epochs = 1, lr = 1e-3, batch = 128 })
local first = flow:log_prob(data.test or data.validation):mean()
flow:fit(data, { epochs = 4, lr = 2e-3, batch = 128 })
local last = flow:log_prob(data.test or data.validation):mean()
assert(last == last and last > first, ("does not learn: %g, then %g"):format(first, last))
flow:save "mixed.safetensors"
LUA
cat >ask.lua <<'LUA'
local weir = require "weir"
local flow = weir.load "mixed.safetensors"
local data = weir.data.two_moons { n = 200, seed = 7 }
flow:log_prob(data):save(arg[1] .. ".p.npy")
flow:sample(50, { seed = 3 }):save(arg[1] .. ".x.npy")
LUA
# shellcheck disable=SC2086
quietly weir train.lua $parts
quietly weir ask.lua one
quietly weir ask.lua two
cmp one.p.npy two.p.npy || fail "densities do not come back to the bit"
cmp one.x.npy two.x.npy || fail "samples do not come back to the bit"
weir info mixed.safetensors --json >info.json
for name in $parts; do grep -q "mixed\.$name" info.json || fail "$name is not in the model"; done

# ---- one plugin missing, or several ----

for name in $parts only_f64; do
  mv "plugins/$name.so" hidden.so
  refuses "^weir: .*mixed\.safetensors: needs module \"(mixed|test)\.$name\" of plugin $name 1\.0\.0: unknown module .*searched $PWD/plugins, " weir ask.lua none
  mv hidden.so "plugins/$name.so"
done
first=${parts# }
first=${first%% *}
mkdir away
mv "plugins/$first.so" plugins/only_f64.so away/
refuses "needs module \"mixed\.$first\" .*; also missing: \"test\.only_f64\"" weir ask.lua none
mv away/* plugins/
quietly weir ask.lua two
cmp one.p.npy two.p.npy || fail "with all plugins back the model differs"

mv plugins/expm1.foreign.json away/
refuses "mixed\.safetensors: .*expm1\.foreign\.json.*searched $PWD/plugins, " weir ask.lua none
mv away/* plugins/
mv plugins/ripple.lua away/
refuses "mixed\.safetensors: .*ripple\.lua.*searched $PWD/plugins, " weir ask.lua none
mv away/* plugins/
quietly weir ask.lua two

# ---- locked ----

quietly weir plugins mixed.safetensors --lock mixed.lock
for file in $parts only_f64 splines lua; do grep -q "\"$file\.so\"" mixed.lock || fail "$file.so is not in the lock"; done
for file in ripple.lua expm1.foreign.json sinh.foreign.json; do
  grep -q "\"$file\"" mixed.lock || fail "$file is not in the lock"
done
quietly weir --locked mixed.lock run ask.lua two
cmp one.x.npy two.x.npy || fail "under the lock the samples differ"
cp "plugins/$first.so" kept.so
printf 'x' >>"plugins/$first.so"
refuses "needs module \"mixed\.$first\" .*plugins/$first\.so: not the file that the lock $PWD/mixed\.lock names" weir --locked mixed.lock run ask.lua none
cp kept.so "plugins/$first.so"
printf '\n' >>plugins/ripple.lua
refuses "plugins/ripple\.lua: not the file that the lock $PWD/mixed\.lock names \(sha256 " weir --locked mixed.lock run ask.lua none
cp "$here/../../scripts/examples/layers/ripple.lua" plugins/
quietly weir --locked mixed.lock run ask.lua two

# ---- other versions of a plugin ----

version() { # version MODULE PLUGIN: plugin in_c, built with these versions of its module and of itself
  sed -E "s/\.version = \"[0-9.]+\"/.version = \"$1\"/" in_c/in_c.c >source.c
  cp source.c in_c/in_c.c
  sed -i -E "s/VERSION [0-9]+\.[0-9]+\.[0-9]+ LANG/VERSION $2 LANG/" in_c/CMakeLists.txt
  quietly cmake -S in_c -B in_c/build -G Ninja -DCMAKE_PREFIX_PATH="$prefix"
  quietly cmake --build in_c/build
  rm plugins/in_c.so
  cp in_c/build/in_c.so plugins/
}
says() { # says PATTERN: the model loads, with this one line, or none
  weir ask.lua two >stdout 2>stderr || { cat stderr; fail "another version is refused"; }
  cmp one.p.npy two.p.npy || fail "another version computes something else"
  if [ -z "$1" ]; then
    [ ! -s stderr ] || fail "a word too many: $(cat stderr)"
  else
    grep -qE "$1" stderr || fail "no \"$1\": $(cat stderr)"
    [ "$(wc -l <stderr)" = 1 ] || fail "not one line: $(cat stderr)"
  fi
}
case "$parts " in *" in_c "*)
  version 1.2.0 1.3.0
  says ""
  version 1.0.0 2.0.0
  says 'written with module "mixed\.in_c" 1\.0\.0 of plugin in_c 1\.0\.0, found is 1\.0\.0 of plugin in_c 2\.0\.0 .*check the results'
  version 1.0.0 0.9.0
  says 'found is 1\.0\.0 of plugin in_c 0\.9\.0 .*update the plugin'
  version 2.0.0 2.0.0
  refuses 'written with module "mixed\.in_c" 1\.0\.0 of plugin in_c 1\.0\.0, found is 2\.0\.0 \(.*plugins/in_c\.so\): another major version' weir ask.lua none
  version 1.0.0 1.0.0
  says ""
  ;;
esac

# ---- hostile ones ----

cat >use.lua <<'LUA'
local weir = require "weir"
local made = weir[arg[1]]
local flow = weir.flow { arg[2] == "layer" and made() or weir.elementwise { univariate = made() }, features = 2, dtype = "f64" }
flow:log_prob(weir.array.from { { 1, 2 }, { 3, 4 } })
print "survived"
LUA
ends() { # ends PLUGIN STATUS WORDS argument...: the process is lost, and the plugin named
  local plugin=$1 wanted=$2 words=$3 status=0
  shift 3
  (weir use.lua "$@" >stdout 2>stderr) 2>shell.log || status=$?
  [ $status = "$wanted" ] || fail "status $status, not $wanted: $(cat stderr)"
  grep -q "^weir: $PWD/plugins/$plugin\.so: this plugin $words; weir check" stderr || fail "$plugin is not named: $(cat stderr)"
  rm "plugins/$plugin.so"
}
if command -v g++ >/dev/null; then
  # in a call that is noexcept, and when it is loaded
  quietly cmake -S "$here/in_cxx" -B in_cxx_project -G Ninja -DCMAKE_PREFIX_PATH="$prefix"
  quietly ninja -C in_cxx_project
  cp in_cxx_project/throws.so plugins/
  ends throws 134 'ended the process: abort' test.throws layer
  grep -q 'terminate called after throwing' stderr || fail "nothing is said of the exception"
  cp in_cxx_project/throws_at_load.so plugins/
  weir layers affine >stdout 2>stderr || fail "an exception at load ends the host"
  grep -q "plugins/throws_at_load\.so: crashed while loading: Aborted; skipped" stderr || fail "an exception at load is not told: $(cat stderr)"
  rm plugins/throws_at_load.so
  # an exception that C lets through does not unwind the host, neither from a tile nor from create
  printf 'extern "C" void throws(void)\n{\n    throw 7;\n}\n' >thrower.cpp
  quietly g++ -c -fPIC thrower.cpp
  for call in FORWARD CREATE; do
    printf '#define TINY_NAME "leaks"\n#define TINY_%s leak\nvoid throws(void);\n' $call >leaks.c
    if [ $call = CREATE ]; then
      printf '#include <weir/build.h>\nstatic weir_status leak(weir_builder *build, void **self);\n#include "tiny.h"\n' >>leaks.c
      printf 'static weir_status leak(weir_builder *build, void **self)\n' >>leaks.c
    else
      printf '#include "tiny.h"\nstatic weir_status leak(const void *a, weir_frame *b, const weir_tile *c, const weir_tile *d, ' >>leaks.c
      printf 'const weir_tile *e, void *f)\n' >>leaks.c
    fi
    printf '{\n    throws();\n    return WEIR_OK;\n}\n' >>leaks.c
    quietly gcc -c -fPIC -I "$prefix/include" -I "$here/../fixtures" leaks.c
    quietly g++ -shared -o plugins/leaks.so leaks.o thrower.o
    ends leaks 134 'ended the process: abort' fixture.leaks univariate
  done
fi
call_forward() { # call_forward FUNCTION: a plugin in C, of that name, whose forward calls that function
  printf '#define TINY_NAME "%s"\n#define TINY_FORWARD calling_forward\n#include "tiny.h"\nvoid %s(void);\n' "$1" "$1"
  cat <<C
static weir_status calling_forward(const void *self, weir_frame *frame, const weir_tile *x, const weir_tile *params,
                                   const weir_tile *y, void *log_det)
{
    (void)self, (void)frame, (void)x, (void)params, (void)y, (void)log_det;
    $1();
    return WEIR_OK;
}
C
}
if command -v gfortran >/dev/null; then
  printf 'subroutine stops() bind(C, name="stops")\n  stop 3\nend subroutine\n' >stop.f90
  call_forward stops >stops.c
  quietly gcc -c -fPIC -I "$prefix/include" -I "$here/../fixtures" stops.c
  quietly gfortran -c -fPIC stop.f90
  quietly gfortran -shared -o plugins/stops.so stops.o stop.o
  ends stops 3 'called exit and ended the process' fixture.stops univariate
fi
if command -v rustc >/dev/null; then
  # a panic that nothing catches, however the crate handles it
  printf '#[no_mangle]\npub extern "C" fn panics() {\n    panic!("on purpose");\n}\n' >panics.rs
  call_forward panics >panics.c
  quietly gcc -c -fPIC -I "$prefix/include" -I "$here/../fixtures" panics.c
  for strategy in unwind abort; do
    quietly rustc --crate-type staticlib -C panic=$strategy -o libpanics.a panics.rs
    quietly gcc -shared -o plugins/panics.so panics.o libpanics.a -lgcc_s
    ends panics 134 'ended the process: abort' fixture.panics univariate
    grep -q 'on purpose' stderr || fail "nothing is said of the panic"
  done
fi
exit $wrong
