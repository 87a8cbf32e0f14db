#!/bin/bash
# quickstart.sh: from a fresh clone to a trained flow. Installs what is missing, builds into build/, trains a flow on
# Fashion-MNIST for a few minutes, and leaves quickstart/model.safetensors and quickstart/samples.png.
set -eu
cd "$(dirname "$0")/.."

case "${1-}" in
'') ;;
-h | --help) sed -n '2,3s/^# //p' "$0"; exit 0 ;;
*) echo "quickstart.sh: takes no words; see --help" >&2; exit 2 ;;
esac

scripts/setup.sh
scripts/build.sh release weir_product

mkdir -p quickstart
cd quickstart
../build/bin/weir ../scripts/examples/fashion_mnist.lua
for file in model.safetensors samples.png; do
  [ -s "$file" ] || { echo "quickstart.sh: the example wrote no quickstart/$file" >&2; exit 1; }
done
echo "quickstart: both are in $PWD"
