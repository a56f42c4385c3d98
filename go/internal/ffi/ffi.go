// Package ffi is the door: the only place that calls the native library.
package ffi

/*
#cgo noescape barograph_call
#cgo nocallback barograph_call
#cgo noescape barograph_columns
#cgo nocallback barograph_columns
#cgo nocallback barograph_token
#cgo nocallback barograph_cancel
#cgo nocallback barograph_release
#cgo nocallback barograph_close
#cgo nocallback barograph_free
#include "barograph.h"
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// Root is the handle that stands for no handle: workspace.open is called on it.
const Root = 0

// NoToken is no cancel token.
const NoToken = 0

func init() {
	if found := uint32(C.barograph_abi_version()); found != C.BAROGRAPH_ABI_VERSION {
		panic(fmt.Sprintf("barograph: the native library libbarograph.a speaks ABI %d, this module needs %d; "+
			"rebuild it with go/dev.sh, or bring both modules to the same version", found, C.BAROGRAPH_ABI_VERSION))
	}
}

// Buffer is an answer that the native library owns until Free.
type Buffer struct{ raw C.barograph_buffer }

// Bytes is the answer; not to be used after Free.
func (b *Buffer) Bytes() []byte {
	if b.raw.len == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(b.raw.ptr), int(b.raw.len))
}

// Free gives the answer back; calling it twice does nothing.
func (b *Buffer) Free() {
	if b.raw.ptr != nil {
		C.barograph_free(b.raw)
		b.raw = C.barograph_buffer{}
	}
}

// Call calls an operation and waits. Where ok is false the buffer holds an error record.
func Call(handle uint64, op string, args []byte, token uint64) (answer Buffer, ok bool) {
	status := C.barograph_call(C.uint64_t(handle), text(op), C.size_t(len(op)), bytes(args), C.size_t(len(args)),
		C.uint64_t(token), &answer.raw)
	return answer, status == C.BAROGRAPH_OK
}

// Columns is Call for an answer as one Arrow IPC stream.
func Columns(handle uint64, op string, args []byte, token uint64) (answer Buffer, ok bool) {
	status := C.barograph_columns(C.uint64_t(handle), text(op), C.size_t(len(op)), bytes(args), C.size_t(len(args)),
		C.uint64_t(token), &answer.raw)
	return answer, status == C.BAROGRAPH_OK
}

// Token is a fresh cancel token; give it back with Release.
func Token() uint64 { return uint64(C.barograph_token()) }

// Cancel cancels every call that was given this token; after Release it does nothing.
func Cancel(token uint64) { C.barograph_cancel(C.uint64_t(token)) }

// Release forgets a cancel token.
func Release(token uint64) { C.barograph_release(C.uint64_t(token)) }

// Close closes a handle; closing twice does nothing.
func Close(handle uint64) { C.barograph_close(C.uint64_t(handle)) }

func text(s string) *C.uint8_t { return (*C.uint8_t)(unsafe.StringData(s)) }

func bytes(b []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.SliceData(b)) }
