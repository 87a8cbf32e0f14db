# How other projects find libweir: find_package(weir) with the target weir::weir, and pkg-config weir.
include(CMakePackageConfigHelpers)
set(package "${CMAKE_INSTALL_LIBDIR}/cmake/weir")
file(CONFIGURE OUTPUT weirConfig.cmake @ONLY CONTENT [=[
include(CMakeFindDependencyMacro)
find_dependency(weir-sdk @PROJECT_VERSION@)
include("${CMAKE_CURRENT_LIST_DIR}/weirTargets.cmake")
]=])
# As the SONAME: before 1.0.0 a minor version may break.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatibility SameMinorVersion)
else()
  set(compatibility SameMajorVersion)
endif()
write_basic_package_version_file(weirConfigVersion.cmake COMPATIBILITY ${compatibility})
install(EXPORT weir NAMESPACE weir:: FILE weirTargets.cmake DESTINATION "${package}" COMPONENT embed)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/weirConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/weirConfigVersion.cmake"
  DESTINATION "${package}" COMPONENT embed)
configure_file(weir.pc.in weir.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/weir.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT embed)
