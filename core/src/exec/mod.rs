//! Work: the durable queue and the workers that take from it.

pub mod record;
