//! Public behaviour of the crate, in one binary: one module per topic.

mod events;
mod queue;
mod session;
mod store;
mod support;
