//! Durable runs of checkpointed steps.

mod canonical;
pub(crate) mod handle;
mod plan;
pub mod record;
