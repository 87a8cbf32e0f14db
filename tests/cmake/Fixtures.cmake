# weir_fixtures(FOLDER): plugins that tests load, good and broken.
#   FOLDER/NAME.c    one plain shared object, NAME.so, built from this one file as it says itself in comment lines
#                       /* weir-fixture-cflags: ... */  and  /* weir-fixture-link: ... */
#   FOLDER/NAME/     a whole plugin, in both precisions, through weir_add_plugin
# All go to CMAKE_LIBRARY_OUTPUT_DIRECTORY. The target weir_all_fixtures builds them.

function(weir_fixture_words source key variable)
  file(STRINGS "${source}" lines REGEX "weir-fixture-${key}:")
  set(words "")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE ".*weir-fixture-${key}:(.*)\\*/.*" "\\1" line "${line}")
    separate_arguments(line UNIX_COMMAND "${line}")
    list(APPEND words ${line})
  endforeach()
  set(${variable} "${words}" PARENT_SCOPE)
endfunction()

function(weir_fixtures folder)
  add_custom_target(weir_all_fixtures)
  file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.c")
  foreach(source IN LISTS sources)
    get_filename_component(name "${source}" NAME_WE)
    weir_fixture_words("${source}" cflags flags)
    weir_fixture_words("${source}" link link)
    add_library(fixture_${name} MODULE "${source}")
    set_target_properties(fixture_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
    target_compile_options(fixture_${name} PRIVATE -Wall -Wextra ${flags})
    target_link_libraries(fixture_${name} PRIVATE weir::sdk m)
    target_link_options(fixture_${name} PRIVATE LINKER:--exclude-libs=libgcov.a) # in coverage builds: no symbols but its own
    target_link_options(fixture_${name} PRIVATE ${link})
    add_dependencies(weir_all_fixtures fixture_${name})
  endforeach()

  file(GLOB plugins CONFIGURE_DEPENDS "${folder}/*/*.c")
  set(names "")
  foreach(source IN LISTS plugins)
    get_filename_component(parent "${source}" DIRECTORY)
    get_filename_component(name "${parent}" NAME)
    list(APPEND names ${name})
    list(APPEND sources_of_${name} "${source}")
  endforeach()
  list(REMOVE_DUPLICATES names)
  foreach(name IN LISTS names)
    weir_add_plugin(${name} ${sources_of_${name}} VERSION 1.0.0)
    add_dependencies(weir_all_fixtures ${name})
  endforeach()
endfunction()
