# Noise for newer processors; the flags are those of src/math/flags.cmake.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
  set_source_files_properties(src/run/noise_avx2.c PROPERTIES COMPILE_OPTIONS "${weir_avx2};-O3")
endif()
