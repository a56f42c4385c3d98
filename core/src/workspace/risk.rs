//! `risk.*`: how risky a change is, and why.

use super::Workspace;
use crate::base::runtime::compute;
use crate::error::{Error, Result};
use crate::git::record::DeepenArgs;
use crate::risk::change::{Question, assess};
use crate::risk::record::{ChangeArgs, ChangeRisk};

/// How risky a change is, and why.
#[derive(Clone, Debug)]
pub struct Risk(pub(crate) Workspace);

impl Risk {
    /// The calibrated, explained probability that a change is defective.
    ///
    /// A range is scored as ONE change: the diff from the merge base to the tip, with the history
    /// that is reachable from the merge base, and the author and time of the tip.
    ///
    /// Errors: `git.*` where the repository or the range cannot be read, `args.invalid` for a base
    /// rate outside (0, 1) or for a range together with `worktree`.
    ///
    /// ```no_run
    /// # barograph::blocking::wait(async {
    /// let ws = barograph::Workspace::open(".").await?;
    /// let risk = ws.risk().change("HEAD~1..HEAD").await?;
    /// println!("riskier than {:.0} % of your changes: {}", risk.score, risk.reasons[0].sentence);
    /// # Ok::<(), barograph::Error>(()) }).unwrap();
    /// ```
    pub async fn change(&self, args: impl Into<ChangeArgs>) -> Result<ChangeRisk> {
        let args = args.into();
        self.0.alive()?;
        if args.base_rate.is_some_and(|rate| !(rate > 0.0 && rate < 1.0)) {
            return Err(Error::new(
                "args.invalid",
                "`base_rate` must lie strictly between 0 and 1, for example 0.12",
            ));
        }
        if args.worktree && args.range.is_some() {
            return Err(Error::new("args.invalid", "pass either a range or `worktree`, not both"));
        }
        if args.deepen {
            self.0.git().deepen(DeepenArgs::default()).await?;
        }
        let shared = self.0.shared().clone();
        compute(move |cancel| {
            let repository = shared.repository()?;
            let (message, author) = (args.message.as_deref(), args.author.as_deref());
            let (change, history) = if args.worktree {
                let history = super::git::history(&shared, repository.head()?, cancel)?;
                let now_s = shared.clock.now_ms().div_euclid(1000);
                (repository.worktree_change(message, author, now_s, cancel)?, history)
            } else {
                let range = args.range.as_deref().unwrap_or("HEAD");
                let history = super::git::history(&shared, repository.resolve(tip_of(range))?, cancel)?;
                (repository.change(Some(&history), range, message, author, cancel)?, history)
            };
            assess(&Question { change: &change, history: &history, base_rate: args.base_rate }, cancel)
        })
        .await
    }
}

/// The revision at which a range ends; `HEAD` where it is left out, as in `main..`.
fn tip_of(range: &str) -> &str {
    let tip = range.split_once("..").map_or(range, |(_, tip)| tip.trim_start_matches('.'));
    if tip.is_empty() { "HEAD" } else { tip }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tip_is_what_stands_behind_the_dots() {
        let tips = ["HEAD~1", "a..b", "a...b", "a..", "..", "v1.0..v1.1"].map(tip_of);
        assert_eq!(tips, ["HEAD~1", "b", "b", "HEAD", "HEAD", "v1.1"]);
    }
}
