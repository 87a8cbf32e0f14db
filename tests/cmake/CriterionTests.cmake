# weir_criterion_tests(TARGET [TIMEOUT seconds of one attempt]): every test of a Criterion executable becomes an entry of ctest.
#
# The executable is asked when ctest starts, not when it is built, so the entries are those of the binary that is there.
# One that is missing, cannot list its tests or has none becomes an entry that fails: silence is never a success.

set(WEIR_LIST_CRITERION_TESTS "${CMAKE_CURRENT_LIST_DIR}/list_criterion_tests.cmake")
set(WEIR_RUN_CRITERION "${CMAKE_CURRENT_LIST_DIR}/run_criterion.sh")

function(weir_criterion_tests target)
  cmake_parse_arguments(PARSE_ARGV 1 given "" "TIMEOUT" "")
  set(include_file "${CMAKE_CURRENT_BINARY_DIR}/${target}_tests.cmake")
  file(GENERATE OUTPUT "${include_file}" CONTENT "\
set(cmake \"${CMAKE_COMMAND}\")
set(runner \"${WEIR_RUN_CRITERION}\")
set(emulator \"${emulator}\")
set(executable \"$<TARGET_FILE:${target}>\")
set(prefix \"${target}\")
set(timeout \"${given_TIMEOUT}\")
set(environment [==[${environment}]==])
set(reports [==[${sanitizer_reports}]==])
include(\"${WEIR_LIST_CRITERION_TESTS}\")
")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${include_file}")
endfunction()
