#![doc = include_str!("../README.md")]

mod base;
pub mod blocking;
mod code;
mod error;
mod evidence;
mod exec;
mod git;
mod observe;
mod predict;
mod risk;
mod session;
mod store;
pub mod surface;
mod workspace;

pub use base::cancel::CancelToken;
pub use base::shared::Shared;
pub use base::value::{Bytes, Failure, Payload};
#[cfg(feature = "learn")]
#[doc(hidden)]
pub mod learn {
    //! What the training command needs; no part of the public interface.
    pub use crate::predict::FEATURES;
    pub use crate::predict::evaluate::{brier, ece, roc_auc};
    pub use crate::predict::learn::{Fitted, Sample, fit, refit};
    pub use crate::predict::model::{FORMAT, Model, ModelFile, Score, Standing, logistic, shift_to};
    pub use crate::predict::position::{Moments, WIDTH, position, signed_log1p};
}

#[doc(hidden)]
pub mod reading {
    //! What the benchmarks of reading code need; no part of the public interface.
    pub use crate::code::language::Language;
    pub use crate::code::metrics::{content_hash, functions, measure};
    pub use crate::code::parse::{Parsed, Reader};

    /// The language of a path by its ending.
    pub fn of_path(path: &std::path::Path) -> Option<Language> {
        Language::of_extension(path.extension()?.to_str()?)
    }
}

pub use code::clones::record::{CloneGroup, ClonePlace, CodeClones, CodeClonesArgs};
pub use code::patterns::record::{
    CodePatterns, CodePatternsArgs, CodeRules, CodeRulesArgs, FileRuleCount, RuleCount, RuleDescription,
};
pub use code::record::{
    ClassMetrics, CodeMetrics, CodeMetricsArgs, FileMetrics, FunctionMetrics, Halstead, LanguageRow,
    LanguageTable, Lines, MetricRows, SkipReason, SkippedFile,
};
pub use code::symbols::record::{CodeSymbols, CodeSymbolsArgs, FileSymbols, Symbol, SymbolKind, SymbolRole};
pub use error::{CODES, Error, Kind, Result};
pub use evidence::record::{Finding, Severity};
pub use exec::record::{
    ClaimedTask, EnqueueArgs, Enqueued, NewTask, QueueShowArgs, QueueSummary, TaskBatch, TaskFailure,
    TaskReport, TaskResult, WorkerCompleteArgs, WorkerFailArgs, WorkerNextArgs, WorkerOpenArgs,
};
pub use git::record::{
    ChangeTrend, ComplexityBasis, CountedHistory, CoupledFiles, CouplingArgs, DeepenArgs, Deepened,
    FeatureRow, FeatureTable, FeaturesArgs, FileCoupling, FileHistories, FileHistory, FilesArgs, HistoryPack,
    HistoryPackArgs, HistorySpan, Hotspot, Hotspots, HotspotsArgs, OwnedBy, OwnedPath, Owner, OwnersArgs,
    Ownership, SzzArgs, SzzFixes, SzzRow, SzzSkipped, SzzSource, SzzTable,
};
pub use observe::event::{Event, EventPage};
pub use predict::record::{Coefficient, Evaluation, ModelArgs, ModelCard, ModelReference};
pub use risk::record::{
    Basis, Calibration, ChangeArgs, ChangeRisk, ChangeSpan, CommitRisk, FileShare, Interval, Reason,
    RiskLevel,
};
pub use session::record::{
    AppendArgs, Appended, Checkpoint, CheckpointArgs, CheckpointList, CheckpointsArgs, ClaimedSession,
    CommandArgs, CommandResult, EntriesArgs, EntryPage, ForkPoint, LogEntry, NoArgs, Schedule,
    ScheduleCreateArgs, ScheduleList, ScheduleNameArgs, SchedulePauseArgs, SessionBatch, SessionCancelArgs,
    SessionClaimArgs, SessionCompleteArgs, SessionDetail, SessionForkArgs, SessionHistoryArgs, SessionIdArgs,
    SessionList, SessionListArgs, SessionOpenArgs, SessionOwner, SessionPatch, SessionPatchArgs,
    SessionPruneArgs, SessionRestoreArgs, SessionStatus, SessionSubmitArgs, SessionSubmitted, SessionSummary,
    SessionsPruned, SignalArgs, SignalReceived, SignalSent, SleepArgs, Slept, StepBeginArgs, StepFinishArgs,
    StepFinished, StepPolicy, StepRecord, StepStart, StepState, StepStatus, WaitSignalArgs,
};
pub use store::Durability;
pub use surface::describe;
pub use workspace::record::{
    BackupArgs, BackupFile, EventsNextArgs, EventsOpenArgs, Health, HealthArgs, HealthCheck, OpenArgs,
    OwnerLoad, RestoreArgs, RestoredStore, WorkspaceInfo,
};
pub use workspace::{
    Code, EventStream, Events, Git, Predict, Queues, Risk, Schedules, Session, Sessions, Worker, Workers,
    Workspace,
};
