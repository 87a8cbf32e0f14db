#!/bin/bash
# Shell scripts without the mistakes that shellcheck knows.
set -eu
cd "$WEIR_TEST_SOURCE"
find scripts tests .ci -name '*.sh' -o -path '.ci/run' | sort | xargs shellcheck --severity=warning --shell=bash
