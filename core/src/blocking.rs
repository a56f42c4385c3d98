//! The same operations for programs without an executor: each waits on the calling thread.

/// Waits for any of this crate's futures on the calling thread.
///
/// Must not be called from inside an async task: a thread of an executor must never block.
pub fn wait<T>(future: impl std::future::Future<Output = T>) -> T {
    crate::base::runtime::block_on(future)
}
