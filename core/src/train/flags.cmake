# The passes over the arena for newer processors; the sets of flags are those of src/math/flags.cmake.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
  set_source_files_properties(src/train/arena_avx2.c PROPERTIES COMPILE_OPTIONS "${weir_avx2};-O3")
endif()
