//! The commands: out of the surface's description, plus the few that are no operation.

use std::collections::BTreeMap;
use std::path::Path;

use barograph::Error;
use barograph::surface::Description;
use barograph::surface::describe::OperationDescription;
use clap::builder::styling::{AnsiColor, Styles};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Map, Value};

use crate::{arguments, text};

/// What every command takes.
#[derive(Debug)]
pub(crate) struct Global {
    /// The arguments of `workspace.open`.
    pub(crate) open: Map<String, Value>,
    /// How answers are written.
    pub(crate) format: Format,
    /// Whether nothing but the answer and errors is written.
    pub(crate) quiet: bool,
    /// Whether the answer is about what the store holds already.
    reads_store: bool,
}

impl Global {
    /// An error where a store is named that does not exist: a new one would answer that there is nothing.
    pub(crate) fn check_store(&self) -> Result<(), Error> {
        let named = self.open.get("store").and_then(Value::as_str).filter(|_| self.reads_store);
        match named.filter(|store| !store.contains("://") && !Path::new(store).exists()) {
            Some(store) => Err(Error::new(
                "path.missing",
                format!("there is no store `{store}`; name the file that the sessions are kept in"),
            )
            .with("path", store)),
            None => Ok(()),
        }
    }

    /// The fixed time of the workspace's clock.
    pub(crate) fn clock(&self) -> Option<&str> {
        self.open.get("clock").and_then(Value::as_str)
    }
}

/// How answers are written; errors are JSON where answers are, and else text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Text for people.
    Text,
    /// The record as JSON.
    Json,
    /// The rows as CSV.
    Csv,
    /// The rows as an Arrow IPC stream.
    Arrow,
}

/// What to do.
#[derive(Debug)]
pub(crate) enum Action {
    /// Call an operation and show its answer.
    Operation { name: String, args: Vec<u8> },
    /// Show an operation's answer, again whenever something happens.
    Follow { name: String, args: Vec<u8> },
    /// Print the surface as JSON.
    Describe,
    /// Print what happened, one JSON object a line.
    Events { args: Vec<u8>, follow: bool },
    /// Serve the workspace to an MCP client.
    Mcp,
}

// Ids that no argument of an operation can have.
const REPO: &str = "@repo";
const STORE: &str = "@store";
const IN_MEMORY: &str = "@in-memory";
const CLOCK: &str = "@clock";
const NAMESPACE: &str = "@namespace";
const DURABILITY: &str = "@durability";
const FOLLOW: &str = "@follow";
const FORMAT: &str = "@format";
const QUIET: &str = "@quiet";
const OPERATION: &str = "@operation";
const JSON: &str = "@json";

/// The operation whose options `barograph events` takes.
const EVENTS: &str = "events.open";

/// Commands that are another noun's operation too: looked for where the sessions are.
const ALSO: &[(&str, &str, &str)] = &[("session", "backup", "workspace.backup")];

/// The operations whose answer `--follow` keeps up to date.
const FOLLOWED: &[&str] = &["session.list", "session.show"];

/// The operations that put the first thing into a store.
const FIRST: &[&str] = &["session.submit", "schedule.create", "queue.enqueue"];

/// The others that are about what a store holds, beside those of its nouns.
const ABOUT_STORES: &[&str] = &["workspace.backup", "workspace.health"];

const HEADING: &str = "Global options";

/// The whole command line.
pub(crate) fn build(surface: &Description) -> Command {
    let header = AnsiColor::Green.on_default().bold();
    let literal = AnsiColor::Cyan.on_default().bold();
    let styles = Styles::styled()
        .header(header)
        .usage(header)
        .literal(literal)
        .placeholder(AnsiColor::Cyan.on_default())
        .error(AnsiColor::Red.on_default().bold())
        .valid(literal)
        .invalid(AnsiColor::Yellow.on_default());
    let mut root = Command::new("barograph")
        .version(surface.version.clone())
        .about("How risky a change is, and why; durable sessions and queues beside it")
        .after_help(
            "`barograph NOUN --help` lists what a noun can do; start with `barograph risk change`.\n\n\
             Exit status: 0; 1 where the answer is a no (`workspace health`); 2 for a wrong use; else that of the \
             error's kind (`barograph describe`).",
        )
        .styles(styles)
        .max_term_width(100)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .args(globals());
    for (noun, operations) in nouns(surface) {
        let named = |name: &str| surface.operations.iter().find(|operation| operation.name == name);
        let also = ALSO.iter().filter(|(known, ..)| *known == noun);
        let also = also.filter_map(|(_, verb, name)| Some((*verb, named(name)?)));
        let operations: Vec<_> = operations.into_iter().map(|one| (verb(one), one)).chain(also).collect();
        let verbs: Vec<String> = operations.iter().map(|(verb, _)| words(verb)).collect();
        let mut command = Command::new(words(noun))
            .about(verbs.join(", "))
            .disable_help_subcommand(true)
            .subcommand_required(true)
            .arg_required_else_help(true);
        for (verb, operation) in operations {
            let mut leaf = Command::new(words(verb))
                .about(operation.doc.clone())
                .args(arguments::all(surface, operation));
            if FOLLOWED.contains(&operation.name.as_str()) {
                leaf = leaf.arg(follow());
            }
            command = command.subcommand(leaf);
        }
        root = root.subcommand(command);
    }
    if let Some(operation) = surface.operations.iter().find(|operation| operation.name == EVENTS) {
        root = root.subcommand(
            Command::new("events")
                .about("Prints what happened in sessions and queues, one JSON object a line")
                // No operation of one process takes a cursor by position: `--after` reads better.
                .args(arguments::all(
                    surface,
                    &OperationDescription { positional: Vec::new(), ..operation.clone() },
                )),
        );
    }
    root.subcommand(
        Command::new("mcp")
            .about("Serves every operation as a tool to an MCP client, over standard input and output"),
    )
    .subcommand(
        Command::new("call")
            .about("Calls any operation by its name, with its arguments as JSON")
            .arg(
                Arg::new(OPERATION)
                    .value_name("NOUN.VERB")
                    .required(true)
                    .help("The operation, for example risk.change"),
            )
            .arg(
                Arg::new(JSON)
                    .value_name("JSON")
                    .default_value("{}")
                    .help("Its arguments as one JSON object; @FILE reads a file, - standard input"),
            ),
    )
    .subcommand(Command::new("describe").about("Prints every operation, record and error code as JSON"))
}

fn follow() -> Arg {
    Arg::new(FOLLOW).long("follow").short('f').action(ArgAction::SetTrue).help(
        "Keep it up to date until it has ended or Ctrl-C is pressed; outside of a terminal, and with \
         --format json, one line for each event instead",
    )
}

fn globals() -> [Arg; 8] {
    let global =
        |id: &'static str, long: &'static str| Arg::new(id).long(long).global(true).help_heading(HEADING);
    [
        global(REPO, "repo").value_name("DIR").default_value(".").help("A folder in the repository"),
        global(STORE, "store")
            .value_name("FILE")
            .conflicts_with(IN_MEMORY)
            .help("The store's file; default .barograph/store.db at the top of the work tree"),
        global(NAMESPACE, "namespace")
            .value_name("NAME")
            .help("Which sessions, schedules, queues and events of the store are seen [default: default]"),
        global(DURABILITY, "durability").value_name("WHAT").value_parser(["full", "process", "none"]).help(
            "What a commit survives: the loss of power, the death of the process, nothing [default: full]",
        ),
        global(IN_MEMORY, "in-memory")
            .action(ArgAction::SetTrue)
            .help("Keep everything in memory: write nothing"),
        global(CLOCK, "clock")
            .value_name("TIME")
            .help("A fixed time for the clock, RFC 3339: for tests and repeatable answers"),
        global(FORMAT, "format").value_name("FORMAT").value_parser(["text", "json", "csv", "arrow"]).help(
            "How answers and errors are written; csv and arrow (an IPC stream) for answers that are rows",
        ),
        global(QUIET, "quiet").short('q').action(ArgAction::SetTrue).help("No progress bar"),
    ]
}

/// The operations that one process can call on its own workspace, by noun.
fn nouns(surface: &Description) -> BTreeMap<&str, Vec<&OperationDescription>> {
    let mut nouns: BTreeMap<&str, Vec<&OperationDescription>> = BTreeMap::new();
    for operation in &surface.operations {
        // A handle dies with the process, so what opens one or needs one is no command.
        if operation.receiver == "Workspace" && operation.opens.is_empty() {
            let noun = operation.name.split('.').next().unwrap_or_default();
            nouns.entry(noun).or_default().push(operation);
        }
    }
    nouns
}

fn verb(operation: &OperationDescription) -> &str {
    operation.name.split_once('.').map_or(operation.name.as_str(), |(_, verb)| verb)
}

/// A name as it stands on the command line.
pub(crate) fn words(name: &str) -> String {
    name.replace('_', "-")
}

/// What the parsed command line asks for.
pub(crate) fn read(
    surface: &Description,
    command: &mut Command,
    matches: &ArgMatches,
) -> Result<(Global, Action), clap::Error> {
    let (noun, inner) = matches.subcommand().unwrap_or(("", matches));
    let (verb, leaf) = inner.subcommand().unwrap_or(("", inner));
    let also = ALSO.iter().find(|(known, other, _)| (*known, *other) == (noun, verb));
    let asked = also.map_or_else(|| format!("{noun}.{verb}"), |(.., name)| (*name).to_owned());
    let operation = nouns(surface).into_values().flatten().find(|operation| words(&operation.name) == asked);
    let named = match noun {
        "call" => leaf.get_one::<String>(OPERATION).map(String::as_str),
        _ => operation.map(|operation| operation.name.as_str()),
    };
    let rows = surface.operations.iter().any(|known| known.columns && Some(known.name.as_str()) == named);
    // Rows are for other programs first, unless they have a form for people.
    let usual = if operation.is_some() && rows && !named.is_some_and(text::is_known) {
        Format::Csv
    } else {
        Format::Text
    };
    let mut global = read_global(leaf, usual);
    global.reads_store = operation.is_some_and(|operation| reads_store(&operation.name));
    if let (Format::Csv | Format::Arrow, false) = (global.format, rows) {
        let answer =
            "csv and arrow are for answers that are rows, such as those of `git features`; use text or json";
        return Err(command.error(ErrorKind::InvalidValue, answer));
    }
    let action = match (operation, noun) {
        (Some(operation), _) => {
            let name = operation.name.clone();
            let args = Value::Object(arguments::read(surface, operation, leaf)).to_string().into_bytes();
            match FOLLOWED.contains(&name.as_str()) && leaf.get_flag(FOLLOW) {
                true => Action::Follow { name, args },
                false => Action::Operation { name, args },
            }
        }
        (None, "call") => Action::Operation {
            name: leaf.get_one::<String>(OPERATION).cloned().unwrap_or_default(),
            args: arguments::source(leaf.get_one::<String>(JSON).map_or("{}", String::as_str))
                .map_err(|why| command.error(ErrorKind::Io, why))?,
        },
        (None, "events") => {
            let operation = surface.operations.iter().find(|operation| operation.name == EVENTS);
            let args = operation.map_or_else(Map::new, |operation| arguments::read(surface, operation, leaf));
            let follow = args.get("follow").is_some_and(|follow| follow == true);
            Action::Events { args: Value::Object(args).to_string().into_bytes(), follow }
        }
        (None, "mcp") => Action::Mcp,
        _ => Action::Describe,
    };
    Ok((global, action))
}

fn read_global(leaf: &ArgMatches, usual: Format) -> Global {
    let mut open = Map::new();
    let texts = [
        (REPO, "path"),
        (STORE, "store"),
        (CLOCK, "clock"),
        (NAMESPACE, "namespace"),
        (DURABILITY, "durability"),
    ];
    for (id, name) in texts {
        if let Some(value) = leaf.get_one::<String>(id) {
            open.insert(name.to_owned(), Value::from(value.as_str()));
        }
    }
    open.insert("in_memory".to_owned(), Value::from(leaf.get_flag(IN_MEMORY)));
    let format = match leaf.get_one::<String>(FORMAT).map(String::as_str) {
        None => usual,
        Some("json") => Format::Json,
        Some("csv") => Format::Csv,
        Some("arrow") => Format::Arrow,
        Some(_) => Format::Text,
    };
    Global { open, format, quiet: leaf.get_flag(QUIET), reads_store: false }
}

fn reads_store(op: &str) -> bool {
    let noun = op.split('.').next().unwrap_or_default();
    ABOUT_STORES.contains(&op) || (["session", "schedule", "queue"].contains(&noun) && !FIRST.contains(&op))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workspace_operation_is_a_command_that_clap_accepts() {
        let surface = barograph::describe();
        let command = build(&surface);
        command.clone().debug_assert();
        for operation in &surface.operations {
            let (noun, verb) = operation.name.split_once('.').unwrap();
            let found = command
                .find_subcommand(words(noun))
                .and_then(|command| command.find_subcommand(words(verb)))
                .is_some();
            let wanted = operation.receiver == "Workspace" && operation.opens.is_empty();
            assert_eq!(found, wanted, "{}", operation.name);
        }
    }

    #[test]
    fn a_backup_is_found_where_the_sessions_are() {
        let surface = barograph::describe();
        let mut root = build(&surface);
        let line =
            ["barograph", "session", "backup", "copy.db", "--namespace", "n", "--durability", "process"];
        let matches = root.try_get_matches_from_mut(line).unwrap();
        let (global, action) = read(&surface, &mut root, &matches).unwrap();
        let Action::Operation { name, args } = action else { panic!("{action:?}") };
        assert_eq!((name.as_str(), &args[..]), ("workspace.backup", &br#"{"path":"copy.db"}"#[..]));
        assert_eq!((&global.open["namespace"], &global.open["durability"]), (&"n".into(), &"process".into()));
    }
}
