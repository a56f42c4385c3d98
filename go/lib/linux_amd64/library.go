// Package linux_amd64 carries Barograph's native library for Linux on x86-64 with glibc.
//
// It has nothing to call; github.com/barograph/barograph/go imports it. The library itself is not
// in the source tree: go/dev.sh builds it, and releases ship it.
package linux_amd64

// #cgo LDFLAGS: ${SRCDIR}/libbarograph.a -lm -ldl -lpthread
import "C"
