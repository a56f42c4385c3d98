//! `events.*`: what happened, by durable cursor.

use super::Workspace;
use super::record::*;
use crate::error::{Error, Result};
use crate::observe::event::EventPage;

/// What happened, by durable cursor.
#[derive(Clone, Debug)]
pub struct Events(pub(crate) Workspace);

/// x
#[derive(Clone, Debug)]
pub struct EventStream;

impl Events {
    /// x
    pub async fn open(&self, _args: EventsOpenArgs) -> Result<EventStream> {
        Err(Error::new("bug.panic", "not landed"))
    }
}
impl EventStream {
    /// x
    pub async fn next(&self, _args: EventsNextArgs) -> Result<EventPage> {
        Err(Error::new("bug.panic", "not landed"))
    }
}
