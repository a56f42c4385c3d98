#!/bin/sh
# Builds the native part for development and puts it next to the package's sources.
# Usage: python/dev.sh [cargo options, for example --release]
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
cd "$here/.."
cargo build -p barograph-python "$@"
profile=debug
for option in "$@"; do
    case $option in --release) profile=release ;; esac
done
target=${CARGO_TARGET_DIR:-target}
case $(uname -s) in
    Darwin) library=lib_barograph.dylib ;;
    *) library=lib_barograph.so ;;
esac
# Moved into place: a running program may have the old file mapped.
cp "$target/$profile/$library" python/src/barograph/.new
mv -f python/src/barograph/.new python/src/barograph/_barograph.abi3.so
