//! Functions and classes that the pass is in, and what is known of them when it leaves.

use tree_sitter::Node;

use super::chain::Chain;
use super::names;
use super::tokens::{Mark, Totals};
use super::walk::{Frame, State, Walk, span};
use crate::code::syntax::{Kind, Role};

/// A qualified name grows no longer, however deep functions nest.
const LONGEST_NAME: usize = 400;
const NOWHERE: u32 = u32::MAX;

/// Counters that only grow; a function's share is the difference between its end and its beginning.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    pub(super) decisions: u32,
    /// Cognitive increments, those for nesting counted from the file's top.
    pub(super) cognitive: u64,
    /// How many of them grow with nesting.
    pub(super) structural: u64,
    pub(super) exits: u32,
    pub(super) statements: u32,
}

impl Counters {
    fn since(self, before: Counters) -> Counters {
        Counters {
            decisions: self.decisions - before.decisions,
            cognitive: self.cognitive - before.cognitive,
            structural: self.structural - before.structural,
            exits: self.exits - before.exits,
            statements: self.statements - before.statements,
        }
    }

    fn add(&mut self, other: Counters) {
        self.decisions += other.decisions;
        self.cognitive += other.cognitive;
        self.structural += other.structural;
        self.exits += other.exits;
        self.statements += other.statements;
    }
}

/// What is known of a function once the pass has left it.
#[derive(Clone, Debug, Default)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) qualified: String,
    pub(super) anonymous: bool,
    /// The function around it.
    pub(super) parent: Option<usize>,
    /// The class that it is a method of.
    pub(super) class: Option<usize>,
    pub(super) receiver: Option<String>,
    pub(super) type_name: Option<String>,
    pub(super) bytes: std::ops::Range<usize>,
    pub(super) body: std::ops::Range<usize>,
    pub(super) rows: std::ops::Range<usize>,
    pub(super) parameters: u32,
    pub(super) decisions_own: u32,
    pub(super) decisions: u32,
    /// Functions inside.
    pub(super) nested: u32,
    pub(super) cognitive_own: u64,
    pub(super) cognitive: u64,
    pub(super) nesting: u32,
    pub(super) exits: u32,
    pub(super) statements: u32,
    pub(super) totals: Totals,
    pub(super) distinct: (u64, u64),
    pub(super) identity: u64,
}

/// What is known of a class.
#[derive(Clone, Debug, Default)]
pub(super) struct Class {
    pub(super) name: String,
    pub(super) rows: std::ops::Range<usize>,
    pub(super) fields: u32,
    pub(super) statements: u32,
}

/// A function that the pass is in; the first is the file.
pub(super) struct Scope {
    pub(super) at: Option<usize>,
    /// Nesting where it begins.
    pub(super) base: u32,
    /// Functions inside are no level deeper.
    pub(super) transparent: bool,
    pub(super) before: Counters,
    pub(super) totals: Totals,
    /// Shares of the functions directly inside.
    pub(super) inner: Counters,
    pub(super) inner_cognitive: u64,
    pub(super) inner_functions: u32,
    pub(super) control: u32,
    pub(super) deepest: u32,
    pub(super) body_start: u32,
    pub(super) body: Option<Mark>,
    pub(super) path: usize,
}

/// A class that the pass is in.
pub(super) struct Around {
    pub(super) at: usize,
    /// How many functions were around it.
    pub(super) functions: usize,
    pub(super) statements: u32,
    pub(super) path: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn function(&mut self, node: Node<'a>, kind: Kind, depth: u32) {
        let Some(body) = names::body(node, kind, self.syntax) else { return };
        let outer = self.scopes.last();
        let level = u32::from(outer.is_some_and(|scope| !scope.transparent));
        let parent = outer.and_then(|scope| scope.at);
        let class =
            self.around.last().filter(|around| around.functions == self.scopes.len()).map(|around| around.at);
        let bound = self.bound_to(depth);
        let name = match kind.role {
            Role::Function => names::of_function(node, self.syntax, self.text),
            _ => names::of_lambda(node, bound, self.syntax, self.text),
        };
        let (receiver, mut type_name) = names::receiver(node, self.syntax, self.text);
        let name = name.map(|name| match name.rsplit_once("::") {
            // `int Queue::size()` is a method of `Queue` (C++).
            Some((owner, name)) => {
                type_name =
                    owner.rsplit("::").next().map(|owner| names::without_arguments(owner).to_string());
                name.trim_start().to_string()
            }
            None => name,
        });
        let habits = self.syntax.habits;
        let transparent = (habits.module_functions && parent.is_none() && names::only_declares(body))
            || (habits.decorators && names::decorates(body));
        let path = self.path.len();
        let anonymous = name.is_none();
        let name = name.unwrap_or_else(|| names::ANONYMOUS.to_string());
        if let Some(type_name) = &type_name {
            self.step(type_name);
        }
        self.step(&name);
        let at = self.functions.len();
        self.functions.push(Function {
            name,
            qualified: self.path.clone(),
            anonymous,
            parent,
            class,
            receiver,
            type_name,
            bytes: node.byte_range(),
            body: body.byte_range(),
            rows: rows_of(node),
            parameters: names::parameters(node, self.syntax, self.text),
            ..Function::default()
        });
        self.nesting += level;
        let body_start = span(body).0;
        self.scopes.push(Scope {
            at: Some(at),
            base: self.nesting,
            transparent,
            before: self.counters,
            totals: self.tokens.totals,
            inner: Counters::default(),
            inner_cognitive: 0,
            inner_functions: 0,
            control: self.control,
            deepest: self.control,
            body_start,
            body: None,
            path,
        });
        self.body_at = body_start;
        self.tokens.open();
        self.frames.push(Frame {
            depth,
            role: Role::Function,
            nest: level,
            state: State::Header,
            chain: Chain::default(),
        });
    }

    fn step(&mut self, name: &str) {
        if self.path.len() + name.len() < LONGEST_NAME {
            if !self.path.is_empty() {
                self.path.push('.');
            }
            self.path.push_str(name);
        }
    }

    /// What the value at `depth` is bound to, if it stands directly in a binding.
    pub(super) fn bound_to(&self, depth: u32) -> Option<Node<'a>> {
        let mut below = depth;
        for frame in self.frames.iter().rev().skip_while(|frame| frame.depth >= depth) {
            if frame.depth + 1 != below {
                return None;
            }
            match frame.role {
                Role::Group => below = frame.depth,
                Role::Binding | Role::LetElse => return self.bindings.last().copied(),
                _ => return None,
            }
        }
        None
    }

    pub(super) fn end_of_function(&mut self) {
        let Some(scope) = self.scopes.pop() else { return };
        if scope.transparent && self.syntax.habits.module_functions {
            // It was taken for a stand-in for a class; with structure of its own it is none.
            let structured = self.counters.structural - scope.before.structural > scope.inner.structural;
            self.counters.cognitive += if structured { scope.inner.structural } else { 0 };
        }
        let share = self.counters.since(scope.before);
        let levels = |counters: Counters| counters.cognitive - counters.structural * u64::from(scope.base);
        let own = levels(Counters {
            cognitive: share.cognitive - scope.inner.cognitive,
            structural: share.structural - scope.inner.structural,
            ..Counters::default()
        });
        let identity = self.tokens.identity(scope.body.unwrap_or_else(|| self.tokens.mark()));
        let distinct = self.tokens.close();
        self.path.truncate(scope.path);
        let Some(function) = scope.at.and_then(|at| self.functions.get_mut(at)) else { return };
        function.cognitive_own = own;
        // Equal to what the pass counted: where a function is transparent, nesting did not grow.
        function.cognitive = levels(share);
        function.decisions = share.decisions;
        function.decisions_own = share.decisions - scope.inner.decisions;
        function.nested = scope.inner_functions;
        function.exits = share.exits - scope.inner.exits;
        function.statements = share.statements;
        function.nesting = scope.deepest - scope.control;
        function.totals = Totals {
            tokens: self.tokens.totals.tokens - scope.totals.tokens,
            operators: self.tokens.totals.operators - scope.totals.operators,
            operands: self.tokens.totals.operands - scope.totals.operands,
        };
        function.distinct = distinct;
        function.identity = identity;
        let cognitive = function.cognitive;
        if let Some(outer) = self.scopes.last_mut() {
            outer.inner.add(share);
            outer.inner_cognitive += cognitive;
            outer.inner_functions += 1 + scope.inner_functions;
            outer.deepest = outer.deepest.max(scope.deepest);
            // The function may have stood before the outer one's body, as a default value.
            self.body_at = if outer.body.is_none() { outer.body_start } else { NOWHERE };
        }
    }

    pub(super) fn class(&mut self, node: Node<'a>, depth: u32) {
        let Some((name, body)) = names::of_class(node, self.bound_to(depth), self.syntax, self.text) else {
            return;
        };
        let path = self.path.len();
        self.step(&name);
        let at = self.classes.len();
        self.classes.push(Class { name, rows: rows_of(node), fields: 0, statements: 0 });
        self.class_body = body;
        let functions = self.scopes.len();
        self.around.push(Around { at, functions, statements: self.counters.statements, path });
        self.push(depth, Role::Class);
    }

    pub(super) fn end_of_class(&mut self) {
        let Some(around) = self.around.pop() else { return };
        self.path.truncate(around.path);
        if let Some(class) = self.classes.get_mut(around.at) {
            class.statements = self.counters.statements - around.statements;
        }
    }
}

/// The rows of a node, the one behind its last included in no case.
fn rows_of(node: Node<'_>) -> std::ops::Range<usize> {
    let (start, end) = (node.start_position(), node.end_position());
    // What ends with the end of a line does not reach into the next.
    let last = if end.column == 0 && end.row > start.row { end.row } else { end.row + 1 };
    start.row..last
}
