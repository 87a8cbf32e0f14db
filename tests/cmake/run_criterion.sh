#!/bin/bash
# run_criterion.sh SECONDS program...: runs a Criterion program, once more if it does not come to an end in SECONDS, or if the
# leak checker itself crashes.
#
# Debian 12's Criterion 2.4.1 can deadlock when a test's process dies at an unlucky moment: the runner waits for the process,
# and the thread that saw it die waits for the runner (Snaipe/Criterion, pull request 468). Under the address sanitizer there is
# a second way: the runner forks while its messaging thread holds the sanitizer's allocator lock, and the child waits for that
# lock for ever before any test begins (seen in a debugger). A test that hangs by itself
# hangs both times, and fails; programs in tests/threads, where rare deadlocks of ours would show, are never run again.
#
# clang 14's leak checker now and then gets a segmentation fault of its own after all tests have passed ("Tracer caught signal
# 11"): such a run says nothing about leaks, so its output is put away and another has to say it.
limit=$1
shift
output=$(mktemp)
trap 'rm -f "$output"' EXIT
for attempt in first second; do
  timeout --signal=KILL "$limit" "$@" >"$output" 2>&1
  status=$?
  if [ $status = 124 ] || [ $status = 137 ]; then
    cat "$output"
    echo "run_criterion: no end after $limit seconds, $attempt attempt"
  elif grep -q 'LeakSanitizer has encountered a fatal error' "$output"; then
    echo "run_criterion: the leak checker crashed, $attempt attempt"
  else
    cat "$output"
    exit $status
  fi
done
exit 1
