//! What is to be done in a transaction, and who is told how it went.

use tokio::sync::oneshot;

use super::tx::Tx;
use crate::error::{Error, Result};

/// Who gets the answer of a job.
pub(super) enum Reply<T> {
    Future(oneshot::Sender<Result<T>>),
    Thread(std::sync::mpsc::SyncSender<Result<T>>),
    Nobody,
}

pub(super) type Then<T> = Box<dyn FnOnce(&Result<T>) + Send>;

/// Something to be done in a transaction.
pub(super) trait Job: Send {
    /// The file that it reads beside the store.
    fn attach(&self) -> Option<&str>;
    /// Whether anyone still waits for it.
    fn wanted(&self) -> bool;
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<()>;
    /// Called once, when the transaction has ended one way or the other.
    fn answer(self: Box<Self>, outcome: Result<()>);
}

pub(super) struct Pending<T, W> {
    /// A file whose tables the job reads as `backup`: it then has a transaction of its own.
    pub attach: Option<String>,
    pub work: Option<W>,
    pub value: Option<T>,
    pub then: Option<Then<T>>,
    pub reply: Reply<T>,
}

impl<T: Send, W: FnOnce(&mut Tx<'_>) -> Result<T> + Send> Job for Pending<T, W> {
    fn attach(&self) -> Option<&str> {
        self.attach.as_deref()
    }

    fn wanted(&self) -> bool {
        match &self.reply {
            Reply::Future(sender) => !sender.is_closed(),
            Reply::Thread(_) | Reply::Nobody => true,
        }
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        if let Some(work) = self.work.take() {
            self.value = Some(work(tx)?);
        }
        Ok(())
    }

    fn answer(mut self: Box<Self>, outcome: Result<()>) {
        let value = self.value.take();
        let result =
            outcome.and_then(|()| value.ok_or_else(|| Error::new("bug.store", "a job gave no answer")));
        if let Some(then) = self.then.take() {
            then(&result);
        }
        // Where nobody waits any more the value is dropped, and its guard undoes what it stands for.
        match self.reply {
            Reply::Future(sender) => drop(sender.send(result)),
            Reply::Thread(sender) => drop(sender.send(result)),
            Reply::Nobody => {}
        }
    }
}
