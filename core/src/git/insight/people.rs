//! Who made the commits: signatures joined by `.mailmap` of the tip, address and full name; people
//! and bots.
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
    ///
    /// Signatures are one author's where they share, after the mailmap, an address or a full name of
    /// at least two words.
    pub fn of(log: &Log, order: &[u32], mailmap: &[u8]) -> People {
        let map = gix::mailmap::Snapshot::from_bytes(mailmap);
        let mut all = People { people: Vec::new(), of: vec![0; order.len()] };
        let mut numbers: HashMap<(bool, u32), u32> = HashMap::new();
        let mut joined = Joined::default();
        let mut people: Vec<Person> = Vec::new();
        // Newest first: the name that somebody used last is the one that is shown.
        for (place, at) in order.iter().enumerate().rev() {
            let author = log.commit(*at).author;
            let key = log.signature_number(*at).map_or((false, author), |number| (true, number));
            all.of[place] = *numbers.entry(key).or_insert_with(|| {
                let person = match log.signature(*at) {
                    Some((name, email)) => resolve(&map, name, email),
                    // A log that was imported without names: authors are told apart all the same.
                    None => {
                        let name = crate::base::id::hex(&log.author_key(author)[..6]);
                        Person { name, email: String::new(), bot: false }
                    }
                };
                let number = joined.add(&person);
                people.push(person);
                number
            });
        }
        // The roots of what was joined, numbered anew.
        let mut root_number: Vec<u32> = Vec::with_capacity(people.len());
        for (number, person) in people.into_iter().enumerate() {
            let root = joined.root(number as u32);
            if root as usize == number {
                root_number.push(all.people.len() as u32);
                all.people.push(person);
            } else {
                let root = root_number[root as usize];
                root_number.push(root);
                all.people[root as usize].bot |= person.bot;
            }
        }
        for person in &mut all.of {
            *person = root_number[*person as usize];
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

/// Which signatures are one author's.
#[derive(Debug, Default)]
struct Joined {
    /// By signature: an earlier one of the same author, or itself.
    up: Vec<u32>,
    by_email: HashMap<String, u32>,
    by_name: HashMap<String, u32>,
}

/// Names that say nothing of who it was.
const NOBODY: &[&str] = &["first last", "john doe", "jane doe", "no author", "no name", "your name"];

impl Joined {
    fn add(&mut self, person: &Person) -> u32 {
        let number = self.up.len() as u32;
        self.up.push(number);
        let name = person.name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let full = name.contains(' ') && !NOBODY.contains(&name.as_str());
        let join = |known: u32, joined: &mut Joined| {
            let (a, b) = (joined.root(known), joined.root(number));
            // The earlier number is that of the newer commit.
            joined.up[a.max(b) as usize] = a.min(b);
        };
        if !person.email.is_empty() {
            let known = *self.by_email.entry(person.email.clone()).or_insert(number);
            join(known, self);
        }
        if full || person.email.is_empty() {
            let known = *self.by_name.entry(name).or_insert(number);
            join(known, self);
        }
        number
    }

    fn root(&self, mut number: u32) -> u32 {
        while self.up[number as usize] != number {
            number = self.up[number as usize];
        }
        number
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
    fn an_address_or_a_full_name_makes_one_author() {
        let mut joined = Joined::default();
        for (name, email) in [
            ("Ada Lovelace", "ada@home"),
            ("Bob", "bob@x"),
            ("ada", "ada@work"),
            ("Bob", "bob@y"),
            ("ADA  Lovelace", "ada@work"),
            ("Your Name", "a@a"),
            ("Your Name", "b@b"),
            ("", ""),
            ("", ""),
        ] {
            joined.add(&Person { name: name.to_owned(), email: email.to_owned(), bot: false });
        }
        let roots: Vec<u32> = (0..9).map(|number| joined.root(number)).collect();
        // The fifth joins the third to the first, across which no name or address is shared.
        assert_eq!(roots, [0, 1, 0, 3, 0, 5, 6, 7, 7]);
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
