# Run by cpack on the trees that it is about to pack: what Debian wants in every package, and the Lua module where Debian's
# LuaJIT looks for it.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()
file(GLOB trees LIST_DIRECTORIES true "${CPACK_TEMPORARY_DIRECTORY}/weir*")
foreach(tree IN LISTS trees)
  if(NOT IS_DIRECTORY "${tree}/usr")
    continue()
  endif()
  get_filename_component(package "${tree}" NAME)
  string(REPLACE _ - package "${package}")
  set(doc "${tree}/usr/share/doc/${package}")
  file(MAKE_DIRECTORY "${doc}")
  file(READ "${CMAKE_CURRENT_LIST_DIR}/../../LICENSE" licence)
  file(WRITE "${doc}/copyright" "${licence}")
  string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
  file(WRITE "${doc}/changelog.Debian" "weir (${CPACK_PACKAGE_VERSION}-1) unstable; urgency=medium

  * Packed from version ${CPACK_PACKAGE_VERSION}.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
  execute_process(COMMAND gzip -9n "${doc}/changelog.Debian" COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB overrides "${CMAKE_CURRENT_LIST_DIR}/${package}.lintian-overrides")
  if(overrides)
    file(MAKE_DIRECTORY "${tree}/usr/share/lintian/overrides")
    configure_file("${overrides}" "${tree}/usr/share/lintian/overrides/${package}" COPYONLY)
  endif()
  if(package STREQUAL "weir")
    execute_process(COMMAND dpkg-architecture -qDEB_HOST_MULTIARCH OUTPUT_VARIABLE machine
      OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    file(MAKE_DIRECTORY "${tree}/usr/share/lua/5.1" "${tree}/usr/lib/${machine}/lua/5.1/weir")
    file(CREATE_LINK ../../weir/weir "${tree}/usr/share/lua/5.1/weir" SYMBOLIC)
    file(CREATE_LINK ../../../../weir/lua/weir/core.so "${tree}/usr/lib/${machine}/lua/5.1/weir/core.so" SYMBOLIC)
  endif()
endforeach()
