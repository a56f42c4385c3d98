//! From the measures of a change to a calibrated, explained probability.

pub mod record;
