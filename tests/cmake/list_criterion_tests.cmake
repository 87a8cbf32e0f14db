# Included by ctest, once for each executable. In: cmake, runner, emulator, executable, prefix, timeout, environment, reports.
string(REGEX REPLACE "^unit_" "unit." prefix "${prefix}")

set(listing "")
set(listed 1)
if(EXISTS "${executable}")
  execute_process(COMMAND ${emulator} "${executable}" --list OUTPUT_VARIABLE listing ERROR_QUIET RESULT_VARIABLE listed TIMEOUT 30)
endif()

# "suite: 2 tests", then one line for each test, drawn as a branch: with box characters in a UTF-8 locale, else ASCII.
set(count 0)
math(EXPR both_attempts "2 * ${timeout} + 20")
set(suite "")
string(REPLACE "\n" ";" lines "${listing}")
foreach(line IN LISTS lines)
  if(line MATCHES "^([A-Za-z_][A-Za-z0-9_]*): [0-9]+ tests?")
    set(suite "${CMAKE_MATCH_1}")
  elseif(suite AND line MATCHES "^[^A-Za-z0-9_]+([A-Za-z_][A-Za-z0-9_]*)")
    set(case "${CMAKE_MATCH_1}")
    set(name "${prefix}.${suite}.${case}")
    math(EXPR count "${count} + 1")
    add_test("${name}" bash "${runner}" "${timeout}" ${emulator} "${executable}" --filter "${suite}/${case}" --jobs 1 --short-filename --verbose)
    # An exit status of 0 hides much: a filter that matches nothing, leaks, undefined behaviour that was only reported.
    set_tests_properties("${name}" PROPERTIES TIMEOUT "${both_attempts}" LABELS unit ENVIRONMENT "${environment}"
      SKIP_REGULAR_EXPRESSION "\\[SKIP\\] ${suite}::${case}: "
      FAIL_REGULAR_EXPRESSION "${reports}|Tested: 0 ")
  endif()
endforeach()

if(NOT listed EQUAL 0)
  add_test("${prefix}.can_list_its_tests" ${emulator} "${executable}" --list)
  set_tests_properties("${prefix}.can_list_its_tests" PROPERTIES LABELS unit TIMEOUT 30)
elseif(count EQUAL 0)
  add_test("${prefix}.holds_no_test" "${cmake}" -E false)
  set_tests_properties("${prefix}.holds_no_test" PROPERTIES LABELS unit)
endif()
