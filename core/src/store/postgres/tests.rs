//! What only a server has: connections that are lost, other writers who are heard, a clock of its own.
//! They run where `BAROGRAPH_TEST_POSTGRES` names a server, each in a schema of its own.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::params;

use super::*;
use crate::base::clock::Clock;
use crate::error::Result;
use crate::observe::bus::Bus;
use crate::store::fault::Attempt;
use crate::store::{Settings, Store};

/// The server's URL with a schema that no other test has; `None` where there is no server.
fn url() -> Option<String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let server = std::env::var("BAROGRAPH_TEST_POSTGRES").ok()?;
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    Some(format!("{server}?schema=unit_{}_{count}", std::process::id()))
}

fn settings() -> Settings {
    Settings::new(Clock::system(), Bus::default())
}

fn open(url: &str) -> Arc<Store> {
    Arc::new(Store::open_server(url, &settings()).unwrap())
}

/// Writes a queue of this name.
fn write(store: &Store, name: &str) -> Result<i64> {
    let name = name.to_owned();
    store.write_blocking(move |tx| tx.queue(&name))
}

fn written(store: &Store, name: &str) -> i64 {
    let name = name.to_owned();
    let count = "SELECT count(*) FROM queue WHERE name = ?1";
    store
        .read_blocking(move |view| {
            view.0
                .prepare(count)
                .and_then(|mut found| found.query_row([name], |row| row.get(0)))
                .when("count")
        })
        .unwrap()
}

/// How a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cut {
    /// Before the words reach the server.
    Before,
    /// Once the server has answered them, and before the answer arrives.
    After,
    /// Before the words reach the server, which is not told that the client has gone.
    Hang,
    /// As `After`, and nobody is let in any more.
    ForGood,
}

/// Stands between client and server, and cuts the connection that says certain words.
struct Between {
    port: u16,
    armed: Arc<Mutex<Option<(Cut, &'static str)>>>,
}

impl Between {
    fn new(server: &str) -> Between {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let armed = Arc::new(Mutex::new(None));
        let (server, shared) = (server.to_owned(), armed.clone());
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
                let armed = shared.clone();
                let closed = Arc::new(Mutex::new(false));
                std::thread::spawn(move || {
                    if relay(client, server, &armed, &closed) == Some(Cut::ForGood) {
                        // The next who connects is hung up on, and so is everyone after.
                        *armed.lock().unwrap() = Some((Cut::ForGood, ""));
                    }
                });
            }
        });
        Between { port, armed }
    }

    fn arm(&self, cut: Cut, words: &'static str) {
        *self.armed.lock().unwrap() = Some((cut, words));
    }
}

/// Carries bytes both ways until one end closes or the words are said.
fn relay(
    client: TcpStream,
    server: TcpStream,
    armed: &Mutex<Option<(Cut, &'static str)>>,
    swallow: &Arc<Mutex<bool>>,
) -> Option<Cut> {
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let back = std::thread::spawn({
        let (mut from, mut to, swallow) =
            (server.try_clone().unwrap(), client.try_clone().unwrap(), swallow.clone());
        move || {
            let mut buffer = vec![0; 65_536];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                if *swallow.lock().unwrap() {
                    // The answer to COMMIT is there: the transaction is over.
                    if buffer[..length].windows(7).any(|part| part == b"COMMIT\0") {
                        break;
                    }
                } else if to.write_all(&buffer[..length]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        }
    });
    let (mut from, mut to) = (client, server);
    let mut buffer = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let said = &buffer[..length];
        let mut now = armed.lock().unwrap();
        let hit = now.filter(|(_, words)| {
            words.is_empty() || said.windows(words.len()).any(|part| part == words.as_bytes())
        });
        if let Some((cut, words)) = hit {
            if !words.is_empty() {
                *now = None;
            }
            drop(now);
            if cut == Cut::Hang {
                from.shutdown(Shutdown::Both).unwrap();
                // The server's end stays open for as long as the test runs.
                std::mem::forget(to);
                return Some(cut);
            }
            if words.is_empty() || cut == Cut::Before {
                let _ = to.shutdown(Shutdown::Both);
                let _ = from.shutdown(Shutdown::Both);
            } else {
                *swallow.lock().unwrap() = true;
                to.write_all(said).unwrap();
                back.join().unwrap();
            }
            return Some(cut);
        }
        drop(now);
        if to.write_all(said).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    None
}

/// The same store through something that cuts connections.
fn through(url: &str) -> (Between, String) {
    let (front, back) = url.split_once('@').unwrap();
    let (server, rest) = back.split_once('/').unwrap();
    let between = Between::new(server);
    let url = format!("{front}@127.0.0.1:{}/{rest}", between.port);
    (between, url)
}

#[test]
fn a_commit_whose_answer_is_lost_is_found_out() {
    let Some(url) = url() else { return };
    let (between, through) = through(&url);
    let (store, witness) = (open(&through), open(&url));
    write(&store, "warm").unwrap();
    for (at, (cut, kept)) in
        [(Cut::After, true), (Cut::Before, false), (Cut::Hang, false), (Cut::After, true)]
            .into_iter()
            .enumerate()
    {
        let name = format!("q{at}");
        between.arm(cut, "COMMIT\0");
        let answer = write(&store, &name);
        match kept {
            true => assert!(answer.unwrap() > 0, "{cut:?}"),
            false => {
                let error = answer.unwrap_err();
                assert_eq!(
                    (error.code(), error.retryable()),
                    ("store.unreachable", true),
                    "{cut:?}: {error:?}"
                );
            }
        }
        assert_eq!(written(&witness, &name), i64::from(kept), "{cut:?}");
    }
    write(&store, "afterwards").unwrap();
}

#[test]
fn a_transaction_that_is_cut_short_is_told_and_leaves_nothing() {
    let Some(url) = url() else { return };
    let (between, through) = through(&url);
    let (store, witness) = (open(&through), open(&url));
    write(&store, "warm").unwrap();
    let tasks = |store: &Store| {
        store.write_blocking(|tx| {
            let queue = tx.queue("cut")?;
            tx.prepare("INSERT INTO queue (id, namespace, name) VALUES (?1, 0, 'other')")?
                .execute(params![queue + 1])
                .when("write")
        })
    };
    between.arm(Cut::Before, "VALUES ($1, 0, 'other')");
    let error = tasks(&store).unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("store.unreachable", true), "{error:?}");
    assert_eq!(written(&witness, "cut"), 0);
    assert_eq!(tasks(&store).unwrap(), 1);
    // One that is cut before anything was asked of it is begun again.
    between.arm(Cut::Before, "BEGIN");
    write(&store, "begun again").unwrap();
    assert_eq!(written(&witness, "begun again"), 1);
}

#[test]
fn an_outcome_that_cannot_be_found_out_is_called_unknown() {
    let Some(url) = url() else { return };
    let (between, through) = through(&url);
    let witness = open(&url);
    let settings = Settings { patience: Duration::from_millis(50), ..settings() };
    let store = Store::open_server(&through, &settings).unwrap();
    write(&store, "warm").unwrap();
    between.arm(Cut::ForGood, "COMMIT\0");
    let error = write(&store, "doubt").unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("store.unknown", false), "{error:?}");
    assert_eq!(written(&witness, "doubt"), 1);
    assert_eq!(write(&store, "later").unwrap_err().code(), "store.unreachable");
}

#[test]
fn other_writers_are_heard_and_one_self_is_not() {
    let Some(url) = url() else { return };
    let target =
        Arc::new(Target::parse(&url, crate::store::Durability::Full, Duration::from_secs(5)).unwrap());
    let (woken, wakes) = std::sync::mpsc::channel();
    let (me, other) = (writer(&target, 7).unwrap(), writer(&target, 8).unwrap());
    let ear = Ear::open(me.hearing(), move || woken.send(()).unwrap()).unwrap();
    let heard = || {
        wakes.recv_timeout(Duration::from_secs(20)).unwrap();
        me.heard().unwrap()
    };
    // It begins to listen; until then everything may have happened.
    assert!(heard());
    let say = |link: &Link| {
        link.begin_write().unwrap();
        link.execute("UPDATE namespace SET name = name", &[]).unwrap();
        link.commit("events").unwrap();
    };
    say(&me);
    say(&other);
    assert!(heard());
    say(&me);
    say(&other);
    // All is told in order, so what this writer said itself has been passed over by now.
    assert!(heard() && !me.heard().unwrap());
    assert!(wakes.try_recv().is_err());
    drop(ear);
}

#[test]
fn a_lease_ends_by_the_clock_of_the_server() {
    let Some(url) = url() else { return };
    let store = open(&url);
    // Process 1 of this boot lives; only the time that the server shows can end its lease.
    let hold = |left: i64| {
        store
            .write_blocking(move |tx| {
                let until = tx.moment().wall() + left;
                let me = crate::store::lease::Identity::current();
                let rest = tx
                    .prepare("SELECT count(*) FROM lease")?
                    .query_row(params![], |row| row.get::<i64>(0))
                    .when("count")?;
                tx.prepare(
                    "INSERT INTO lease (id, queue, pid, start, boot, space, host, up, wall)
                     VALUES (?1, 1, 1, 0, ?2, 'elsewhere', '', ?3, ?3)",
                )?
                .execute(params![rest + 1, me.boot(), until])
                .when("hold")?;
                let found = crate::store::lease::leases(tx.conn(), Some(1))?;
                let now = tx.moment();
                Ok(found.iter().map(|lease| lease.over(&me, now)).collect::<Vec<_>>())
            })
            .unwrap()
    };
    assert_eq!(hold(60_000), [false]);
    assert_eq!(hold(-1), [false, true]);
}

#[test]
fn a_name_with_a_nul_is_refused_before_anything_is_written() {
    let Some(url) = url() else { return };
    let store = open(&url);
    assert_eq!(write(&store, "a\0b").unwrap_err().code(), "args.invalid");
    write(&store, "ab").unwrap();
    // Also among others in one transaction, with a statement that is known by now: they are kept.
    let (go, held) = std::sync::mpsc::channel::<()>();
    store.cast(move |_| held.recv().map_err(|_| crate::error::Error::cancelled()));
    let threads = ["c", "d\0", "e"].map(|name| {
        let store = store.clone();
        std::thread::spawn(move || write(&store, name).map_err(|error| error.code().to_owned()))
    });
    std::thread::sleep(Duration::from_millis(50));
    go.send(()).unwrap();
    let [c, d, e] = threads.map(|thread| thread.join().unwrap());
    assert!(c.is_ok() && e.is_ok(), "{c:?} {e:?}");
    assert_eq!(d.unwrap_err(), "args.invalid");
    assert_eq!(written(&store, "c") + written(&store, "e"), 2);
}

#[test]
fn what_is_not_ours_or_too_new_is_refused() {
    let Some(url) = url() else { return };
    let refused = |url: &str| Store::open_server(url, &settings()).map(drop).unwrap_err();
    drop(open(&url));
    let target =
        Arc::new(Target::parse(&url, crate::store::Durability::Full, Duration::from_secs(5)).unwrap());
    let link = reader(&target).unwrap();
    link.batch("UPDATE barograph SET version = 77").unwrap();
    let error = refused(&url);
    assert_eq!((error.code(), error.context()["version"].as_str()), ("store.newer", "77"));
    link.batch("DROP TABLE barograph").unwrap();
    assert_eq!(refused(&url).code(), "store.not_a_store");
    let elsewhere = url.replace("/postgres?", "/nowhere?");
    assert_eq!(refused(&elsewhere).code(), "store.unreachable");
    let hasty = Settings { patience: Duration::from_millis(50), ..settings() };
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = Store::open_server(&format!("postgres://u:hush@{closed}/d"), &hasty).map(drop).unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("store.unreachable", true));
    assert!(!format!("{error:?}").contains("hush"), "{error:?}");
}
