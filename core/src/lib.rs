#![doc = include_str!("../README.md")]

mod base;
pub mod blocking;
mod error;
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
pub use base::value::{Bytes, Failure, Payload};
pub use error::{CODES, Error, Kind, Result};
pub use exec::record::{
    ClaimedTask, EnqueueArgs, Enqueued, NewTask, QueueShowArgs, QueueSummary, TaskBatch, TaskFailure,
    TaskReport, TaskResult, WorkerCompleteArgs, WorkerFailArgs, WorkerNextArgs, WorkerOpenArgs,
};
pub use git::record::{
    DeepenArgs, Deepened, FeatureRow, FeatureTable, FeaturesArgs, HistoryPack, HistoryPackArgs, HistorySpan,
};
pub use observe::event::{Event, EventPage};
pub use predict::record::{Coefficient, Evaluation, ModelArgs, ModelCard, ModelReference};
pub use risk::record::{
    Basis, Calibration, ChangeArgs, ChangeRisk, ChangeSpan, CommitRisk, FileShare, Interval, Reason,
    RiskLevel,
};
pub use session::record::{
    NoArgs, SessionCompleteArgs, SessionDetail, SessionList, SessionListArgs, SessionOpenArgs,
    SessionShowArgs, SessionStatus, SessionSummary, StepBeginArgs, StepFinishArgs, StepFinished, StepPolicy,
    StepRecord, StepStart, StepState, StepStatus,
};
pub use surface::describe;
pub use workspace::record::{EventsNextArgs, EventsOpenArgs, OpenArgs, WorkspaceInfo};
pub use workspace::{
    EventStream, Events, Git, Predict, Queues, Risk, Session, Sessions, Worker, Workers, Workspace,
};
