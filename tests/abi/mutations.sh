#!/bin/bash
# The tests that watch the interfaces do see: each change below is made to a copy of the headers (or to a libweir without
# code), and what should notice must turn red; a thing that was only added is told from one that breaks.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
export WEIR_TEST_SOURCE
wrong=0
fail() { echo "$1"; wrong=1; }
if ! command -v abidiff >/dev/null; then echo "skipped: no abidiff here; scripts/setup.sh --tests installs it (abigail-tools)"; exit 77; fi

# A library with the symbols of libweir, and nothing behind them. Its map is rewritten by what is given.
hollow() { # hollow FOLDER [SED-EXPRESSION [SONAME]]
  local soname=${3-libweir.so.$compatible}
  mkdir -p "$1/lib"
  sed "${2-}" names >"$1/names"
  sed 's/.*/void &(void);\nvoid &(void) {}/' "$1/names" >"$1/hollow.c"
  { echo "WEIR_$compatible {"; echo 'global:'; sed 's/$/;/' "$1/names"; echo 'local: *; };'; } >"$1/hollow.map"
  cc -shared -fPIC -Wl,-soname,"$soname" -Wl,--version-script="$1/hollow.map" "$1/hollow.c" -o "$1/lib/libweir.so"
}
sed -nE "s/.*<elf-symbol name='([^']+)' version=.*/\1/p" "$here/baseline/libweir.abi" >names
compatible=$(sed -nE 's/^soname libweir\.so\.//p' "$here/baseline/versions.txt")
hollow whole

# What abidiff.sh says: nothing, added or broken.
says() { # says SOURCE BUILD [NAME]
  local status=0
  # shellcheck disable=SC2086
  WEIR_TEST_SOURCE=$1 WEIR_TEST_BUILD=$2 bash "$here/abidiff.sh" ${3-} >says.log 2>&1 || status=$?
  if [ $status = 0 ]; then echo nothing
  elif grep -q 'this breaks what was built before' says.log; then echo broken
  elif grep -q 'the baseline does not know it' says.log; then echo added
  else echo "an error: $(cat says.log)"; fi
}
expect() { # expect WHAT WANTED GOT
  [ "$2" = "$3" ] || fail "$1: expected $2, got $3"
}

# mutate WHO FILE EXPRESSION NAME: WHO is what abidiff must say, and ",layout" or ",constants" where those must see it too.
mutate() {
  local verdict=${1%%,*} others=${1#"${1%%,*}"} file=$2 expression=$3 name=$4 test
  rm -rf copy
  mkdir -p copy/sdk copy/core
  cp -r "$WEIR_TEST_SOURCE/sdk/include" copy/sdk/
  cp -r "$WEIR_TEST_SOURCE/core/include" copy/core/
  perl -0pi -e "$expression" "copy/$file"
  if cmp -s "copy/$file" "$WEIR_TEST_SOURCE/$file"; then fail "$name: the change fits nowhere in $file; correct this test"; return; fi
  expect "$name: abidiff" "$verdict" "$(says "$PWD/copy" "$PWD/whole" witness)"
  for test in layout constants; do
    local script=$here/$test.sh
    [ $test != layout ] || script=$WEIR_TEST_SOURCE/tests/static/layout.sh
    case $others in
    *,$test*) if WEIR_TEST_SOURCE=$PWD/copy bash "$script" >step.log 2>&1; then fail "$name: static.$test does not see it"; fi ;;
    esac
  done
}
sdk=sdk/include/weir
host=core/include/weir.h

# A copy without a change is green in the eyes of all three: else the rest would prove nothing.
expect "no change" nothing "$(says "$WEIR_TEST_SOURCE" "$PWD/whole")"
bash "$WEIR_TEST_SOURCE/tests/static/layout.sh" >step.log 2>&1 || fail "static.layout is red without a change"
bash "$here/constants.sh" >step.log 2>&1 || fail "static.constants is red without a change"

# The plugin's side.
mutate broken,layout $sdk/module.h 's/(    int32_t concurrency;)/    int32_t inserted;\n$1/' "a member inserted in the middle of weir_module"
mutate broken,layout $sdk/frame.h 's/(    void \(\*random_uniform\)[^;]*;\n)(    void \(\*random_normal\)[^;]*;\n)/$2$1/' "two calls of one type swapped in weir_services"
mutate broken,layout $sdk/module.h 's/double minimum, maximum;/float minimum, maximum;/' "a narrower type in weir_option"
mutate broken $sdk/tile.h 's/int32_t rows; /uint32_t rows;/' "another type of the same size in weir_tile"
mutate broken $sdk/frame.h 's/(\*linear_vjp_weights\)\(weir_frame \*frame, )/$1int32_t first, /' "an argument more in a call of weir_services"
mutate broken,layout $sdk/build.h 's/    int32_t \(\*has_child\)[^;]*;\n//' "a call removed from weir_builder"
mutate broken,layout $sdk/abi.h 's/(    char fork\[16\];)/$1\n    uint32_t appended;/' "a member appended to weir_fingerprint, which never grows"
mutate added,layout $sdk/frame.h 's/(    double \*residual;[^\n]*\n)(\} weir_report)/$1    double *appended;\n$2/' "a member appended to weir_report"
mutate broken,layout $sdk/frame.h 's/(    X\(erf, "error function"\))/    X(inserted, "a function more") \\\n$1/' "a function more in the list of weir_math"
mutate nothing,constants $sdk/module.h 's/#define WEIR_NETWORK    3/#define WEIR_NETWORK    7/' "another value of a constant"
# The embedding program's side.
mutate broken,layout $host 's/(    const weir_matrix \*context; [^\n]*\n    uint64_t seed;)/    int64_t inserted;\n$1/' "a member inserted in the middle of weir_call"
mutate broken,layout $host 's/(    int64_t count;[^\n]*\n)(    int32_t frozen;[^\n]*\n    int32_t reserved;[^\n]*\n)/$2$1/' "members of weir_tensor_info in another order"
mutate broken,layout $host 's/char message\[1020\];/char message[2044];/' "a longer weir_error"
mutate broken $host 's/(weir_score\([^;]*)double \*log_p/$1float *log_p/' "another type of an argument of weir_score"
mutate broken $host 's/WEIR_API int32_t weir_threads[^;]*;\n//' "a function that weir.h no longer declares"
mutate added,layout $host 's/(    const char \*lock;\n)(\} weir_settings)/$1    int32_t appended;\n$2/' "a member appended to weir_settings"
mutate added $host 's/(WEIR_API void weir_free)/WEIR_API void weir_added(void);\n$1/' "a function added to weir.h"

# The library's symbols.
hollow lost '/^weir_score$/d'
expect "a symbol lost" broken "$(says "$WEIR_TEST_SOURCE" "$PWD/lost" libweir)"
hollow more '$a weir_added'
expect "a symbol added" added "$(says "$WEIR_TEST_SOURCE" "$PWD/more" libweir)"
hollow renamed '' libweir.so.99
says "$WEIR_TEST_SOURCE" "$PWD/renamed" libweir >says.txt
grep -q 'the versions have changed' says.log || fail "another SONAME is not seen: $(cat says.log)"

# --write keeps a change that breaks out of the baseline, as long as no number says so, and lets in what was added.
mkdir -p kept/tests/abi
cp -r "$here" kept/tests/
keeps() { WEIR_TEST_SOURCE=$PWD/copy WEIR_TEST_BUILD=$PWD/whole bash kept/tests/abi/abidiff.sh "$@" >step.log 2>&1; }
mutate broken $sdk/tile.h 's/int32_t rows; /uint32_t rows;/' "a change to be recorded"
if keeps --write; then fail "a change that breaks is recorded, though no number was raised"; fi
perl -pi -e 's/^(#define WEIR_ABI_DRAFT) \d+/$1 999/' copy/sdk/include/weir/abi.h
keeps --write || fail "a change that breaks is not recorded with another draft number: $(cat step.log)"
keeps || fail "what was recorded is not what is compared: $(cat step.log)"
exit $wrong
