//! The one error type: what failed, what to do next, and whether trying again can help.
//!
//! One type and few kinds, so that a host can branch on `kind`, a person can read `message`, and a
//! machine can decide on `retryable`, the same in every language.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The result of every fallible operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal, $exit:literal;)*) => {
        /// The class of an error: what a program branches on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Kind { $($(#[doc = $doc])* $variant,)* }

        impl Kind {
            /// Every kind, in the order of the table in the documentation.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)*];

            /// The kind's name as it stands in every serialised error, for example `invalid_input`.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name,)* }
            }

            /// The exit status of the `barograph` command for this kind.
            pub fn exit_code(self) -> u8 {
                match self { $(Kind::$variant => $exit,)* }
            }

            /// One sentence that says when this kind is used.
            pub fn describe(self) -> &'static str {
                match self { $(Kind::$variant => const { concat!($($doc),*).trim_ascii() },)* }
            }
        }
    };
}

kinds! {
    /// The caller passed something that cannot be used; the message names it.
    InvalidInput = "invalid_input", 2;
    /// The thing named does not exist.
    NotFound = "not_found", 3;
    /// The thing to be made exists already.
    AlreadyExists = "already_exists", 4;
    /// Another owner or another history stands in the way.
    Conflict = "conflict", 5;
    /// A limit of time ran out.
    Timeout = "timeout", 6;
    /// The caller cancelled the call.
    Cancelled = "cancelled", 130;
    /// A limit of size, count or attempts was reached.
    Exhausted = "exhausted", 7;
    /// A task or step of the caller's own failed.
    Failed = "failed", 8;
    /// Stored data is damaged or is not what it claims to be.
    Corrupt = "corrupt", 9;
    /// Something outside is out of reach for now.
    Unavailable = "unavailable", 10;
    /// This build, platform or process cannot do it.
    Unsupported = "unsupported", 11;
    /// The handle was closed before.
    Closed = "closed", 12;
    /// A defect of this library.
    Internal = "internal", 70;
}

/// The one table of error codes: code, kind, whether a retry can help, and when it is raised.
pub const CODES: &[(&str, Kind, bool, &str)] = &[
    ("args.invalid", Kind::InvalidInput, false, "an argument has a value that cannot be used"),
    ("args.type", Kind::InvalidInput, false, "an argument has the wrong type"),
    ("args.unknown_option", Kind::InvalidInput, false, "an option of this name does not exist"),
    ("bug.panic", Kind::Internal, false, "the library panicked; the call had no effect on other handles"),
    ("bug.store", Kind::Internal, false, "the library asked its store for something impossible"),
    ("call.cancelled", Kind::Cancelled, false, "the caller cancelled the call"),
    ("call.unknown", Kind::InvalidInput, false, "no operation of this name exists for this handle"),
    ("checkpoint.missing", Kind::NotFound, false, "the session has no checkpoint of this id"),
    ("code.too_slow", Kind::Exhausted, false, "a text took too long to parse or to search"),
    ("git.bare", Kind::NotFound, false, "the repository is bare and has no files on disk"),
    ("git.fetch", Kind::Unavailable, true, "missing history could not be fetched"),
    ("git.no_commits", Kind::NotFound, false, "the repository or branch has no commit yet"),
    ("git.not_a_repository", Kind::NotFound, false, "no git repository at or above this path"),
    ("git.object_missing", Kind::Unavailable, false, "an object that is needed is not in this clone"),
    ("git.pack_format", Kind::Corrupt, false, "a history pack is damaged or is none"),
    ("git.pack_version", Kind::Unsupported, false, "a history pack was written by a newer release"),
    ("git.read", Kind::Corrupt, false, "the repository could not be read"),
    ("git.revision", Kind::NotFound, false, "a revision does not name a commit"),
    ("handle.closed", Kind::Closed, false, "the handle was closed"),
    ("language.not_built_in", Kind::Unsupported, false, "the build has no grammar of this language"),
    ("language.unknown", Kind::InvalidInput, false, "no language of this name is known"),
    ("model.format", Kind::Corrupt, false, "a model file is damaged or is none"),
    ("model.missing", Kind::NotFound, false, "no model of this name exists"),
    ("path.exists", Kind::AlreadyExists, false, "there is a file already where one is to be written"),
    ("path.missing", Kind::NotFound, false, "a path was named at which there is nothing"),
    ("process.forked", Kind::Unsupported, false, "the handle was made before this process was forked"),
    ("queue.not_claimed", Kind::Conflict, false, "the task is not claimed by this worker (any more)"),
    (
        "rule.invalid",
        Kind::InvalidInput,
        false,
        "a rule of patterns cannot be used; the message names file and line",
    ),
    ("rule.too_slow", Kind::Exhausted, false, "a rule of patterns explodes on a file and was stopped"),
    ("rule.unknown", Kind::InvalidInput, false, "no rule of patterns has this name"),
    ("schedule.cron", Kind::InvalidInput, false, "the times of a schedule cannot be read"),
    ("schedule.exists", Kind::AlreadyExists, false, "a schedule of this name exists already"),
    ("schedule.missing", Kind::NotFound, false, "no schedule of this name exists"),
    ("session.cancelled", Kind::Cancelled, false, "the session was cancelled and takes no more steps"),
    ("session.deadline", Kind::Timeout, false, "the session's deadline is over"),
    ("session.diverged", Kind::Conflict, false, "the step differs from the one recorded at this place"),
    ("session.exists", Kind::AlreadyExists, false, "a session of this id exists already"),
    ("session.failed_state", Kind::Conflict, false, "a step has failed; no checkpoint is made of that"),
    ("session.finished", Kind::Conflict, false, "the session has ended and takes no more steps"),
    ("session.lease_lost", Kind::Conflict, false, "another owner has taken the session over"),
    ("session.missing", Kind::NotFound, false, "no session of this id exists"),
    (
        "session.once_behind",
        Kind::Conflict,
        false,
        "going back would let a step of policy `once` happen again",
    ),
    ("session.open", Kind::Conflict, false, "the session has not ended yet"),
    ("session.owned", Kind::Conflict, true, "another live process owns the session"),
    ("session.paused", Kind::Conflict, true, "the session is paused and begins nothing new"),
    ("session.token", Kind::InvalidInput, false, "the step token is not one of this session's open steps"),
    (
        "session.unknown",
        Kind::Conflict,
        false,
        "a step of policy `once` was cut short; its effect may have happened",
    ),
    (
        "session.waiting",
        Kind::Timeout,
        true,
        "the session waits for a signal or a time that is not there yet",
    ),
    ("store.busy", Kind::Timeout, true, "another process held the store for too long"),
    ("store.damaged", Kind::Corrupt, false, "the store's file is damaged"),
    ("store.full", Kind::Exhausted, true, "the disk is full"),
    ("store.network", Kind::Unsupported, false, "the store would lie on a network file system"),
    ("store.newer", Kind::Unsupported, false, "the store was written by a newer release"),
    ("store.not_a_store", Kind::Corrupt, false, "the file is not a store of this library"),
    ("store.checksum", Kind::Corrupt, false, "stored data does not match its checksum"),
    ("store.read_only", Kind::Unavailable, false, "the store cannot be written"),
    (
        "store.unknown",
        Kind::Unavailable,
        false,
        "the connection was lost in a commit, and what came of it cannot be found out",
    ),
    ("store.unsupported", Kind::Unsupported, false, "this kind of store cannot do it"),
    ("store.unreachable", Kind::Unavailable, true, "the store could not be opened, read or written"),
    ("task.exit_status", Kind::Failed, false, "a command ended with a status other than 0, or by a signal"),
    ("task.not_found", Kind::NotFound, false, "no program of this name exists, or its interpreter does not"),
    ("task.not_started", Kind::Failed, false, "the system refused to start a command"),
    ("task.raised", Kind::Failed, false, "a step or task of the host failed"),
    ("task.timeout", Kind::Timeout, false, "a command took longer than it may and was ended"),
    (
        "value.not_i_json",
        Kind::InvalidInput,
        false,
        "a value is outside I-JSON (NaN, infinity, integer beyond 2^53)",
    ),
];

/// What an error says, as it crosses every border.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ErrorRecord {
    /// The class of the error.
    kind: Kind,
    /// The dotted code, for example `session.missing`.
    code: String,
    /// What failed, then what to do.
    message: String,
    /// The operation that failed as `noun.verb`; empty outside an operation.
    #[serde(default)]
    op: String,
    /// Whether the same call may succeed later without a change by the caller.
    #[serde(default)]
    retryable: bool,
    /// Names and values that place the error: paths, ids, limits.
    #[serde(default)]
    context: BTreeMap<String, String>,
    /// The chain of causes, nearest first.
    #[serde(default)]
    causes: Vec<String>,
}

/// What failed, why, and what to do next.
///
/// ```
/// let error = barograph::Error::new("session.missing", "session `deploy-7` does not exist; list them with session.list");
/// assert_eq!(error.kind(), barograph::Kind::NotFound);
/// assert!(!error.retryable());
/// ```
// Behind a pointer, so that a result without an error costs one word more and not twenty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Error(Box<ErrorRecord>);

impl Error {
    /// An error with a code of [`CODES`]; an unknown code counts as `internal`.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        let (kind, retryable) =
            CODES.iter().find(|row| row.0 == code).map_or((Kind::Internal, false), |row| (row.1, row.2));
        Error(Box::new(ErrorRecord {
            kind,
            code: code.to_owned(),
            message: message.into(),
            op: String::new(),
            retryable,
            context: BTreeMap::new(),
            causes: Vec::new(),
        }))
    }

    /// Adds a name and a value that place the error.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.0.context.insert(name.to_owned(), value.to_string());
        self
    }

    /// Adds `cause` and everything that it names as its source.
    #[must_use]
    pub fn because(mut self, cause: &(dyn std::error::Error + 'static)) -> Self {
        let mut next = Some(cause);
        while let Some(cause) = next {
            self.0.causes.push(cause.to_string());
            next = cause.source();
        }
        self
    }

    /// Names the operation, unless an inner one has done so.
    #[must_use]
    pub fn in_op(mut self, op: &str) -> Self {
        if self.0.op.is_empty() {
            op.clone_into(&mut self.0.op);
        }
        self
    }

    /// The class of the error.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The dotted code, for example `session.missing`.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// What failed, then what to do.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The operation that failed as `noun.verb`; empty outside an operation.
    pub fn op(&self) -> &str {
        &self.0.op
    }

    /// Whether the same call may succeed later without a change by the caller.
    pub fn retryable(&self) -> bool {
        self.0.retryable
    }

    /// Names and values that place the error.
    pub fn context(&self) -> &BTreeMap<String, String> {
        &self.0.context
    }

    /// The chain of causes, nearest first.
    pub fn causes(&self) -> &[String] {
        &self.0.causes
    }

    /// The error that stands for a cancelled call.
    pub fn cancelled() -> Self {
        Error::new("call.cancelled", "the call was cancelled by its caller")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_by_noun_and_unique() {
        let mut seen = std::collections::BTreeSet::new();
        for (code, ..) in CODES {
            assert!(seen.insert(code), "{code} stands twice");
            assert!(code.contains('.'), "{code} is not dotted");
        }
    }

    #[test]
    fn causes_come_nearest_first() {
        let io = std::io::Error::other("disk on fire");
        let error = Error::new("store.unreachable", "cannot open").because(&io).with("path", "/x");
        assert_eq!(error.causes(), ["disk on fire"]);
        assert_eq!(error.context()["path"], "/x");
        assert!(error.retryable());
    }
}
