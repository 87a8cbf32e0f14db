# Files that are compiled for newer processors than the rest; math.c decides at run time whether they are entered.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
  set(weir_avx2 -mavx2 -mfma)
  set(weir_avx512 -mavx512f -mavx2 -mfma)
  set_source_files_properties(src/math/sleef_avx2.c PROPERTIES COMPILE_OPTIONS "${weir_avx2}")
  set_source_files_properties(src/math/sleef_avx512.c PROPERTIES COMPILE_OPTIONS "${weir_avx512}")
endif()
