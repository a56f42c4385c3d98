//! The tables, and how an older file becomes a newer one.

/// Marks a SQLite file as ours: `baro` in ASCII.
pub(super) const APPLICATION_ID: i32 = 0x6261_726f;

/// One script per version: a file of version n has seen the first n. Never change one that was
/// released; append the next.
pub(super) const MIGRATIONS: &[&str] = &[FIRST, SECOND];

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

// Namespaces, forks, waits, schedules, large values apart. `wake` is when a session without an owner may
// be claimed: 0 at once, later for one that waits. `blob` names a value that rests compressed in the
// table of that name; `body` is then empty. Kinds of tasks make room for those of sessions.
const SECOND: &str = "
CREATE TABLE namespace (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO namespace (id, name) VALUES (0, 'default');

CREATE TABLE session_2 (
  id        INTEGER PRIMARY KEY,
  namespace INTEGER NOT NULL,
  name      TEXT NOT NULL,
  status    INTEGER NOT NULL,
  epoch     INTEGER NOT NULL,
  lease     INTEGER,
  wake      INTEGER NOT NULL,
  ended     INTEGER,
  created   INTEGER NOT NULL,
  deadline  INTEGER,
  archived  INTEGER,
  parent    INTEGER,
  source    INTEGER,
  forked_at INTEGER,
  key       TEXT,
  labels    TEXT NOT NULL,
  UNIQUE (namespace, name)
) STRICT;
INSERT INTO session_2 (id, namespace, name, status, epoch, lease, wake, ended, created, labels)
  SELECT s.id, 0, s.name, s.status, s.epoch, s.lease, 0, s.ended, e.at, s.labels
  FROM session s JOIN event e ON e.seq = s.id;
CREATE TABLE label_2 (
  name    TEXT NOT NULL,
  value   TEXT NOT NULL,
  session INTEGER NOT NULL,
  PRIMARY KEY (name, value, session)
) STRICT, WITHOUT ROWID;
INSERT INTO label_2 SELECT name, value, session FROM label;
DROP TABLE label;
DROP TABLE session;
ALTER TABLE session_2 RENAME TO session;
ALTER TABLE label_2 RENAME TO label;
CREATE INDEX label_of_session ON label (session);
CREATE INDEX session_ready ON session (namespace, lease, wake) WHERE status = 0;
CREATE INDEX session_by_status ON session (namespace, status);
CREATE INDEX session_by_lease ON session (lease) WHERE lease IS NOT NULL;
CREATE INDEX session_by_deadline ON session (deadline) WHERE deadline IS NOT NULL AND status = 0;
CREATE INDEX session_by_source ON session (source) WHERE source IS NOT NULL;
CREATE INDEX session_by_parent ON session (parent) WHERE parent IS NOT NULL;
CREATE UNIQUE INDEX session_by_key ON session (namespace, key) WHERE key IS NOT NULL;

UPDATE event SET kind = kind + 90 WHERE kind >= 10;
ALTER TABLE event ADD COLUMN blob INTEGER;
DROP INDEX event_of_session;
CREATE INDEX event_of_session ON event (subject, kind) WHERE kind < 100;
CREATE INDEX event_with_blob ON event (blob) WHERE blob IS NOT NULL;

CREATE TABLE blob (
  id   INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  size INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;

CREATE TABLE schedule (
  id        INTEGER PRIMARY KEY,
  namespace INTEGER NOT NULL,
  name      TEXT NOT NULL,
  cron      TEXT,
  next      INTEGER,
  paused    INTEGER NOT NULL,
  fired     INTEGER NOT NULL,
  input     ANY,
  labels    TEXT NOT NULL,
  UNIQUE (namespace, name)
) STRICT;
CREATE INDEX schedule_due ON schedule (next) WHERE next IS NOT NULL AND paused = 0;

CREATE TABLE queue_2 (
  id        INTEGER PRIMARY KEY,
  namespace INTEGER NOT NULL,
  name      TEXT NOT NULL,
  completed INTEGER NOT NULL DEFAULT 0,
  dead      INTEGER NOT NULL DEFAULT 0,
  UNIQUE (namespace, name)
) STRICT;
INSERT INTO queue_2 SELECT id, 0, name, completed, dead FROM queue;
DROP TABLE queue;
ALTER TABLE queue_2 RENAME TO queue;

ALTER TABLE lease ADD COLUMN host TEXT NOT NULL DEFAULT '';
";

/// What a row of `event` says; the numbers are in the files.
pub(super) mod kind {
    pub const STEP_FINISHED: i64 = 1;
    pub const STEP_FAILED: i64 = 2;
    pub const STEP_STARTED: i64 = 3;
    pub const SESSION_CREATED: i64 = 4;
    pub const SESSION_COMPLETED: i64 = 5;
    pub const SESSION_FAILED: i64 = 6;
    pub const SESSION_CANCELLED: i64 = 7;
    pub const SESSION_PAUSED: i64 = 8;
    pub const SESSION_RESUMED: i64 = 9;
    /// What came before at this position and after counts no more.
    pub const SESSION_RESTORED: i64 = 10;
    pub const SESSION_ARCHIVED: i64 = 11;
    pub const CHECKPOINT: i64 = 12;
    /// A message for a session; `flags` is 1 once a step has taken it.
    pub const SIGNAL: i64 = 13;
    /// An entry of a session's log.
    pub const ENTRY: i64 = 14;
    /// Of the sessions that it counts in `nth` nothing else is left.
    pub const PRUNED: i64 = 90;
    /// Everything before was replaced by a backup.
    pub const STORE_RESTORED: i64 = 91;
    // From here on the subject is a task; the index of sessions leaves these rows out.
    pub const TASK_ENQUEUED: i64 = 100;
    pub const TASK_COMPLETED: i64 = 101;
    pub const TASK_FAILED: i64 = 102;
    pub const TASK_DEAD: i64 = 103;

    /// The kind's name in an event.
    pub fn name(kind: i64) -> Option<&'static str> {
        Some(match kind {
            STEP_FINISHED => "step.finished",
            STEP_FAILED => "step.failed",
            STEP_STARTED => "step.started",
            SESSION_CREATED => "session.created",
            SESSION_COMPLETED => "session.completed",
            SESSION_FAILED => "session.failed",
            SESSION_CANCELLED => "session.cancelled",
            SESSION_PAUSED => "session.paused",
            SESSION_RESUMED => "session.resumed",
            SESSION_RESTORED => "session.restored",
            SESSION_ARCHIVED => "session.archived",
            CHECKPOINT => "session.checkpoint",
            SIGNAL => "session.signal",
            ENTRY => "session.entry",
            PRUNED => "session.pruned",
            STORE_RESTORED => "store.restored",
            TASK_ENQUEUED => "task.enqueued",
            TASK_COMPLETED => "task.completed",
            TASK_FAILED => "task.failed",
            TASK_DEAD => "task.dead",
            _ => return None,
        })
    }
}
