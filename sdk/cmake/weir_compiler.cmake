# WEIR_COMPILER_OPTIONS: what a compiler needs that would otherwise fail on right code; mostly nothing.
set(WEIR_COMPILER_OPTIONS "" CACHE INTERNAL "options around faults of this compiler")

# gcc 12 for 64-bit Arm (12.2 was seen) ends with an internal error, in vect_transform_reduction, where it vectorises
# x = fmax(x, (double)a[i]) over floats. As a call of the C library fmax is no more than it is on x86-64.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64" AND CMAKE_C_COMPILER_ID STREQUAL GNU
    AND CMAKE_C_COMPILER_VERSION VERSION_GREATER_EQUAL 12 AND CMAKE_C_COMPILER_VERSION VERSION_LESS 13)
  set(WEIR_COMPILER_OPTIONS "$<$<COMPILE_LANGUAGE:C,CXX>:-fno-builtin-fmax;-fno-builtin-fmin>" CACHE INTERNAL "options around faults of this compiler")
endif()
