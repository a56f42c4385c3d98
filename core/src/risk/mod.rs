//! How risky a change is, and why.

pub mod change;
pub mod record;
