#!/bin/bash
# Lua without warnings, by the rules in .luacheckrc.
set -eu
cd "$WEIR_TEST_SOURCE"
exec luacheck --quiet scripts plugins tests/lua tests/bench tests/promises.lua
