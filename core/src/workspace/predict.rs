//! `predict.*`: models and what they say of themselves.

use super::Workspace;
use crate::base::runtime::compute;
use crate::error::Result;
use crate::predict::model::Model;
use crate::predict::record::*;

/// Models and what they say of themselves.
#[derive(Clone, Debug)]
pub struct Predict(pub(crate) Workspace);

impl Predict {
    /// The card of a model: its weights, what it was trained on, how well it ranks and how honest its
    /// probabilities are on rows that it did not see, and what it must not be used for.
    ///
    /// Errors: `model.missing` for a name other than `prior` and `size-only`.
    ///
    /// ```
    /// # barograph::blocking::wait(async {
    /// use barograph::{OpenArgs, Workspace};
    /// let ws = Workspace::open(OpenArgs { in_memory: true, ..OpenArgs::default() }).await?;
    /// let card = ws.predict().model(Default::default()).await?;
    /// assert_eq!(card.coefficients.len(), 14);
    /// assert!(card.base_rate > 0.0 && card.base_rate < 1.0);
    /// # Ok::<(), barograph::Error>(()) }).unwrap();
    /// ```
    pub async fn model(&self, args: ModelArgs) -> Result<ModelCard> {
        self.0.alive()?;
        compute(move |_| Ok(Model::named(&args.name)?.card().clone())).await
    }
}
