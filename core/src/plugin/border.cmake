# Where an exception out of a plugin's code ends. The C++ calls of the interface are noexcept, but C++ behind a plugin
# written in C may throw, and then the unwinder looks for a handler up the stack: through the host, whose locks it would
# leave taken, to one that knows nothing of it: a script's interpreter has one. It can only pass functions with unwind tables. The
# files that call into plugins, all tiles by way of pool.c, have none, so it finds no way, and std::terminate is called
# while the plugin is still on the stack to be named. Debuggers use the tables of -g, which are others.
set_source_files_properties(src/run/pool.c src/model/making.c src/model/tensor.c src/plugin/load.c PROPERTIES
  COMPILE_OPTIONS "-fno-asynchronous-unwind-tables;-fno-unwind-tables;-fno-exceptions")
