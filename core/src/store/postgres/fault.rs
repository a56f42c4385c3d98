//! What a server reports, as errors of this library.

use tokio_postgres::error::SqlState;

use super::wire::is_lost;
use crate::error::Error;
use crate::store::fault::Trouble;

/// The error for a failed statement; `what` names what was tried.
pub(in crate::store) fn fault(what: &str, trouble: &Trouble) -> Error {
    let error = |code: &str, advice: &str| Error::new(code, format!("could not {what}: {advice}"));
    match trouble {
        Trouble::Sqlite(cause) => crate::store::fault::fault(what, cause),
        Trouble::Connect(cause) => error("store.unreachable", refusal(cause)).because(cause),
        Trouble::Gone => error(
            "store.unreachable",
            "the connection to the server was lost and nothing of this was written; try again",
        ),
        Trouble::Doubt(cause) => error(
            "store.unknown",
            "the connection was lost while it was written, and the server cannot be asked what came of it; look before you try again",
        )
        .because(cause),
        Trouble::Nul => error(
            "args.invalid",
            "a name or label holds the character U+0000, which PostgreSQL cannot keep; leave it out",
        ),
        Trouble::Local(text) => {
            error("bug.store", "a defect of the library; please report it with its causes").with("cause", text)
        }
        Trouble::Postgres(cause) if is_lost(cause) => error(
            "store.unreachable",
            "the connection to the server was lost and nothing of this was written; try again",
        )
        .because(cause),
        Trouble::Postgres(cause) => {
            let (code, advice) = cause.code().map_or(("bug.store", BUG), said);
            error(code, advice).because(cause)
        }
    }
}

const BUG: &str = "a defect of the library; please report it with its causes";

/// Why a server could not be connected to.
fn refusal(cause: &tokio_postgres::Error) -> &'static str {
    match cause.code().map(|code| code.code().get(..2).unwrap_or_default()) {
        Some("28") => {
            "the server does not let this user in; check user, password and the server's pg_hba.conf"
        }
        Some("3D") => "the server has no such database; make it or name another",
        Some("53") => "the server has no connection left; close some or raise max_connections",
        Some(_) => "the server refused; its causes say why",
        None => "the server does not answer; check host and port, and that it runs",
    }
}

/// A code of ours and an advice for a code of the server's.
fn said(state: &SqlState) -> (&'static str, &'static str) {
    match state.code() {
        // Locks, deadlocks, serialisation, and statements that took too long.
        "55P03" | "57014" | "40P01" | "40001" => {
            ("store.busy", "another process held the store for too long; try again")
        }
        "53100" => ("store.full", "the server's disk is full; make room and try again"),
        "25006" => ("store.read_only", "the server takes no writes here; name its primary"),
        "42501" => ("store.read_only", "this user may not write there; grant it, or name another schema"),
        "54000" | "54001" | "22021" | "22P05" => ("args.invalid", "a value has no place in the database"),
        "3F000" | "42P01" => {
            ("store.damaged", "the store's tables are gone; open the workspace again, or restore a backup")
        }
        "XX001" | "XX002" => ("store.damaged", "the server found its files damaged; restore a backup"),
        code => match code.get(..2) {
            Some("53" | "57" | "58") => ("store.unreachable", "the server is not able to; try again"),
            _ => ("bug.store", BUG),
        },
    }
}
