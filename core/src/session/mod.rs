//! Durable runs of checkpointed steps.

mod canonical;
pub(crate) mod checkpoint;
mod command;
mod diverged;
pub(crate) mod handle;
pub(crate) mod life;
mod plan;
pub mod record;
pub(crate) mod schedule;
mod wait;
