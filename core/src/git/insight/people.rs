//! Who made the commits: signatures as `.mailmap` of the tip joins them, people and bots.
//!
//! git itself reads `.mailmap` from the work tree, and from HEAD where there is none. Here it is
//! always that of the tip, so that a bare clone and a dirty work tree give the same answer.

use std::collections::HashMap;

use gix::bstr::{BStr, BString, ByteSlice};

use super::super::log::Log;
use super::bots::is_bot;

/// One author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::git) struct Person {
    /// As in the newest commit.
    pub name: String,
    /// As `.mailmap` gives it, else as in the newest commit.
    pub email: String,
    pub bot: bool,
}

/// The authors of a history.
#[derive(Clone, Debug, Default)]
pub(in crate::git) struct People {
    people: Vec<Person>,
    /// By place in the order.
    of: Vec<u32>,
}

impl People {
    /// The authors of the commits of `order`; `mailmap` is the file's content.
    pub fn of(log: &Log, order: &[u32], mailmap: &[u8]) -> People {
        let map = gix::mailmap::Snapshot::from_bytes(mailmap);
        let mut all = People { people: Vec::new(), of: vec![0; order.len()] };
        let mut by_signature: HashMap<u32, u32> = HashMap::new();
        let mut by_author: HashMap<u32, u32> = HashMap::new();
        let mut by_email: HashMap<String, u32> = HashMap::new();
        // Newest first: the name that somebody used last is the one that is shown.
        for (place, at) in order.iter().enumerate().rev() {
            let author = log.commit(*at).author;
            let person = match (log.signature_number(*at), log.signature(*at)) {
                (Some(number), Some((name, email))) => *by_signature.entry(number).or_insert_with(|| {
                    let person = resolve(&map, name, email);
                    let key = match person.email.as_str() {
                        // Without an address the name is all there is.
                        "" => format!("\n{}", person.name),
                        email => email.to_owned(),
                    };
                    *by_email.entry(key).or_insert_with(|| all.people.add(person))
                }),
                // A log that was imported without names: authors are told apart all the same.
                _ => *by_author.entry(author).or_insert_with(|| {
                    let name = crate::base::id::hex(&log.author_key(author)[..6]);
                    all.people.add(Person { name, email: String::new(), bot: false })
                }),
            };
            all.of[place] = person;
        }
        all
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Who made the commit at a place in the order.
    pub fn author_of(&self, place: u32) -> u32 {
        self.of[place as usize]
    }

    pub fn person(&self, number: u32) -> &Person {
        &self.people[number as usize]
    }
}

trait Add {
    fn add(&mut self, person: Person) -> u32;
}

impl Add for Vec<Person> {
    fn add(&mut self, person: Person) -> u32 {
        self.push(person);
        self.len() as u32 - 1
    }
}

fn resolve(map: &gix::mailmap::Snapshot, name: &BStr, email: &BStr) -> Person {
    // A bot stays one, whatever it is mapped to.
    let bot = is_bot(&name.to_str_lossy(), &email.to_str_lossy());
    let signature = gix::actor::SignatureRef { name, email, time: "0 +0000" };
    let (name, email): (BString, BString) = match map.try_resolve(signature) {
        Some(mapped) => (mapped.name, mapped.email),
        None => (name.to_owned(), email.to_owned()),
    };
    let text = |bytes: &BString| bytes.to_str_lossy().trim().to_owned();
    // Authors are told apart without regard to case, as in the measures of changes.
    let (name, email) = (text(&name), text(&email).to_lowercase());
    Person { bot: bot || is_bot(&name, &email), name, email }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(map: &str, name: &str, email: &str) -> (String, String, bool) {
        let map = gix::mailmap::Snapshot::from_bytes(map.as_bytes());
        let person = resolve(&map, name.into(), email.into());
        (person.name, person.email, person.bot)
    }

    #[test]
    fn the_four_forms_of_a_mailmap() {
        let map = "# people\n\
            Ada Lovelace <ada@home.org>\n\
            <ada@home.org> <ada@work.org>\n\
            Grace Hopper <grace@navy.mil> <gh@old.org>\n\
            Both Names <both@new.org> shared <team@old.org>\n";
        let is = |name: &str, email: &str| (name.to_owned(), email.to_owned(), false);
        assert_eq!(person(map, "ada", "ada@home.org"), is("Ada Lovelace", "ada@home.org"));
        assert_eq!(person(map, "Ada L.", "ADA@work.org"), is("Ada L.", "ada@home.org"));
        assert_eq!(person(map, "g", "gh@old.org"), is("Grace Hopper", "grace@navy.mil"));
        assert_eq!(person(map, "Shared", "team@old.org"), is("Both Names", "both@new.org"));
        assert_eq!(person(map, "other", "team@old.org"), is("other", "team@old.org"));
        assert_eq!(person("", " spaced ", "x@y"), is("spaced", "x@y"));
    }

    #[test]
    fn a_mapped_bot_stays_one() {
        let map = "Release Team <team@x.org> <support@dependabot.com>\n";
        assert_eq!(
            person(map, "dependabot[bot]", "support@dependabot.com"),
            ("Release Team".to_owned(), "team@x.org".to_owned(), true)
        );
    }
}
