//! The Node door: calls, cancel tokens, columns. It knows no operation and does not change with them.
//!
//! Work runs on core's own runtime. What settles is sent to the JavaScript thread through one
//! threadsafe function, which holds the process alive only while a call is pending that asked for it.
//! The classes, names and types that a user sees are TypeScript around this.

#![allow(missing_docs, reason = "seen by node/src/native.ts only, which describes each function")]

// In a test build napi registers nothing, so nothing calls it.
#[cfg_attr(test, allow(dead_code, reason = "called by Node alone"))]
mod command;
mod door;
