//! Work: the durable queue and the workers that take from it.

pub(crate) mod process;
pub mod record;
