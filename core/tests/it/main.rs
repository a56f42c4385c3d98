//! Public behaviour of the crate: one binary, one module per topic.

mod cases;
mod layers;
