#!/bin/sh
# Checks every promise of layers/@ID@.lua (--level full looks longer), and tries the script for a few steps.
set -eu
cd "$(dirname "$0")"
weir check layers/@ID@.lua --quiet
weir run --trial @NAME@.lua
