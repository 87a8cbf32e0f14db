#!/bin/bash
# run_criterion.sh SECONDS program...: runs a Criterion program, once more if it does not come to an end in SECONDS.
#
# Debian 12's Criterion 2.4.1 can deadlock when a test's process dies at an unlucky moment: the runner waits for the process,
# and the thread that saw it die waits for the runner (Snaipe/Criterion, pull request 468). Under the address sanitizer there is
# a second way: the runner forks while its messaging thread holds the sanitizer's allocator lock, and the child waits for that
# lock for ever before any test begins (seen in a debugger). A test that hangs by itself
# hangs both times, and fails; programs in tests/threads, where rare deadlocks of ours would show, are never run again.
limit=$1
shift
for attempt in first second; do
  timeout --signal=KILL "$limit" "$@"
  status=$?
  [ $status = 124 ] || [ $status = 137 ] || exit $status
  echo "run_criterion: no end after $limit seconds, $attempt attempt"
done
exit 1
