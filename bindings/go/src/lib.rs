//! The door as a C ABI: what the Go module links, and what any language with a C FFI can use.
//!
//! The header is `go/internal/ffi/barograph.h`; both change together, and [`barograph_abi_version`]
//! changes with them, so that a stale library is refused when a program starts. Every function
//! may be called from any thread. No function panics across, and none calls back.

#![allow(clippy::result_large_err, reason = "errors here are rare, and written as JSON at once")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use barograph::surface::door;
use barograph::{Error, Result};

/// Grows with every change of a signature or of a meaning below.
const ABI_VERSION: u32 = 1;

/// The call answered; the buffer holds its result.
const OK: i32 = 0;
/// The call failed; the buffer holds an error record as JSON.
const FAILED: i32 = 1;

/// Bytes that this library owns: give them back with [`barograph_free`].
#[repr(C)]
#[derive(Debug)]
pub struct BarographBuffer {
    /// First byte; not to be read where `len` is 0.
    ptr: *mut u8,
    /// How many bytes are in use.
    len: usize,
    /// How many bytes were reserved; only for [`barograph_free`].
    cap: usize,
}

impl From<Vec<u8>> for BarographBuffer {
    fn from(bytes: Vec<u8>) -> Self {
        let mut bytes = std::mem::ManuallyDrop::new(bytes);
        BarographBuffer { ptr: bytes.as_mut_ptr(), len: bytes.len(), cap: bytes.capacity() }
    }
}

/// The version of this ABI; a caller that was built for another must not call anything else.
#[unsafe(no_mangle)]
pub extern "C" fn barograph_abi_version() -> u32 {
    ABI_VERSION
}

/// Calls an operation and waits: 0 and the answer as JSON, or 1 and an error record as JSON.
///
/// # Safety
///
/// `op` and `args` must be readable for their lengths (or the length 0), `out` must be writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn barograph_call(
    handle: u64,
    op: *const u8,
    op_len: usize,
    args: *const u8,
    args_len: usize,
    token: u64,
    out: *mut BarographBuffer,
) -> i32 {
    // SAFETY: the caller vouches for both pairs, as said above.
    let (op, args) = unsafe { (bytes(op, op_len), bytes(args, args_len)) };
    let answer = guarded(|| door::call(handle, name(op)?, args, token));
    // SAFETY: the caller vouches for `out`.
    unsafe { answer_into(out, answer) }
}

/// Like [`barograph_call`], but the answer is rows as one Arrow IPC stream.
///
/// # Safety
///
/// As for [`barograph_call`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn barograph_columns(
    handle: u64,
    op: *const u8,
    op_len: usize,
    args: *const u8,
    args_len: usize,
    token: u64,
    out: *mut BarographBuffer,
) -> i32 {
    // SAFETY: the caller vouches for both pairs, as said above.
    let (op, args) = unsafe { (bytes(op, op_len), bytes(args, args_len)) };
    let answer = guarded(|| door::Answer::Columns(door::columns(handle, name(op)?, args, token)?).into_ipc());
    // SAFETY: the caller vouches for `out`.
    unsafe { answer_into(out, answer) }
}

/// A fresh cancel token, to be given to calls; give it back with [`barograph_release`]. 0 is no
/// token.
#[unsafe(no_mangle)]
pub extern "C" fn barograph_token() -> u64 {
    catch_unwind(door::token).unwrap_or(door::NO_TOKEN)
}

/// Cancels every call that was given this token; unknown tokens are ignored.
#[unsafe(no_mangle)]
pub extern "C" fn barograph_cancel(token: u64) {
    let _ = catch_unwind(|| door::cancel(token));
}

/// Forgets a cancel token.
#[unsafe(no_mangle)]
pub extern "C" fn barograph_release(token: u64) {
    let _ = catch_unwind(|| door::release(token));
}

/// Closes a handle; closing twice does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn barograph_close(handle: u64) {
    let _ = catch_unwind(|| door::close(handle));
}

/// Frees a buffer that a call filled; exactly once.
///
/// # Safety
///
/// `buffer` must be as a call left it, and must not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn barograph_free(buffer: BarographBuffer) {
    if buffer.ptr.is_null() {
        return;
    }
    // SAFETY: pointer, length and capacity are those of a `Vec<u8>` taken apart above.
    drop(unsafe { Vec::from_raw_parts(buffer.ptr, buffer.len, buffer.cap) });
}

/// The bytes behind a pointer and a length; a null pointer is no bytes.
///
/// # Safety
///
/// `ptr` is null or readable for `len` bytes during the call.
unsafe fn bytes<'a>(ptr: *const u8, len: usize) -> &'a [u8] {
    if ptr.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: as said above.
    unsafe { std::slice::from_raw_parts(ptr, len) }
}

fn name(op: &[u8]) -> Result<&str> {
    std::str::from_utf8(op)
        .map_err(|error| Error::new("call.unknown", "the operation's name is not UTF-8").because(&error))
}

fn guarded(work: impl FnOnce() -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Error::new("bug.panic", "a defect of the library; please report it with what you called"))
    })
}

/// # Safety
///
/// `out` is writable.
unsafe fn answer_into(out: *mut BarographBuffer, answer: Result<Vec<u8>>) -> i32 {
    let (status, bytes) = match answer {
        Ok(bytes) => (OK, bytes),
        Err(error) => (FAILED, serde_json::to_vec(&error).unwrap_or_default()),
    };
    // SAFETY: as said above; what stands there is not read, so it need not be a buffer yet.
    unsafe { out.write(bytes.into()) };
    status
}
