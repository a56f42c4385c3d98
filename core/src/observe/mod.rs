//! Events: the durable trace (rows of the store by `seq`) and transient reports of progress.

pub mod bus;
pub mod event;
