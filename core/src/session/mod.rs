//! Durable runs of checkpointed steps.

mod canonical;
mod command;
pub(crate) mod handle;
mod plan;
pub mod record;
