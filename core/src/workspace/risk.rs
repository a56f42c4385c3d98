//! `risk.*`: how risky a change is, and why.

use super::Workspace;
use crate::error::{Error, Result};
use crate::risk::record::*;

/// How risky a change is, and why.
#[derive(Clone, Debug)]
pub struct Risk(pub(crate) Workspace);

impl Risk {
    /// x
    pub async fn change(&self, args: impl Into<ChangeArgs>) -> Result<ChangeRisk> {
        let _ = args.into();
        Err(Error::new("bug.panic", "not landed"))
    }
}
