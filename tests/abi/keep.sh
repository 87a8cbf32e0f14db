#!/bin/bash
# keep.sh: keeps the headers of today, without their comments, as headers/DRAFT: what plugins and programs of today will have
# been compiled with when the draft number is raised, or version 1 is frozen. old_new.sh takes the oldest that are kept.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
draft=$(sed -nE 's/^#define WEIR_ABI_DRAFT ([0-9]+)$/\1/p' "$root/sdk/include/weir/abi.h")
folder=$here/headers/$draft
[ ! -e "$folder" ] || { echo "headers/$draft are kept: what was built with them may be older than what is there today"; exit 1; }
mkdir -p "$folder/weir"
keep() { # keep FROM TO
  {
    printf '/* %s of draft %s of the ABI, without its comments.\n *\n * SPDX-License-Identifier: MIT\n */\n' "${2#"$folder/"}" "$draft"
    cc -fpreprocessed -dD -E -P "$1" 2>/dev/null
  } >"$2"
  clang-format -i "$2"
}
keep "$root/core/include/weir.h" "$folder/weir.h"
for name in abi tile frame module build; do keep "$root/sdk/include/weir/$name.h" "$folder/weir/$name.h"; done
