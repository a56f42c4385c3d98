//! The tables, and how an older file becomes a newer one.

/// Marks a SQLite file as ours: `baro` in ASCII.
pub(super) const APPLICATION_ID: i32 = 0x6261_726f;

/// One script per version: a file of version n has seen the first n. Never change one that was
/// released; append the next.
pub(super) const MIGRATIONS: &[&str] = &[FIRST];

/// The version that this library writes.
pub(super) const VERSION: i32 = MIGRATIONS.len() as i32;

// `event` is the history: a finished step IS its row, there is no second write. `seq` is given out
// by the writer inside the transaction, above the highest one in the table, so rows are visible in
// the order of their numbers. Whatever deletes rows later must keep the last one.
//
// `subject` is a session's number or a task's; `place` is a step's position or a task's queue.
// Small integers, and NULL for what is usual (no arguments, result null), keep a row near 45 bytes.
const FIRST: &str = "
CREATE TABLE event (
  seq     INTEGER PRIMARY KEY,
  kind    INTEGER NOT NULL,
  subject INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  place   INTEGER,
  nth     INTEGER,
  name    TEXT,
  key     TEXT,
  hash    BLOB,
  flags   INTEGER,
  attempt INTEGER,
  took    INTEGER,
  body    ANY
) STRICT;
CREATE INDEX event_of_session ON event (subject, kind) WHERE kind < 10;

CREATE TABLE session (
  id     INTEGER PRIMARY KEY,
  name   TEXT NOT NULL UNIQUE,
  status INTEGER NOT NULL,
  epoch  INTEGER NOT NULL,
  lease  INTEGER,
  ended  INTEGER,
  labels TEXT NOT NULL
) STRICT;
CREATE INDEX session_by_status ON session (status);
CREATE INDEX session_by_lease ON session (lease) WHERE lease IS NOT NULL;

CREATE TABLE label (
  name    TEXT NOT NULL,
  value   TEXT NOT NULL,
  session INTEGER NOT NULL REFERENCES session (id) ON DELETE CASCADE,
  PRIMARY KEY (name, value, session)
) STRICT, WITHOUT ROWID;

CREATE TABLE lease (
  id    INTEGER PRIMARY KEY,
  queue INTEGER,
  pid   INTEGER NOT NULL,
  start INTEGER NOT NULL,
  boot  TEXT NOT NULL,
  space TEXT NOT NULL,
  up    INTEGER NOT NULL,
  wall  INTEGER NOT NULL
) STRICT;

CREATE TABLE queue (
  id        INTEGER PRIMARY KEY,
  name      TEXT NOT NULL UNIQUE,
  completed INTEGER NOT NULL DEFAULT 0,
  dead      INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE task (
  id           INTEGER PRIMARY KEY,
  queue        INTEGER NOT NULL,
  state        INTEGER NOT NULL,
  priority     INTEGER NOT NULL,
  ready        INTEGER,
  lease        INTEGER,
  attempt      INTEGER NOT NULL,
  max_attempts INTEGER NOT NULL,
  name         TEXT NOT NULL,
  body         ANY
) STRICT;
CREATE INDEX task_ready ON task (queue, priority DESC) WHERE state = 0;
CREATE INDEX task_running ON task (lease) WHERE state = 1;
CREATE INDEX task_delayed ON task (queue, ready) WHERE state = 2;

CREATE TABLE task_key (
  queue INTEGER NOT NULL,
  key   TEXT NOT NULL,
  task  INTEGER NOT NULL,
  PRIMARY KEY (queue, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE segment (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  tip  TEXT NOT NULL
) STRICT;
CREATE TABLE chunk (
  id      INTEGER PRIMARY KEY,
  segment INTEGER NOT NULL REFERENCES segment (id),
  body    BLOB NOT NULL
) STRICT;
CREATE INDEX chunk_of_segment ON chunk (segment);
";

/// What a row of `event` says; the numbers are in the files.
pub(super) mod kind {
    pub const STEP_FINISHED: i64 = 1;
    pub const STEP_FAILED: i64 = 2;
    pub const STEP_STARTED: i64 = 3;
    pub const SESSION_CREATED: i64 = 4;
    pub const SESSION_COMPLETED: i64 = 5;
    pub const SESSION_FAILED: i64 = 6;
    // From here on the subject is a task; the index of sessions leaves these rows out.
    pub const TASK_ENQUEUED: i64 = 10;
    pub const TASK_COMPLETED: i64 = 11;
    pub const TASK_FAILED: i64 = 12;
    pub const TASK_DEAD: i64 = 13;

    /// The kind's name in an event.
    pub fn name(kind: i64) -> Option<&'static str> {
        Some(match kind {
            STEP_FINISHED => "step.finished",
            STEP_FAILED => "step.failed",
            STEP_STARTED => "step.started",
            SESSION_CREATED => "session.created",
            SESSION_COMPLETED => "session.completed",
            SESSION_FAILED => "session.failed",
            TASK_ENQUEUED => "task.enqueued",
            TASK_COMPLETED => "task.completed",
            TASK_FAILED => "task.failed",
            TASK_DEAD => "task.dead",
            _ => return None,
        })
    }
}
