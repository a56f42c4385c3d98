//! The ground floor: clock, ids, cancellation, the runtime, and the two ports to the outside.
//!
//! No other module reads the wall clock or asks for randomness.

pub mod cancel;
pub mod clock;
pub mod id;
pub mod port;
pub mod runtime;
pub mod shared;
pub mod value;
