# weir_add_plugin(NAME source... [VERSION x.y.z] [LINK library...] [NEEDS "libfoo.so.1 ..."] [PRECISIONS 32 64])
#
# Makes the plugin NAME.so, a target called NAME. Every source is compiled once for each precision (WEIR_REAL = 32
# and 64); exactly one of them says WEIR_PLUGIN(...). The root and the only exported symbol, weir_plugin, are made here.
#   VERSION     default: the project's version, else 0.0.0
#   LINK        libraries or targets to link beside libm
#   NEEDS       shared objects that those bring in, as `readelf -d` shows them; those of C++ and Fortran are added by
#               themselves, whether the linker then finds a use for them or not
#   PRECISIONS  default both; name one when the plugin offers only that

set(WEIR_SDK_CMAKE_DIR "${CMAKE_CURRENT_LIST_DIR}" CACHE INTERNAL "where root.c.in and plugin.map are")
include("${CMAKE_CURRENT_LIST_DIR}/weir_compiler.cmake")

function(weir_add_plugin plugin_name)
  cmake_parse_arguments(PARSE_ARGV 1 given "" "VERSION" "LINK;NEEDS;PRECISIONS")
  set(sources ${given_UNPARSED_ARGUMENTS})
  if(NOT plugin_name MATCHES "^[a-z][a-z0-9_]*$")
    message(FATAL_ERROR "weir_add_plugin(${plugin_name}): a plugin's name is lower-case letters, digits and _")
  endif()
  if(NOT sources)
    message(FATAL_ERROR "weir_add_plugin(${plugin_name}): name at least one source file")
  endif()
  if(NOT given_PRECISIONS)
    set(given_PRECISIONS 32 64)
  endif()
  if(NOT given_VERSION)
    set(given_VERSION "${PROJECT_VERSION}")
  endif()
  if(NOT given_VERSION)
    set(given_VERSION "0.0.0")
  endif()

  # Some of the sources may be C++ or Fortran: then the linker adds the runtime, and the root says so.
  set(linker_language C)
  if("${sources}" MATCHES "\\.(f|for|f90|f03|f08|F|FOR|F90|F03|F08)(;|$)")
    set(linker_language Fortran)
    list(APPEND given_NEEDS libgfortran.so.5 libmvec.so.1) # gfortran vectorises tanh and the like by glibc's libmvec
  endif()
  if("${sources}" MATCHES "\\.(cc|cpp|cxx|C)(;|$)")
    if(linker_language STREQUAL Fortran)
      list(APPEND given_LINK gfortran)
    endif()
    set(linker_language CXX)
    list(APPEND given_NEEDS libstdc++.so.6 libgcc_s.so.1)
  endif()

  set(objects "")
  foreach(precision 32 64)
    set(plugin_list_f${precision} "static const weir_module *const weir_plugin_modules_f${precision}[] = {NULL};")
    if(precision IN_LIST given_PRECISIONS)
      set(plugin_list_f${precision} "extern const weir_module *const weir_plugin_modules_f${precision}[];")
      set(part ${plugin_name}_f${precision})
      add_library(${part} OBJECT ${sources})
      target_compile_definitions(${part} PRIVATE WEIR_REAL=${precision})
      target_link_libraries(${part} PRIVATE weir::sdk ${given_LINK})
      weir_plugin_properties(${part})
      # Fortran's module files of the two precisions have the same names.
      set_target_properties(${part} PROPERTIES Fortran_MODULE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/${part}.mod")
      list(APPEND objects $<TARGET_OBJECTS:${part}>)
    endif()
  endforeach()
  if(NOT objects)
    message(FATAL_ERROR "weir_add_plugin(${plugin_name}): PRECISIONS is 32, 64 or both, not ${given_PRECISIONS}")
  endif()

  list(JOIN given_NEEDS " " plugin_needs)
  set(plugin_version "${given_VERSION}")
  set(root "${CMAKE_CURRENT_BINARY_DIR}/${plugin_name}_root.c")
  configure_file("${WEIR_SDK_CMAKE_DIR}/root.c.in" "${root}" @ONLY)

  add_library(${plugin_name} MODULE "${root}" ${objects})
  weir_plugin_properties(${plugin_name})
  set_target_properties(${plugin_name} PROPERTIES PREFIX "" SUFFIX ".so"
    LINK_DEPENDS "${WEIR_SDK_CMAKE_DIR}/plugin.map")
  set_target_properties(${plugin_name} PROPERTIES LINKER_LANGUAGE ${linker_language})
  target_link_libraries(${plugin_name} PRIVATE weir::sdk ${given_LINK} m)
  # A module is never unloaded, and a missing symbol is found here, not in the middle of a training run. clang's
  # sanitizers resolve their own symbols only when loaded, so there the linker cannot be so strict.
  target_link_options(${plugin_name} PRIVATE
    "LINKER:--version-script=${WEIR_SDK_CMAKE_DIR}/plugin.map" LINKER:--as-needed LINKER:-z,now LINKER:-z,nodelete)
  if(NOT "${CMAKE_C_FLAGS} ${CMAKE_MODULE_LINKER_FLAGS}" MATCHES "-fsanitize|-fprofile")
    target_link_options(${plugin_name} PRIVATE LINKER:--no-undefined)
  endif()
endfunction()

# What holds for the objects and for the module alike. -ffast-math and its kin are left out on purpose: linked into a
# shared object they switch the whole process to flush-to-zero when it is loaded.
function(weir_plugin_properties target)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_features(${target} PRIVATE c_std_11)
  target_compile_options(${target} PRIVATE -fno-math-errno -fno-trapping-math -ffp-contract=off ${WEIR_COMPILER_OPTIONS})
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    target_compile_options(${target} PRIVATE -O3)
  endif()
endfunction()
