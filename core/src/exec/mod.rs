//! Work: the durable queue, the workers that take from it, and the only place that starts processes.

pub(crate) mod process;
pub(crate) mod queue;
pub mod record;
pub(crate) mod worker;
