//! Work: the durable queue and the workers that take from it.

pub(crate) mod queue;
pub mod record;
pub(crate) mod worker;
