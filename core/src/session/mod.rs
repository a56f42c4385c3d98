//! Durable runs of checkpointed steps.

pub mod record;
