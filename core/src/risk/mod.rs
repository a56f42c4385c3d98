//! How risky a change is, and why.

pub mod record;
