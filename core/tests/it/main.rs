//! Public behaviour of the crate: one binary, one module per topic.

mod cases;
mod events;
mod layers;
mod queue;
mod session;
mod store;
mod support;
