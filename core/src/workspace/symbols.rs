//! `code.symbols` and `code.clones`: the names in files, and the blocks that occur twice.

use std::sync::Arc;

use super::Code;
use super::code::{Files, analyse_files};
use crate::base::runtime::compute;
use crate::code::clones::record::*;
use crate::code::clones::{self, Settings, Tokenise};
use crate::code::symbols::record::*;
use crate::code::symbols::{self, Symbols};
use crate::error::Result;

impl Code {
    /// What files define, use and import: each symbol with its place, scope and visibility.
    ///
    /// Errors: `path.missing`, `language.unknown`, `git.bare`, `call.cancelled`.
    ///
    /// ```
    /// # barograph::blocking::wait(async {
    /// use barograph::{CodeSymbolsArgs, OpenArgs, SymbolRole, Workspace};
    /// let ws = Workspace::open(OpenArgs { in_memory: true, ..OpenArgs::default() }).await?;
    /// let found = ws.code().symbols(CodeSymbolsArgs {
    ///     paths: vec!["a.py".to_owned()],
    ///     text: Some("from .shapes import Box as B\nbox = B()\n".to_owned()),
    ///     roles: vec![SymbolRole::Import],
    ///     ..CodeSymbolsArgs::default()
    /// }).await?;
    /// let import = &found.files[0].symbols[0];
    /// assert_eq!((&*import.origin, &*import.name, &*import.alias), (".shapes", "Box", "B"));
    /// # Ok::<(), barograph::Error>(()) }).unwrap();
    /// ```
    pub async fn symbols(&self, args: impl Into<CodeSymbolsArgs>) -> Result<CodeSymbols> {
        self.0.alive()?;
        let (args, shared) = (args.into(), Arc::clone(self.0.shared()));
        compute(move |cancel| {
            let files = Files {
                paths: args.paths,
                text: args.text,
                languages: args.languages,
                include_generated: args.include_generated,
            };
            let read = analyse_files(&shared, &files, &Symbols, cancel)?;
            Ok(symbols::answer(read, &args.roles, &args.kinds))
        })
        .await
    }

    /// Blocks of code that occur more than once: equal but for layout and comments, if asked for also
    /// but for names and literals.
    ///
    /// Errors: `args.invalid` for a `min_tokens` below 20, `path.missing`, `language.unknown`, `git.bare`,
    /// `call.cancelled`.
    ///
    /// ```
    /// # barograph::blocking::wait(async {
    /// use barograph::{CodeClonesArgs, OpenArgs, Workspace};
    /// let ws = Workspace::open(OpenArgs { in_memory: true, ..OpenArgs::default() }).await?;
    /// # let folder = std::env::temp_dir().join(format!("barograph-clones-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// let text = "total = add(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)\n";
    /// for name in ["one.py", "two.py"] {
    ///     std::fs::write(folder.join(name), text)?;
    /// }
    /// let paths = vec![folder.display().to_string()];
    /// let found = ws.code().clones(CodeClonesArgs { paths, min_tokens: 20, ..CodeClonesArgs::default() }).await?;
    /// assert_eq!(found.groups[0].places.len(), 2);
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub async fn clones(&self, args: impl Into<CodeClonesArgs>) -> Result<CodeClones> {
        self.0.alive()?;
        let (args, shared) = (args.into(), Arc::clone(self.0.shared()));
        compute(move |cancel| {
            let settings = Settings {
                min_tokens: usize::try_from(args.min_tokens).unwrap_or(usize::MAX),
                ignore_names: args.ignore_names,
                ignore_literals: args.ignore_literals,
            };
            settings.check()?;
            let files = Files {
                paths: args.paths,
                text: None,
                languages: args.languages,
                include_generated: args.include_generated,
            };
            let read = analyse_files(&shared, &files, &Tokenise, cancel)?;
            clones::answer(read, settings, cancel)
        })
        .await
    }
}
