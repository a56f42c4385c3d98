//go:build cgo

package ffi

// The native library of this platform, with its linker flags.
import _ "github.com/barograph/barograph/go/lib/linux_amd64"
