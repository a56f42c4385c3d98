#!/bin/sh
# What the border costs in each language, less the Rust time of the same operations.
#
#     benches/border/run.sh REPOSITORY        # a repository of about 10,000 commits
#
# Builds in release; with BAROGRAPH_BUILT=1 takes target/release as it is. It puts the release
# library where each package loads it: run python/dev.sh, `npm run native` and go/dev.sh afterwards
# to go back to development. Needs `npm ci` in node/ once.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH= cd -- "$here/../.." && pwd)
repository=$(CDPATH= cd -- "${1:?a repository is needed}" && pwd)
target=${CARGO_TARGET_DIR:-$root/target}/release
cd "$root"
if [ -z "${BAROGRAPH_BUILT:-}" ]; then
    cargo build --release -p barograph-benches -p barograph-python -p barograph-node -p barograph-go
fi
# Moved into place: a running program may have the old file mapped.
cp "$target/lib_barograph.so" python/src/barograph/.new
mv -f python/src/barograph/.new python/src/barograph/_barograph.abi3.so
cp "$target/libbarograph_node.so" node/.new
mv -f node/.new node/barograph.linux-x64-gnu.node
BAROGRAPH_BUILT=1 go/dev.sh release
npm run --silent --prefix node build
(cd "$here/go" && go build -o "$target/border-go" .)
{
    "$target/border" "$repository"
    PYTHONPATH=python/src "${PYTHON:-python3}" "$here/border.py" "$repository"
    node --expose-gc "$here/border.mjs" "$repository"
    "$target/border-go" "$repository"
} | "${PYTHON:-python3}" "$here/table.py"
