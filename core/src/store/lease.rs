//! Who is alive: leases of processes on sessions and of workers on tasks.
//!
//! A lease belongs to one open store or one worker, not to one session, so that renewing costs one
//! small row whatever is held. It ends when its time is over, or at once when its process has ended
//! on this host. What it guards carries an epoch that every write checks in its own transaction:
//! a lease that ended too early costs a refused write, never a double one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::params;

use super::fault::Attempt;
use super::sql::{Conn, Optional, Row};
use super::tx::Tx;
use crate::base::clock::{Clock, instant};
use crate::error::Result;

/// A process, told apart from every other one that ever had its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pid: u32,
    /// When it started, in ticks since boot; 0 where the system does not say.
    start: u64,
    /// The boot of the host; empty where the system does not say.
    boot: String,
    /// The namespace in which `pid` means something.
    space: String,
    /// What people call the host; says nothing about who lives.
    host: String,
}

impl Identity {
    /// This process.
    pub fn current() -> Identity {
        static ME: OnceLock<Identity> = OnceLock::new();
        let me = ME.get_or_init(Identity::look);
        // A forked child is another process.
        if me.pid == std::process::id() { me.clone() } else { Identity::look() }
    }

    fn look() -> Identity {
        let pid = std::process::id();
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let space = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Identity {
            pid,
            start: started(pid).unwrap_or(0),
            boot: boot.trim().to_owned(),
            space: space.display().to_string(),
            host: host.trim().to_owned(),
        }
    }

    /// The process's id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// What people call its host; empty where the system does not say.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the process is known to have ended; `false` where nothing can be said.
    fn ended(&self, seen_from: &Identity) -> bool {
        let comparable = !self.boot.is_empty()
            && !self.space.is_empty()
            && self.start != 0
            && seen_from.start != 0
            && self.boot == seen_from.boot
            && self.space == seen_from.space;
        comparable && started(self.pid) != Some(self.start)
    }
}

/// When a process started, in ticks since boot; `None` where it has ended (a zombie has).
fn started(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold spaces and brackets: fields are counted after its last one.
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    match fields.next()? {
        "Z" | "X" => None,
        _ => fields.nth(18)?.parse().ok(),
    }
}

/// Now, on two clocks: time since boot, which nobody can set, and wall time, which other hosts have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    up: i64,
    wall: i64,
}

impl Moment {
    /// This moment.
    pub fn now() -> Moment {
        let wall = Clock::system().now_ms();
        // With the time that the machine has slept, where the system counts it.
        #[cfg(target_os = "linux")]
        let since_boot = rustix::time::ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        let since_boot = rustix::time::ClockId::Monotonic;
        let up = rustix::time::clock_gettime(since_boot);
        let up = up.tv_sec * 1000 + up.tv_nsec / 1_000_000;
        Moment { up, wall }
    }

    fn plus(self, length: Duration) -> Moment {
        let length = length.as_millis() as i64;
        Moment { up: self.up + length, wall: self.wall + length }
    }

    /// Wall time, in milliseconds since the Unix epoch.
    pub fn wall(self) -> i64 {
        self.wall
    }
}

/// What a lease is worth, seen from this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its owner lives elsewhere.
    Live,
    /// Its owner is this process.
    Ours,
    /// Its time is over or its owner has ended.
    Dead,
}

/// A lease as it rests in the store.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub id: i64,
    pub owner: Identity,
    up: i64,
    wall: i64,
}

impl Lease {
    const COLUMNS: &str = "id, pid, start, boot, space, host, up, wall";

    fn read(row: &Row<'_>) -> rusqlite::Result<Lease> {
        Ok(Lease {
            id: row.get(0)?,
            owner: Identity {
                pid: row.get(1)?,
                start: row.get::<i64>(2)? as u64,
                boot: row.get(3)?,
                space: row.get(4)?,
                host: row.get(5)?,
            },
            up: row.get(6)?,
            wall: row.get(7)?,
        })
    }

    /// What the lease is worth at `now`, seen from `me`.
    pub fn standing(&self, me: &Identity, now: Moment) -> Standing {
        match self.owner == *me {
            true => Standing::Ours,
            false if self.over(me, now) => Standing::Dead,
            false => Standing::Live,
        }
    }

    /// Whether its time is over or its owner has ended.
    pub fn over(&self, me: &Identity, now: Moment) -> bool {
        // The clock that nobody can set decides, except between hosts or over a reboot.
        let same_boot = !self.owner.boot.is_empty() && self.owner.boot == me.boot;
        let late = if same_boot { now.up > self.up } else { now.wall > self.wall };
        late || (self.owner != *me && self.owner.ended(me))
    }
}

/// A lease that this store keeps alive.
#[derive(Clone, Copy, Debug)]
struct Held {
    queue: Option<i64>,
    length: Duration,
    due: Instant,
    /// When it ends unless it is renewed, as [`Moment`] counts.
    until: Moment,
}

/// The leases that this store keeps alive, by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keeper(Arc<Mutex<HashMap<i64, Held>>>);

impl Keeper {
    fn held(&self) -> MutexGuard<'_, HashMap<i64, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the lease alive from now on: renewed three times in its length.
    fn keep(&self, id: i64, queue: Option<i64>, length: Duration, until: Moment) {
        self.held().insert(id, Held { queue, length, due: instant() + length / 3, until });
    }

    /// Lets the lease run out.
    pub fn forget(&self, id: i64) {
        self.held().remove(&id);
    }

    /// Whether the lease is kept alive.
    pub fn keeps(&self, id: i64) -> bool {
        self.held().contains_key(&id)
    }

    /// Every lease that is kept alive.
    pub fn all(&self) -> Vec<i64> {
        self.held().keys().copied().collect()
    }

    /// When the next renewal is due.
    pub fn due(&self) -> Option<Instant> {
        self.held().values().map(|held| held.due).min()
    }

    fn due_by(&self, now: Instant) -> Vec<(i64, Held)> {
        self.held().iter().filter(|(_, held)| held.due <= now).map(|(&id, &held)| (id, held)).collect()
    }

    /// Renews everything soon: the store could not be written, so nothing is sure to be in it.
    pub fn postpone(&self) {
        let now = instant();
        for held in self.held().values_mut() {
            held.due = now + (held.length / 10).min(Duration::from_secs(1));
        }
    }

    /// Renews everything in the next transaction.
    pub fn renew_next(&self) {
        let now = instant();
        self.held().values_mut().for_each(|held| held.due = now);
    }
}

impl Tx<'_> {
    /// Takes or renews a lease, and has it renewed from now on; `false` where it was not there.
    pub(super) fn hold(&mut self, id: i64, queue: Option<i64>, length: Duration) -> Result<bool> {
        let what = "take a lease";
        let until = self.moment().plus(length);
        let me = self.me();
        let there = self
            .prepare("UPDATE lease SET up = ?2, wall = ?3 WHERE id = ?1")?
            .execute([id, until.up, until.wall])
            .when(what)?
            > 0;
        if !there {
            self.prepare(
                "INSERT INTO lease (id, queue, pid, start, boot, space, host, up, wall)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                id,
                queue,
                me.pid,
                me.start as i64,
                me.boot,
                me.space,
                me.host,
                until.up,
                until.wall
            ])
            .when(what)?;
        }
        self.keeper().keep(id, queue, length, until);
        self.held = true;
        Ok(there)
    }

    /// Renews every lease whose turn it is.
    pub(super) fn renew(&mut self) -> Result<()> {
        for (id, held) in self.keeper().due_by(instant()) {
            if id == self.owner() && self.around().owned.is_empty() {
                // No session is open: the lease may run out until one is.
                self.keeper().forget(id);
                continue;
            }
            let late = self.moment().up > held.until.up;
            let there = self.hold(id, held.queue, held.length)?;
            if id == self.owner() && (late || !there) {
                self.find_lost()?;
            }
        }
        Ok(())
    }

    /// After a lease that ended before it was renewed: tells those sessions that another has taken.
    fn find_lost(&mut self) -> Result<()> {
        let kept = self
            .prepare("SELECT id, epoch FROM session WHERE lease = ?1")?
            .query_map([self.owner()], |row| Ok((row.get(0)?, row.get(1)?)))
            .when("look for lost sessions")?;
        self.around().owned.lose_all_but(&kept);
        Ok(())
    }

    /// The lease of this id, if it is in the store.
    pub(super) fn lease(&self, id: i64) -> Result<Option<Lease>> {
        self.prepare(&format!("SELECT {} FROM lease WHERE id = ?1", Lease::COLUMNS))?
            .query_row([id], Lease::read)
            .optional()
            .when("read a lease")
    }

    /// The leases on sessions whose owner is gone; one that guards nothing any more is removed.
    pub(super) fn dead_leases(&mut self) -> Result<Vec<i64>> {
        let now = self.moment();
        let mut dead = Vec::new();
        for lease in leases(self.conn(), None)? {
            if lease.standing(self.me(), now) != Standing::Dead {
                continue;
            }
            let guards: i64 = self
                .prepare("SELECT count(*) FROM (SELECT 1 FROM session WHERE lease = ?1 LIMIT 1) AS some")?
                .query_row([lease.id], |row| row.get(0))
                .when("read leases")?;
            match guards {
                0 => self.drop_lease(lease.id)?,
                _ => dead.push(lease.id),
            }
        }
        Ok(dead)
    }

    /// Removes a lease.
    pub(super) fn drop_lease(&self, id: i64) -> Result<()> {
        self.prepare("DELETE FROM lease WHERE id = ?1")?.execute([id]).when("release a lease")?;
        Ok(())
    }
}

/// The leases of a queue's workers, or those of sessions.
pub(super) fn leases(conn: &Conn, queue: Option<i64>) -> Result<Vec<Lease>> {
    let what = "read leases";
    conn.prepare(&format!("SELECT {} FROM lease WHERE queue IS NOT DISTINCT FROM ?1", Lease::COLUMNS))
        .when(what)?
        .query_map([queue], Lease::read)
        .when(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(owner: Identity, left_ms: i64, now: Moment) -> Lease {
        Lease { id: 1, owner, up: now.up + left_ms, wall: now.wall + left_ms }
    }

    #[test]
    fn a_process_is_told_from_its_successor() {
        let me = Identity::current();
        let now = Moment::now();
        assert_eq!(lease(me.clone(), -1, now).standing(&me, now), Standing::Ours);
        // The same id, started at another time: the id was given out again.
        let reborn = Identity { start: me.start + 1, ..me.clone() };
        assert_eq!(lease(reborn, 1000, now).standing(&me, now), Standing::Dead);
        // Process 1 is there as long as the host or container is.
        let first = Identity { pid: 1, start: started(1).unwrap(), ..me.clone() };
        assert_eq!(lease(first.clone(), 1000, now).standing(&me, now), Standing::Live);
        assert_eq!(lease(first.clone(), -1, now).standing(&me, now), Standing::Dead);
        // In another container the same id says nothing: only time does.
        let elsewhere = Identity { pid: 999_999, space: "pid:[1]".to_owned(), ..me.clone() };
        assert_eq!(lease(elsewhere, 1000, now).standing(&me, now), Standing::Live);
    }

    #[test]
    fn a_wall_clock_that_jumps_ends_no_lease_of_this_boot() {
        let me = Identity::current();
        let now = Moment::now();
        let first = Identity { pid: 1, start: started(1).unwrap(), ..me.clone() };
        let tomorrow = Moment { wall: now.wall + 86_400_000, ..now };
        assert_eq!(lease(first.clone(), 1000, now).standing(&me, tomorrow), Standing::Live);
        let other_host = Identity { boot: "another".to_owned(), ..first };
        assert_eq!(lease(other_host, 1000, now).standing(&me, tomorrow), Standing::Dead);
    }
}
