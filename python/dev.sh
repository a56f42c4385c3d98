#!/bin/sh
# Builds the native part for development and puts it next to the package's sources.
# With the path of a Python, also lets that Python import the package: python/dev.sh .venv/bin/python
# With BAROGRAPH_BUILT=1 it takes the library that is built already.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
cd "$here/.."
if [ -z "${BAROGRAPH_BUILT:-}" ]; then
    cargo build -p barograph-python
fi
case $(uname -s) in
    Darwin) library=lib_barograph.dylib ;;
    *) library=lib_barograph.so ;;
esac
# Moved into place: a running program may have the old file mapped.
cp "${CARGO_TARGET_DIR:-target}/debug/$library" python/src/barograph/.new
mv -f python/src/barograph/.new python/src/barograph/_barograph.abi3.so
if [ $# -gt 0 ]; then
    site=$("$1" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    echo "$here/src" > "$site/barograph-development.pth"
fi
