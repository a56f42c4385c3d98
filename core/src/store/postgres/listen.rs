//! What other processes write is heard at once: they say so as they commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, NoTls};

use super::target::Target;

/// The pause before a lost connection is made again.
const PAUSE: Duration = Duration::from_millis(200);

/// What was heard and not asked for yet.
#[derive(Debug, Default)]
pub(in crate::store) struct Heard {
    news: AtomicBool,
    deaf: AtomicBool,
}

impl Heard {
    /// Whether others may have committed since this was asked last; always while nothing can be heard.
    pub fn take(&self) -> bool {
        self.news.swap(false, Ordering::AcqRel) || self.deaf.load(Ordering::Acquire)
    }

    /// Has the next question answered with yes.
    pub fn again(&self) {
        self.news.store(true, Ordering::Release);
    }

    /// One that hears nothing yet.
    pub fn new() -> Arc<Heard> {
        Arc::new(Heard { news: AtomicBool::new(true), deaf: AtomicBool::new(true) })
    }
}

/// Whose listener it is, and where it listens.
pub(in crate::store) struct Hearing {
    pub(super) target: Arc<Target>,
    pub(super) me: i64,
    pub(super) heard: Arc<Heard>,
}

/// Listens for as long as it lives.
#[derive(Debug)]
pub(in crate::store) struct Ear {
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

impl Ear {
    /// Calls `wake` whenever another writer has committed, and whenever that cannot be known.
    pub fn open(hearing: Hearing, wake: impl Fn() + Send + 'static) -> std::io::Result<Ear> {
        let Hearing { target, me, heard } = hearing;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let stop = Arc::new(Notify::new());
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name("barograph-ear".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = stopped.notified() => {}
                    () = listen(&target, me, &heard, &wake) => {}
                }
            });
        })?;
        Ok(Ear { stop, thread: Some(thread) })
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        // A permit stays where the thread does not wait yet.
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn listen(target: &Target, me: i64, heard: &Heard, wake: &impl Fn()) {
    loop {
        // The answer is of no use: whatever ended it, it is begun again.
        let _ = hear(target, me, heard, wake).await;
        heard.deaf.store(true, Ordering::Release);
        wake();
        tokio::time::sleep(PAUSE).await;
    }
}

async fn hear(
    target: &Target,
    me: i64,
    heard: &Heard,
    wake: &impl Fn(),
) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = target.config.connect(NoTls).await?;
    let own = format!("{me} ");
    let messages = async {
        while let Some(message) = std::future::poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(said) = message?
                && !said.payload().starts_with(&own)
            {
                heard.news.store(true, Ordering::Release);
                wake();
            }
        }
        Ok(())
    };
    let begin = async {
        client.batch_execute(&format!("LISTEN {}", target.channel())).await?;
        // What was committed before is not told again.
        heard.news.store(true, Ordering::Release);
        heard.deaf.store(false, Ordering::Release);
        wake();
        // The client is kept, as the connection ends with it.
        std::future::pending::<Result<(), tokio_postgres::Error>>().await
    };
    tokio::select! {
        ended = messages => ended,
        failed = begin => failed,
    }
}
