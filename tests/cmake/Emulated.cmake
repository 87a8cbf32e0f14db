# Included by tests/CMakeLists.txt. Where the build is for another processor, tests run on an emulated one: ctest puts the
# emulator in front of targets by itself, and the rest is here.
#   emulated           TRUE or FALSE
#   emulator           words to put in front of a program of that processor
#   environment        appended to: what an emulated program needs to start others of its kind (emulated/start.c)
#   weir_command       the command as scripts call it
set(emulated ${CMAKE_CROSSCOMPILING})
set(emulator "")
set(weir_command $<TARGET_FILE:weir-command>)
if(NOT emulated)
  return()
endif()
set(emulator ${CMAKE_CROSSCOMPILING_EMULATOR})

set(folder "${CMAKE_BINARY_DIR}/tests/emulated")
add_library(weir_start_emulated MODULE emulated/start.c)
set_target_properties(weir_start_emulated PROPERTIES PREFIX "" OUTPUT_NAME start LIBRARY_OUTPUT_DIRECTORY "${folder}"
  C_VISIBILITY_PRESET default)
target_compile_definitions(weir_start_emulated PRIVATE _GNU_SOURCE)
target_link_libraries(weir_start_emulated PRIVATE weir_warnings)
list(GET emulator 0 program)
find_program(WEIR_EMULATOR "${program}" REQUIRED)
list(APPEND environment "WEIR_EMULATOR=${WEIR_EMULATOR}" "QEMU_LD_PREFIX=${CMAKE_SYSROOT}"
  "QEMU_SET_ENV=LD_PRELOAD=${folder}/start.so")

# Scripts know the command by one path, and weir-bench as its neighbour.
foreach(name weir weir-bench)
  set(path "${CMAKE_BINARY_DIR}/bin/${name}")
  file(WRITE "${folder}/${name}" "#!/bin/sh\nexec \"${WEIR_EMULATOR}\" -0 \"${path}\" \"${path}\" \"$@\"\n")
  file(CHMOD "${folder}/${name}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
endforeach()
set(weir_command "${folder}/weir")
