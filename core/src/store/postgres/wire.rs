//! One connection to the server, and requests that travel together.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls, Statement};

use super::dialect::places;
use super::target::Target;

/// More statements than the library has, so that only a defect makes it forget them.
const KEPT: usize = 512;

pub(super) type Answer<T> = Result<T, tokio_postgres::Error>;

/// An open connection with its prepared statements. Its other half runs on the caller's runtime.
pub(super) struct Wire {
    pub client: Client,
    statements: RefCell<HashMap<String, Statement>>,
    /// The server's process of this connection and when it began, which names it for good.
    pub backend: (i32, String),
}

impl Wire {
    /// Connects and sets the connection up.
    pub async fn open(target: &Target) -> Answer<Wire> {
        let (client, connection) = target.config.connect(NoTls).await?;
        // Its end is told by the client's calls.
        tokio::spawn(connection);
        client.batch_execute(&target.settings()).await?;
        let row = client
            .query_one(
                "SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()",
                &[],
            )
            .await?;
        let backend = (row.try_get(0)?, row.try_get(1)?);
        Ok(Wire { client, statements: RefCell::default(), backend })
    }

    /// The statement if it is prepared.
    pub fn known(&self, sql: &str) -> Option<Statement> {
        self.statements.borrow().get(sql).cloned()
    }

    /// The statement, prepared now if it was not.
    pub async fn statement(&self, sql: &str) -> Answer<Statement> {
        if let Some(known) = self.known(sql) {
            return Ok(known);
        }
        let statement = self.client.prepare(&places(sql)).await?;
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= KEPT {
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Whether the connection has ended; looks at what has arrived meanwhile.
    pub async fn ended(&self) -> bool {
        // The first turn lets the system report, the second lets the connection read it.
        for _ in 0..3 {
            if self.client.is_closed() {
                return true;
            }
            tokio::task::yield_now().await;
        }
        self.client.is_closed()
    }
}

/// Sends every request before the first answer is awaited: they cost one trip together.
pub(super) async fn together<F: Future>(requests: Vec<F>) -> Vec<F::Output> {
    let mut requests: Vec<Pin<Box<F>>> = requests.into_iter().map(Box::pin).collect();
    let mut answers: Vec<Option<F::Output>> = Vec::with_capacity(requests.len());
    // A request is sent when it is polled for the first time.
    std::future::poll_fn(|context| {
        for request in &mut requests {
            answers.push(match request.as_mut().poll(context) {
                std::task::Poll::Ready(answer) => Some(answer),
                std::task::Poll::Pending => None,
            });
        }
        std::task::Poll::Ready(())
    })
    .await;
    let mut all = Vec::with_capacity(requests.len());
    for (request, answer) in requests.into_iter().zip(answers) {
        all.push(match answer {
            Some(answer) => answer,
            None => request.await,
        });
    }
    all
}

/// Whether an error says that the connection is gone, so that nothing is known of what was under way.
pub(super) fn is_lost(error: &tokio_postgres::Error) -> bool {
    if let Some(said) = error.as_db_error() {
        let code = said.code();
        return code.code().starts_with("08") || is_away(code);
    }
    error.is_closed() || std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
}

/// Whether the server says that it ends, has ended or only begins.
fn is_away(code: &SqlState) -> bool {
    [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW].contains(code)
        || ["25P03", "57P05"].contains(&code.code())
}

/// Whether connecting again may help.
pub(super) fn is_passing(error: &tokio_postgres::Error) -> bool {
    match error.as_db_error() {
        Some(said) => is_away(said.code()) || *said.code() == SqlState::TOO_MANY_CONNECTIONS,
        // Connecting reports a host that refuses or does not answer without a code.
        None => true,
    }
}
