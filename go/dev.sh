#!/bin/sh
# Builds the native library and puts it where this module links it from: `go/dev.sh [PROFILE]`.
# PROFILE is a cargo profile, by default dev; `dist` also strips debug symbols, as a release does.
# With BAROGRAPH_BUILT=1 it takes the library that is built already.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
profile=${1:-dev}
case $(uname -s)-$(uname -m) in
Linux-x86_64) platform=linux_amd64 ;;
*)
	echo "go/dev.sh: no support for $(uname -s) on $(uname -m) yet" >&2
	exit 1
	;;
esac
if [ -z "${BAROGRAPH_BUILT:-}" ]; then
	(cd "$root" && cargo build --quiet -p barograph-go --profile "$profile")
fi
target=${CARGO_TARGET_DIR:-$root/target}
folder=$profile
[ "$profile" = dev ] && folder=debug
library=$root/go/lib/$platform/libbarograph.a
cp -f "$target/$folder/libbarograph.a" "$library.new"
if [ "$profile" = dist ]; then
	strip --strip-debug "$library.new"
fi
if cmp -s "$library.new" "$library"; then
	rm "$library.new"
	exit 0
fi
mv -f "$library.new" "$library"
# The Go build cache does not look into libraries; a changed source file makes it link again.
printf '// Written by go/dev.sh; not committed.\n\npackage %s\n\nconst _ = "%s"\n' \
	"$platform" "$(cksum <"$library")" >"$root/go/lib/$platform/stamp.go"
