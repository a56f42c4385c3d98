#!/bin/sh
# Builds our contestants in release and puts the libraries where each package loads them.
#
#     benches/peers/sessions/build.sh [CARGO-OPTION ...]
#
# With BAROGRAPH_BUILT=1 it takes target/release as it is. Run python/dev.sh, `npm run native` and
# go/dev.sh afterwards to go back to development. Needs `npm ci` in node/ once.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH= cd -- "$here/../../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}/release
cd "$root"
if [ -z "${BAROGRAPH_BUILT:-}" ]; then
    cargo build --release "$@" --lib --bin sessions -p barograph-benches -p barograph-python -p barograph-node -p barograph-go
fi
# Moved into place: a running program may have the old file mapped.
cp "$target/lib_barograph.so" python/src/barograph/.new
mv -f python/src/barograph/.new python/src/barograph/_barograph.abi3.so
cp "$target/libbarograph_node.so" node/.new
mv -f node/.new node/barograph.linux-x64-gnu.node
BAROGRAPH_BUILT=1 go/dev.sh release
npm run --silent --prefix node build
(cd "$here/barograph/go" && go build -o "$target/sessions-go" .)
