//go:build !cgo

package ffi

// Barograph is a native library: this line fails the build on purpose where cgo is off.
var _ = barograph_needs_cgo__set_CGO_ENABLED_1_and_install_a_C_compiler
