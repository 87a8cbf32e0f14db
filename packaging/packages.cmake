# cpack -G DEB, in a build folder: the packages weir (the command, libweir, plugins, the Lua module) and weir-dev (headers,
# CMake packages, templates, guide). cpack -G TGZ: the same in archives.
set(CPACK_PACKAGE_VENDOR "The Weir authors")
set(WEIR_PACKAGER "The Weir authors <weir@localhost>" CACHE STRING "who packs: name and mail address")
set(CPACK_PACKAGE_CONTACT "${WEIR_PACKAGER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime embed sdk)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_COMPONENT_RUNTIME_GROUP weir)
set(CPACK_COMPONENT_EMBED_GROUP weir_dev)
set(CPACK_COMPONENT_SDK_GROUP weir_dev)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_WEIR_PACKAGE_NAME weir)
set(CPACK_DEBIAN_WEIR_PACKAGE_SECTION math)
set(CPACK_DEBIAN_WEIR_DESCRIPTION "normalizing flows from plugins, in C and Lua
Exact densities and samples of normalizing flows: the weir command, the
library libweir, the Lua module weir and the built-in layers, each a plugin
as those of others are.")
set(CPACK_DEBIAN_WEIR_PACKAGE_SHLIBDEPS ON)
# So that a program linked with libweir depends on this package.
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
# libweir looks for this flavour of BLIS by its folder; what dpkg-shlibdeps finds may be another.
set(CPACK_DEBIAN_WEIR_PACKAGE_DEPENDS "libblis4-pthread")
set(CPACK_DEBIAN_WEIR_PACKAGE_RECOMMENDS "libcairo2")
set(CPACK_DEBIAN_WEIR_PACKAGE_SUGGESTS "luajit, weir-dev")
set(CPACK_DEBIAN_WEIR_PACKAGE_CONTROL_EXTRA "${CMAKE_CURRENT_LIST_DIR}/debian/triggers")

set(CPACK_DEBIAN_WEIR_DEV_PACKAGE_NAME weir-dev)
set(CPACK_DEBIAN_WEIR_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_WEIR_DEV_DESCRIPTION "headers of libweir, and what authors of layers need
weir.h for programs that embed libweir; the plugin interface with its CMake
package, the templates of weir new, and the guide.")
set(CPACK_DEBIAN_WEIR_DEV_PACKAGE_DEPENDS "weir (= ${PROJECT_VERSION}-1)")
set(CPACK_DEBIAN_WEIR_DEV_PACKAGE_SUGGESTS "cmake, gcc, pkg-config")

set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_CURRENT_LIST_DIR}/debian/complete.cmake")
include(CPack)
