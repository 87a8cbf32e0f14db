# This plugin reads declarations with jansson and calls what they name through libffi.
set(plugin_link PkgConfig::FFI PkgConfig::JANSSON)
set(plugin_needs libffi.so.8 libjansson.so.4)
# A declaration to begin with, beside the plugins, where declarations are sought.
file(GLOB declarations CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/*.foreign.json")
foreach(declaration IN LISTS declarations)
  configure_file("${declaration}" "${CMAKE_BINARY_DIR}/plugins" COPYONLY)
  install(FILES "${declaration}" DESTINATION "${CMAKE_INSTALL_LIBDIR}/weir/plugins")
endforeach()
