//! The only place that knows SQL.

use std::path::{Path, PathBuf};

use crate::base::clock::Clock;
use crate::error::Result;
use crate::observe::bus::Bus;

/// The store of a workspace.
#[derive(Debug)]
pub struct Store {
    path: Option<PathBuf>,
}

impl Store {
    /// x
    pub fn open(path: &Path, _clock: Clock, _bus: Bus) -> Result<Store> {
        Ok(Store { path: Some(path.to_owned()) })
    }
    /// x
    pub fn in_memory(_clock: Clock, _bus: Bus) -> Result<Store> {
        Ok(Store { path: None })
    }
    /// x
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}
