# This plugin needs LuaJIT, and a C file that the build makes of its Lua text and of the structs that the Lua text reads.
if(NOT LUAJIT_FOUND)
  message(STATUS "LuaJIT is missing, so layers in Lua are left out")
  set(plugin_skipped TRUE)
  return()
endif()
set(plugin_link PkgConfig::LUAJIT)
set(plugin_needs libluajit-5.1.so.2)

# LuaJIT reads the ABI's structs from the SDK's own headers, preprocessed here: never from a copy that could grow old. The
# two standard headers that those include are empty then; LuaJIT knows the types.
set(bridge "${CMAKE_CURRENT_BINARY_DIR}/lua_bridge")
file(MAKE_DIRECTORY "${bridge}/empty")
foreach(header stddef.h stdint.h)
  file(WRITE "${bridge}/empty/${header}" "")
endforeach()
set(sdk "${PROJECT_SOURCE_DIR}/sdk/include")
add_custom_command(OUTPUT "${bridge}/cdef.txt"
  COMMAND ${CMAKE_C_COMPILER} -E -P -x c -nostdinc -DWEIR_LUA_CDEF -I "${bridge}/empty" -I "${sdk}"
    "${CMAKE_CURRENT_LIST_DIR}/call.h" -o "${bridge}/cdef.txt"
  DEPENDS "${CMAKE_CURRENT_LIST_DIR}/call.h" "${sdk}/weir/abi.h" "${sdk}/weir/tile.h" "${sdk}/weir/frame.h" VERBATIM)
add_custom_command(OUTPUT "${bridge}/texts.c"
  COMMAND ${CMAKE_COMMAND} -D "CDEF=${bridge}/cdef.txt" -D "BRIDGE=${CMAKE_CURRENT_LIST_DIR}/bridge.lua"
    -D "HEADER=${CMAKE_CURRENT_LIST_DIR}/engine.h" -D "OUT=${bridge}/texts.c" -P "${CMAKE_CURRENT_LIST_DIR}/embed.cmake"
  DEPENDS "${bridge}/cdef.txt" "${CMAKE_CURRENT_LIST_DIR}/bridge.lua" "${CMAKE_CURRENT_LIST_DIR}/embed.cmake" VERBATIM)
set(plugin_sources "${bridge}/texts.c")
