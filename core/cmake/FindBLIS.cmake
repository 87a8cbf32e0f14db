# FindBLIS: the target BLIS::BLIS. Debian gives BLIS neither pkg-config nor CMake files, and all its flavours share one
# soname, so that the alternatives system decides at run time which is loaded unless an rpath pins it.
#   BLIS_FLAVOUR  pthread (default: survives fork, unlike openmp), serial, openmp, or "" for the system's choice
#   BLIS_RPATH    folder of the library found

set(BLIS_FLAVOUR pthread CACHE STRING "flavour of BLIS: pthread, serial, openmp, or empty for the system's choice")

if(BLIS_FLAVOUR)
  set(folder "blis-${BLIS_FLAVOUR}")
else()
  set(folder "blis")
endif()
find_path(BLIS_INCLUDE_DIR blis.h PATH_SUFFIXES "${CMAKE_LIBRARY_ARCHITECTURE}/${folder}" ${folder} blis)
find_library(BLIS_LIBRARY blis PATH_SUFFIXES ${folder})
mark_as_advanced(BLIS_INCLUDE_DIR BLIS_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(BLIS REQUIRED_VARS BLIS_LIBRARY BLIS_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "On Debian install libblis-pthread-dev, or run scripts/setup.sh.")

if(BLIS_FOUND)
  get_filename_component(BLIS_RPATH "${BLIS_LIBRARY}" DIRECTORY)
  if(CMAKE_SYSROOT) # where it lies on the machine that the build is for
    string(REPLACE "${CMAKE_SYSROOT}/" "/" BLIS_RPATH "${BLIS_RPATH}")
  endif()
  if(NOT TARGET BLIS::BLIS)
    find_package(Threads REQUIRED)
    add_library(BLIS::BLIS UNKNOWN IMPORTED)
    set_target_properties(BLIS::BLIS PROPERTIES IMPORTED_LOCATION "${BLIS_LIBRARY}"
      INTERFACE_INCLUDE_DIRECTORIES "${BLIS_INCLUDE_DIR}" INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${BLIS_INCLUDE_DIR}"
      INTERFACE_LINK_LIBRARIES "Threads::Threads;m")
  endif()
endif()
