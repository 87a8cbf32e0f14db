# Files that are compiled for newer processors than the rest; math.c decides at run time whether they are entered.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
  set(weir_avx2 -mavx2 -mfma)
  set(weir_avx512 -mavx512f -mavx2 -mfma -mprefer-vector-width=512)
  # Sums of products may be fused: the kernels promise a tolerance, not the bits of other processors.
  set(weir_kernel -O3 -ffp-contract=fast)
  set_source_files_properties(src/math/sleef_avx2.c PROPERTIES COMPILE_OPTIONS "${weir_avx2}")
  set_source_files_properties(src/math/sleef_avx512.c PROPERTIES COMPILE_OPTIONS "${weir_avx512}")
  set_source_files_properties(src/math/activation_avx2.c PROPERTIES COMPILE_OPTIONS "${weir_avx2};-O3")
  set_source_files_properties(src/math/lane_sums_avx2.c PROPERTIES COMPILE_OPTIONS "${weir_avx2};-O3")
  set_source_files_properties(src/math/gemm_tile_sse2.c PROPERTIES COMPILE_OPTIONS "${weir_kernel}")
  set_source_files_properties(src/math/gemm_tile_avx2.c PROPERTIES COMPILE_OPTIONS "${weir_avx2};${weir_kernel}")
  set_source_files_properties(src/math/gemm_tile_avx512.c PROPERTIES COMPILE_OPTIONS "${weir_avx512};${weir_kernel}")
endif()
