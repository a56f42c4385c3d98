//! `predict.*`: models and what they say of themselves.

use super::Workspace;
use crate::error::{Error, Result};
use crate::predict::record::*;

/// Models and what they say of themselves.
#[derive(Clone, Debug)]
pub struct Predict(pub(crate) Workspace);

impl Predict {
    /// x
    pub async fn model(&self, _args: ModelArgs) -> Result<ModelCard> {
        Err(Error::new("bug.panic", "not landed"))
    }
}
