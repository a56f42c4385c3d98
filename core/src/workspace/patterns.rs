//! `code.patterns` and `code.rules`: what rules find in files, and the rules themselves.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::code::{Files, analyse_files, named};
use super::{Code, Shared};
use crate::base::cancel::CancelToken;
use crate::base::runtime::compute;
use crate::code::language::Language;
use crate::code::patterns::record::*;
use crate::code::patterns::{Patterns, Rules, Wanted, answer, describe};
use crate::error::Result;
use crate::evidence::record::Finding;
use crate::git::szz::{FileLines, origins};

impl Code {
    /// Places in code that deserve a second look, found by rules: each with why it matters and
    /// what to do.
    ///
    /// Errors: `path.missing`, `language.unknown`, `rule.unknown`, `rule.invalid` and
    /// `rule.too_slow` for a rule of `rule_folders`, `git.bare`, with `ages` those of reading the
    /// repository, `call.cancelled`.
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
            let mut answer = answer(found, &rules, &wanted);
            if args.ages && files.text.is_none() {
                ask_history(&shared, &mut answer.findings, cancel)?;
            }
            Ok(answer)
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

/// Says of each `todo` finding who last changed its line, and how many days ago; nothing where there
/// is no history.
fn ask_history(shared: &Shared, findings: &mut [Finding], cancel: &CancelToken) -> Result<()> {
    let asked = |one: &Finding| one.rule == "todo" && !Path::new(&one.path).is_absolute();
    if !findings.iter().any(asked) {
        return Ok(());
    }
    let Ok(repo) = shared.repository() else { return Ok(()) };
    let Ok(head) = repo.head() else { return Ok(()) };
    let now_s = shared.clock.now_ms().div_euclid(1000);
    // In a file that differs from HEAD a line may have another number there.
    let changed: BTreeSet<String> = repo
        .worktree_change(None, None, now_s, cancel)?
        .files
        .into_iter()
        .map(|file| file.path.to_string())
        .collect();
    let mut files: Vec<FileLines> = Vec::new();
    let mut places: Vec<Vec<usize>> = Vec::new();
    for (at, one) in findings.iter().enumerate().filter(|(_, one)| asked(one) && !changed.contains(&one.path))
    {
        // Findings are sorted by path.
        if files.last().is_none_or(|file| file.path != one.path.as_bytes()) {
            files.push(FileLines { path: one.path.clone().into_bytes(), lines: Vec::new() });
            places.push(Vec::new());
        }
        if let (Some(file), Some(places)) = (files.last_mut(), places.last_mut()) {
            file.lines.push(u32::try_from(one.line).unwrap_or(u32::MAX));
            places.push(at);
        }
    }
    let origins = origins(repo, head, &files, &shared.bus, cancel)?;
    for (at, origin) in places.into_iter().flatten().zip(origins.into_iter().flatten()) {
        if let (Some(one), Some(origin)) = (findings.get_mut(at), origin) {
            one.age_days = u64::try_from((now_s - origin.time).div_euclid(86_400)).ok();
            one.author = Some(origin.author);
        }
    }
    Ok(())
}

/// Folders of rules; relative ones start at the workspace's folder.
fn folders(from: &Path, given: &[String]) -> Vec<PathBuf> {
    given.iter().map(|folder| from.join(folder)).collect()
}
