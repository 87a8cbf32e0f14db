#!/bin/bash
# in_empty_folder.sh FOLDER command...: runs the command inside FOLDER, emptied first.
set -eu
folder=$1
shift
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
exec "$@"
