//! Which functions of a file call themselves, directly or through one another.

use std::collections::HashMap;

use super::scopes::Function;
use super::tokens::hash;
use crate::code::syntax::Habits;

/// Functions around a caller in which a name is looked up.
const SCOPES_SEARCHED: usize = 16;

/// With more functions of one name in one place, nothing says which is called.
const MOST_OF_A_NAME: usize = 32;

/// On what a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Receiver {
    None,
    This,
    /// The hash of a name, which may be that of the receiver or of the class.
    Named(u64),
}

/// A call in a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) caller: usize,
    /// The hash of the name.
    pub(super) name: u64,
    pub(super) receiver: Receiver,
    /// Where the name stands.
    pub(super) at: u32,
}

/// Where a function's name is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Home {
    /// The file, outside of classes and functions.
    File,
    Function(usize),
    /// The hash of a class's name.
    Class(u64),
}

/// The functions that are part of a cycle of calls.
///
/// `arity` tells how many arguments a call has, where functions of one name differ by that.
pub(super) fn in_cycles(
    functions: &[Function],
    class_names: &[String],
    calls: &[Call],
    habits: Habits,
    arity: impl Fn(&Call) -> Option<u32>,
) -> Vec<usize> {
    if calls.is_empty() {
        return Vec::new();
    }
    let class_hashes: Vec<u64> = class_names.iter().map(|name| hash(name.as_bytes())).collect();
    let class_of = |at: usize| -> Option<u64> {
        let mut at = at;
        for _ in 0..SCOPES_SEARCHED {
            let function = functions.get(at)?;
            if let Some(name) = &function.type_name {
                return Some(hash(name.as_bytes()));
            }
            if let Some(class) = function.class {
                return class_hashes.get(class).copied();
            }
            at = function.parent?;
        }
        None
    };
    let mut known: HashMap<(u64, Home), Vec<usize>> = HashMap::new();
    for (at, function) in functions.iter().enumerate().filter(|(_, function)| !function.anonymous) {
        let home = if function.class.is_some() || function.type_name.is_some() {
            class_of(at).map_or(Home::File, Home::Class)
        } else {
            function.parent.map_or(Home::File, Home::Function)
        };
        known.entry((hash(function.name.as_bytes()), home)).or_default().push(at);
    }
    let names: std::collections::HashSet<u64> = known.keys().map(|(name, _)| *name).collect();
    let mut edges: Vec<Vec<usize>> = vec![Vec::new(); functions.len()];
    for call in calls.iter().filter(|call| names.contains(&call.name)) {
        let class = || class_of(call.caller).map(Home::Class);
        let called = match call.receiver {
            Receiver::This => class().and_then(|home| known.get(&(call.name, home))),
            Receiver::Named(object) => {
                // The receiver's own name (Go), or the class's name for what belongs to the class itself.
                let own = functions.get(call.caller).and_then(|function| function.receiver.as_ref());
                if own.is_some_and(|name| hash(name.as_bytes()) == object) {
                    class().and_then(|home| known.get(&(call.name, home)))
                } else {
                    known.get(&(call.name, Home::Class(object)))
                }
            }
            Receiver::None => {
                let mut found = None;
                let mut scope = Some(call.caller);
                for _ in 0..SCOPES_SEARCHED {
                    let Some(at) = scope else { break };
                    found = known.get(&(call.name, Home::Function(at)));
                    if found.is_some() {
                        break;
                    }
                    scope = functions.get(at).and_then(|function| function.parent);
                }
                if found.is_none() && habits.implicit_this {
                    found = class().and_then(|home| known.get(&(call.name, home)));
                }
                found.or_else(|| known.get(&(call.name, Home::File)))
            }
        };
        let Some(called) = called else { continue };
        // A lambda without a name is part of the function that it stands in.
        let mut caller = call.caller;
        while let Some(function) = functions.get(caller).filter(|function| function.anonymous) {
            match function.parent {
                Some(parent) => caller = parent,
                None => break,
            }
        }
        if called.len() > MOST_OF_A_NAME {
            continue;
        }
        let fits = |callee: usize, count: u32| functions.get(callee).is_some_and(|f| f.parameters == count);
        let called = match called.as_slice() {
            several if habits.overloads && several.len() > 1 => {
                let count = arity(call);
                let mut fitting =
                    several.iter().filter(|&&callee| count.is_none_or(|count| fits(callee, count)));
                // Which of several overloads is meant, their types would have to say.
                match (fitting.next(), fitting.next()) {
                    (Some(&only), None) => vec![only],
                    _ => continue,
                }
            }
            all => all.to_vec(),
        };
        if let Some(edges) = edges.get_mut(caller) {
            edges.extend(called);
        }
    }
    cycles(&edges)
}

/// The nodes of a graph that lie on a cycle (Tarjan 1972, without recursion).
fn cycles(edges: &[Vec<usize>]) -> Vec<usize> {
    const NEW: usize = usize::MAX;
    let mut order = vec![NEW; edges.len()];
    let mut low = vec![0; edges.len()];
    let mut open = vec![false; edges.len()];
    let mut stack = Vec::new();
    let mut path: Vec<(usize, usize)> = Vec::new();
    let mut next = 0;
    let mut found = Vec::new();
    for root in 0..edges.len() {
        if order[root] != NEW || edges[root].is_empty() {
            continue;
        }
        path.push((root, 0));
        while let Some((node, edge)) = path.last_mut() {
            let node = *node;
            if *edge == 0 {
                order[node] = next;
                low[node] = next;
                next += 1;
                stack.push(node);
                open[node] = true;
            }
            if let Some(&target) = edges[node].get(*edge) {
                *edge += 1;
                if order[target] == NEW {
                    path.push((target, 0));
                } else if open[target] {
                    low[node] = low[node].min(order[target]);
                }
                continue;
            }
            path.pop();
            if let Some(&(parent, _)) = path.last() {
                low[parent] = low[parent].min(low[node]);
            }
            if low[node] == order[node] {
                let from = stack.iter().rposition(|&member| member == node).unwrap_or(0);
                let members = stack.split_off(from);
                for &member in &members {
                    open[member] = false;
                }
                if members.len() > 1 || edges[node].contains(&node) {
                    found.extend(members);
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nodes_on_a_cycle_are_found() {
        let mut found = cycles(&[vec![1], vec![2, 4], vec![0], vec![3], vec![]]);
        found.sort_unstable();
        assert_eq!(found, [0, 1, 2, 3]);
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let length = 200_000;
        let edges: Vec<Vec<usize>> = (0..length).map(|at| vec![(at + 1) % length]).collect();
        assert_eq!(cycles(&edges).len(), length);
    }
}
