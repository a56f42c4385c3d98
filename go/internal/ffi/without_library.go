//go:build cgo && !(linux && amd64)

package ffi

// There is no native library for this platform yet: this line fails the build on purpose.
var _ = barograph_has_no_library_for_this_platform__supported_is_linux_amd64
