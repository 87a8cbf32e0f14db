# Toolchain file: 64-bit Arm, by Debian's cross compiler. scripts/cross.sh makes the sysroot and then uses this.
#   WEIR_SYSROOT  folder with Debian's packages for that processor, unpacked
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES WEIR_SYSROOT)
if(NOT EXISTS "${WEIR_SYSROOT}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}")
  message(FATAL_ERROR "no packages for 64-bit Arm in '${WEIR_SYSROOT}': run scripts/cross.sh")
endif()
set(CMAKE_SYSROOT "${WEIR_SYSROOT}")
# Programs are the builder's own; what is compiled against and linked with is the other machine's, and nothing else.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${WEIR_SYSROOT}")
set(ENV{PKG_CONFIG_LIBDIR} "${WEIR_SYSROOT}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/pkgconfig:${WEIR_SYSROOT}/usr/share/pkgconfig")

# The build runs what it built (the probe writes the manifest of the plugins), and so do the tests.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L "${WEIR_SYSROOT}")
