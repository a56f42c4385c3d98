//! `code.patterns` and `code.rules`: what rules find in files, and the rules themselves.

use std::path::PathBuf;
use std::sync::Arc;

use super::Code;
use super::code::{Files, analyse_files, named};
use crate::base::runtime::compute;
use crate::code::language::Language;
use crate::code::patterns::record::*;
use crate::code::patterns::{Patterns, Rules, Wanted, answer, describe};
use crate::error::Result;

impl Code {
    /// Places in code that deserve a second look, found by rules: each with why it matters and
    /// what to do.
    ///
    /// Errors: `path.missing`, `language.unknown`, `rule.unknown`, `rule.invalid` and
    /// `rule.too_slow` for a rule of `rule_folders`, `git.bare`, `call.cancelled`.
    ///
    /// ```
    /// # barograph::blocking::wait(async {
    /// use barograph::{CodePatternsArgs, OpenArgs, Workspace};
    /// let ws = Workspace::open(OpenArgs { in_memory: true, ..OpenArgs::default() }).await?;
    /// let found = ws.code().patterns(CodePatternsArgs {
    ///     paths: vec!["a.py".to_owned()],
    ///     text: Some("def f(seen=[]):\n    return seen\n".to_owned()),
    ///     ..CodePatternsArgs::default()
    /// }).await?;
    /// assert_eq!(found.findings[0].rule, "mutable-default");
    /// # Ok::<(), barograph::Error>(()) }).unwrap();
    /// ```
    pub async fn patterns(&self, args: impl Into<CodePatternsArgs>) -> Result<CodePatterns> {
        self.0.alive()?;
        let (args, shared) = (args.into(), Arc::clone(self.0.shared()));
        compute(move |cancel| {
            let rules = Rules::with_folders(&folders(&shared.path, &args.rule_folders))?;
            let wanted = Wanted::of(&args, &rules)?;
            let files = Files {
                paths: args.paths,
                text: args.text,
                languages: args.languages,
                include_generated: args.include_generated,
            };
            let found = analyse_files(&shared, &files, &Patterns { rules: Arc::clone(&rules) }, cancel)?;
            Ok(answer(found, &rules, &wanted))
        })
        .await
    }

    /// The rules that [`patterns`](Self::patterns) searches by.
    ///
    /// Errors: `language.unknown`, `rule.invalid`.
    pub async fn rules(&self, args: impl Into<CodeRulesArgs>) -> Result<CodeRules> {
        self.0.alive()?;
        let (args, shared) = (args.into(), Arc::clone(self.0.shared()));
        compute(move |_| {
            let rules = Rules::with_folders(&folders(&shared.path, &args.rule_folders))?;
            let languages =
                args.languages.iter().map(|name| named(name)).collect::<Result<Vec<Language>>>()?;
            Ok(describe(&rules, &languages))
        })
        .await
    }
}

/// Folders of rules; relative ones start at the workspace's folder.
fn folders(from: &std::path::Path, given: &[String]) -> Vec<PathBuf> {
    given.iter().map(|folder| from.join(folder)).collect()
}
