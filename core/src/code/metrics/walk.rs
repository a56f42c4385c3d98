//! The one pass over a tree that all metrics come from.

use tree_sitter::{Node, TreeCursor};

use super::chain::{Chain, Operator};
use super::lines::{Rows, row};
use super::names;
use super::recursion::{Call, Receiver};
use super::tokens::{Mark, Tokens, Totals};
use crate::base::cancel::CancelToken;
use crate::code::parse::Parsed;
use crate::code::syntax::{Kind, Role, Syntax, flag};
use crate::error::Result;

/// Nodes between two looks at the cancel token.
const NODES_PER_CHECK: u32 = 1 << 16;
/// A qualified name grows no longer, however deep functions nest.
const LONGEST_NAME: usize = 1_000;
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
    /// The class around it.
    pub(super) parent: Option<usize>,
}

/// A function that the pass is in; the first is the file.
struct Scope {
    at: Option<usize>,
    /// Nesting where it begins.
    base: u32,
    /// Functions inside are no level deeper.
    transparent: bool,
    before: Counters,
    totals: Totals,
    /// Shares of the functions directly inside.
    inner: Counters,
    inner_cognitive: u64,
    inner_functions: u32,
    control: u32,
    deepest: u32,
    body_start: u32,
    body: Option<Mark>,
    path: usize,
}

/// A class that the pass is in.
struct Around {
    at: usize,
    /// How many functions were around it.
    functions: usize,
    statements: u32,
    path: usize,
}

/// A node that the pass is in and that cares for its children or its end.
struct Frame {
    depth: u32,
    role: Role,
    /// Levels of nesting that end with it.
    nest: u32,
    /// What was met so far.
    state: State,
    chain: Chain,
}

/// How far a structure has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Header,
    /// Behind `then` or its like, the first arm, the word of a jump.
    Body,
    /// Behind an `else`.
    Else,
    /// Behind an `else` whose statements stand in no block.
    ElseBlock,
}

/// The last tokens, to see who is called.
#[derive(Clone, Copy, Default)]
struct Last {
    flags: u32,
    start: u32,
    end: u32,
}

pub(super) struct Outcome {
    pub(super) functions: Vec<Function>,
    pub(super) classes: Vec<Class>,
    pub(super) calls: Vec<Call>,
    pub(super) rows: Rows,
    pub(super) file: Function,
    pub(super) damages: u64,
    pub(super) damaged_bytes: u64,
}

pub(super) struct Walk<'a> {
    syntax: &'static Syntax,
    text: &'a [u8],
    tokens: Tokens,
    rows: Rows,
    frames: Vec<Frame>,
    bindings: Vec<Node<'a>>,
    scopes: Vec<Scope>,
    around: Vec<Around>,
    functions: Vec<Function>,
    classes: Vec<Class>,
    calls: Vec<Call>,
    counters: Counters,
    nesting: u32,
    control: u32,
    path: String,
    /// Where the innermost function's body begins, until it does.
    body_at: u32,
    /// Where the innermost class's body begins.
    class_body: usize,
    /// The next `if` goes on with an `else`.
    else_if: bool,
    imports: u32,
    damages: u64,
    damaged_bytes: u64,
    damaged_to: usize,
    last: [Last; 3],
}

/// Whether the pass goes into a node.
#[derive(PartialEq, Eq)]
enum Way {
    Into,
    Token,
    Past,
}

impl<'a> Walk<'a> {
    pub(super) fn new(parsed: &'a Parsed<'_>, syntax: &'static Syntax) -> Walk<'a> {
        let text = parsed.text;
        Walk {
            syntax,
            text,
            tokens: Tokens::new(syntax.len(), text.len()),
            rows: Rows::of(text),
            frames: Vec::with_capacity(64),
            bindings: Vec::new(),
            scopes: vec![Scope {
                at: None,
                base: 0,
                transparent: true,
                before: Counters::default(),
                totals: Totals::default(),
                inner: Counters::default(),
                inner_cognitive: 0,
                inner_functions: 0,
                control: 0,
                deepest: 0,
                body_start: 0,
                body: Some(Mark::default()),
                path: 0,
            }],
            around: Vec::new(),
            functions: Vec::new(),
            classes: Vec::new(),
            calls: Vec::new(),
            counters: Counters::default(),
            nesting: 0,
            control: 0,
            path: String::new(),
            body_at: NOWHERE,
            class_body: usize::MAX,
            else_if: false,
            imports: 0,
            damages: 0,
            damaged_bytes: 0,
            damaged_to: 0,
            last: [Last::default(); 3],
        }
    }

    /// Walks the whole tree.
    pub(super) fn run(mut self, parsed: &'a Parsed<'_>, cancel: &CancelToken) -> Result<Outcome> {
        let root = parsed.tree.root_node();
        let damaged = root.has_error();
        let mut cursor = root.walk();
        let mut depth = 0_u32;
        let mut left = NODES_PER_CHECK;
        // Depth of the children of the innermost frame, and of that frame's node.
        let mut watched = NOWHERE;
        loop {
            let node = cursor.node();
            let id = node.kind_id();
            let kind = self.syntax.kind(id);
            left -= 1;
            if left == 0 {
                left = NODES_PER_CHECK;
                cancel.check()?;
            }
            let way = if depth == watched || kind.role != Role::Plain {
                if depth == watched {
                    self.child(&cursor, kind, depth);
                }
                let way = self.enter(node, kind, depth);
                watched = self.watched();
                way
            } else if kind.is(flag::ATOM) {
                Way::Token
            } else {
                Way::Into
            };
            if kind.is(flag::DECISION | flag::STATEMENT | flag::EXIT) {
                self.count(kind);
            }
            if way == Way::Into && cursor.goto_first_child() {
                depth += 1;
                continue;
            }
            if way != Way::Past {
                self.token(node, id, kind, damaged);
            }
            loop {
                if depth.wrapping_add(1) == watched {
                    self.leave(depth);
                    watched = self.watched();
                }
                if cursor.goto_next_sibling() {
                    break;
                }
                if !cursor.goto_parent() {
                    return Ok(self.finish());
                }
                depth -= 1;
            }
        }
    }

    #[inline]
    fn watched(&self) -> u32 {
        self.frames.last().map_or(NOWHERE, |frame| frame.depth + 1)
    }

    #[inline]
    fn count(&mut self, kind: Kind) {
        self.counters.decisions += u32::from(kind.is(flag::DECISION));
        self.counters.statements += u32::from(kind.is(flag::STATEMENT));
        self.counters.exits += u32::from(kind.is(flag::EXIT));
    }

    /// An increment that grows with nesting.
    fn structural(&mut self) {
        self.counters.cognitive += 1 + u64::from(self.nesting);
        self.counters.structural += 1;
    }

    /// An increment that does not.
    fn fundamental(&mut self) {
        self.counters.cognitive += 1;
    }

    fn push(&mut self, depth: u32, role: Role) {
        self.frames.push(Frame { depth, role, nest: 0, state: State::Header, chain: Chain::default() });
    }

    /// From here to the end of the node at `depth`, everything is one level deeper.
    fn push_nested(&mut self, depth: u32, role: Role) {
        self.nesting += 1;
        self.control += 1;
        if let Some(scope) = self.scopes.last_mut() {
            scope.deepest = scope.deepest.max(self.control);
        }
        self.frames.push(Frame { depth, role, nest: 1, state: State::Header, chain: Chain::default() });
    }

    /// A child of the innermost frame's node, before it is entered.
    fn child(&mut self, cursor: &TreeCursor<'_>, kind: Kind, depth: u32) {
        let Some(frame) = self.frames.last_mut() else { return };
        match frame.role {
            Role::If | Role::Else | Role::ElseIf | Role::Loop => {
                if kind.is(flag::ELSE) {
                    if frame.role == Role::If {
                        frame.state = State::Else;
                        self.fundamental();
                    }
                } else if kind.is(flag::THEN) {
                    if frame.state == State::Header {
                        frame.state = State::Body;
                    }
                } else if kind.is(flag::NAMED)
                    && !kind.is(flag::COMMENT)
                    && !matches!(kind.role, Role::Else | Role::ElseIf)
                {
                    match frame.state {
                        State::Else if kind.role == Role::If => self.else_if = true,
                        State::Header if !kind.is(flag::BODY) && !self.syntax.nests(cursor.field_id()) => {}
                        _ => self.push_nested(depth, Role::Plain),
                    }
                }
            }
            Role::PreprocessorIf | Role::PreprocessorElseIf | Role::PreprocessorElse => {
                let field = cursor.field_id().map_or(0, |field| field.get());
                let fields = self.syntax.field;
                let header =
                    field != 0 && [fields.name, fields.condition, fields.alternative].contains(&field);
                if kind.is(flag::NAMED) && !header && self.scopes.len() > 1 {
                    self.push_nested(depth, Role::Plain);
                }
            }
            Role::Binary => {
                let operator = if kind.is(flag::AND) {
                    Operator::And
                } else if kind.is(flag::OR) {
                    Operator::Or
                } else if kind.is(flag::NAMED) && kind.is(flag::OPERATOR) {
                    // In Scala an operator is a name like others.
                    match self.text.get(cursor.node().byte_range()) {
                        Some(b"&&") => Operator::And,
                        Some(b"||") => Operator::Or,
                        _ => return,
                    }
                } else {
                    return;
                };
                frame.chain.operator(operator);
                self.counters.decisions += 1;
            }
            Role::Arms | Role::Switch => {
                if kind.role == Role::Arm {
                    self.counters.decisions += u32::from(frame.state == State::Body);
                    frame.state = State::Body;
                }
            }
            Role::LetElse => {
                if kind.is(flag::ELSE) {
                    frame.state = State::Else;
                    self.counters.decisions += 1;
                    self.fundamental();
                } else if frame.state == State::Else && kind.is(flag::NAMED) {
                    frame.state = State::Header;
                    self.push_nested(depth, Role::Plain);
                }
            }
            Role::Jump => {
                if kind.is(flag::JUMP) {
                    frame.state = State::Body;
                } else if kind.is(flag::LABEL) && frame.state == State::Body {
                    self.fundamental();
                }
            }
            Role::Fields => {
                if !kind.is(flag::NAMED) && self.text.get(cursor.node().start_byte()) == Some(&b',') {
                    self.field();
                }
            }
            _ => {}
        }
    }

    fn field(&mut self) {
        if let Some(around) = self.around.last() {
            if around.functions == self.scopes.len() {
                if let Some(class) = self.classes.get_mut(around.at) {
                    class.fields += 1;
                }
            }
        }
    }

    /// Whether the node that is entered is a child of the innermost frame's, and which role that has.
    fn parent(&self, depth: u32) -> Role {
        let mut frames = self.frames.iter().rev().skip_while(|frame| frame.depth >= depth);
        frames.next().filter(|frame| frame.depth + 1 == depth).map_or(Role::Plain, |frame| frame.role)
    }

    fn enter(&mut self, node: Node<'a>, kind: Kind, depth: u32) -> Way {
        match kind.role {
            Role::Plain | Role::Arm => {
                if kind.is(flag::ATOM) {
                    return Way::Token;
                }
            }
            Role::Function | Role::Lambda => self.function(node, kind, depth),
            Role::Class => self.class(node, depth),
            Role::If => {
                if !std::mem::take(&mut self.else_if) {
                    self.structural();
                }
                self.push(depth, Role::If);
            }
            Role::Else => {
                if matches!(self.parent(depth), Role::If | Role::Loop | Role::ElseIf) {
                    self.fundamental();
                    let state = if kind.is(flag::BODY) { State::ElseBlock } else { State::Else };
                    self.frames.push(Frame {
                        depth,
                        role: Role::Else,
                        nest: 0,
                        state,
                        chain: Chain::default(),
                    });
                }
            }
            Role::ElseIf => {
                self.fundamental();
                self.push(depth, Role::ElseIf);
            }
            Role::PreprocessorIf => {
                if self.scopes.len() > 1 {
                    self.structural();
                    self.push(depth, kind.role);
                }
            }
            Role::PreprocessorElseIf | Role::PreprocessorElse => {
                if self.scopes.len() > 1 {
                    self.fundamental();
                    self.push(depth, kind.role);
                }
            }
            Role::Loop => {
                self.structural();
                self.push(depth, Role::Loop);
            }
            Role::Switch | Role::Catch | Role::Ternary => {
                self.structural();
                self.push_nested(depth, kind.role);
            }
            Role::Guard => {
                // A pattern alone is the one child of its node.
                if node.child_count() > 1 {
                    self.counters.decisions += 1;
                    self.fundamental();
                }
            }
            Role::Binary | Role::Group | Role::Arms | Role::Jump | Role::Fields => {
                if kind.is(flag::FIELD) {
                    self.field();
                }
                self.push(depth, kind.role);
            }
            Role::Goto => self.fundamental(),
            Role::LetElse | Role::Binding => {
                if kind.is(flag::FIELD) {
                    self.field();
                }
                self.bindings.push(node);
                self.push(depth, kind.role);
            }
            Role::Import => {
                self.imports += 1;
                self.push(depth, Role::Import);
            }
            Role::Text => {
                if !names::interpolates(self.text, node) {
                    return Way::Token;
                }
            }
            Role::Documentation => {
                if self.documents(node) {
                    let (start, end) = span(node);
                    self.rows.mark(start, end, row::COMMENT);
                    return Way::Past;
                }
            }
            Role::Layout => {
                self.tokens.bound(1);
                self.push(depth, Role::Layout);
            }
            Role::Damage => {
                self.damages += 1;
                let (start, end) = (node.start_byte().max(self.damaged_to), node.end_byte());
                self.damaged_bytes += end.saturating_sub(start) as u64;
                self.damaged_to = self.damaged_to.max(end);
            }
        }
        Way::Into
    }

    /// Whether a statement is a lone string where documentation stands.
    fn documents(&self, node: Node<'_>) -> bool {
        let start = node.start_byte();
        let first = self.tokens.totals.tokens == 0
            || self.scopes.last().is_some_and(|scope| scope.body_start as usize == start)
            || self.class_body == start;
        first
            && node.child_count() == 1
            && node.child(0).is_some_and(|child| self.syntax.kind(child.kind_id()).role == Role::Text)
    }

    fn function(&mut self, node: Node<'a>, kind: Kind, depth: u32) {
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
            rows: node.start_position().row..node.end_position().row + 1,
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
    fn bound_to(&self, depth: u32) -> Option<Node<'a>> {
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

    fn end_of_function(&mut self) {
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

    fn class(&mut self, node: Node<'a>, depth: u32) {
        let Some((name, body)) = names::of_class(node, self.bound_to(depth), self.syntax, self.text) else {
            return;
        };
        let path = self.path.len();
        self.step(&name);
        let at = self.classes.len();
        self.classes.push(Class {
            name,
            rows: node.start_position().row..node.end_position().row + 1,
            fields: 0,
            statements: 0,
            parent: self.around.last().map(|around| around.at),
        });
        self.class_body = body;
        let functions = self.scopes.len();
        self.around.push(Around { at, functions, statements: self.counters.statements, path });
        self.push(depth, Role::Class);
    }

    fn end_of_class(&mut self) {
        let Some(around) = self.around.pop() else { return };
        self.path.truncate(around.path);
        if let Some(class) = self.classes.get_mut(around.at) {
            class.statements = self.counters.statements - around.statements;
        }
    }

    /// The end of the node at `depth`.
    fn leave(&mut self, depth: u32) {
        while let Some(frame) = self.frames.pop_if(|frame| frame.depth == depth) {
            self.nesting -= frame.nest;
            match frame.role {
                Role::Function => {
                    self.end_of_function();
                    continue;
                }
                Role::Class => self.end_of_class(),
                Role::Binding | Role::LetElse => {
                    self.bindings.pop();
                }
                Role::Import => self.imports -= 1,
                Role::Layout => self.tokens.bound(2),
                Role::Binary | Role::Group if !frame.chain.is_empty() => {
                    let outer = self.frames.last_mut().filter(|outer| outer.depth + 1 == depth);
                    match outer {
                        Some(outer)
                            if matches!(outer.role, Role::Binary | Role::Group)
                                && (frame.chain.logical || frame.role == Role::Group) =>
                        {
                            outer.chain.operand(frame.chain);
                        }
                        _ => self.counters.cognitive += u64::from(frame.chain.sequences),
                    }
                }
                _ => {}
            }
            self.control -= frame.nest;
        }
    }

    /// A leaf, or what counts as one.
    #[inline]
    fn token(&mut self, node: Node<'_>, id: u16, kind: Kind, damaged: bool) {
        let (start, end) = span(node);
        if start == end {
            if damaged && node.is_missing() {
                self.damages += 1;
            }
            return;
        }
        if kind.is(flag::COMMENT | flag::LAYOUT) {
            if kind.is(flag::COMMENT) {
                self.rows.mark(start, end, row::COMMENT);
            }
            return;
        }
        self.rows.mark(start, end, if self.imports == 0 { row::CODE } else { row::IMPORT });
        if start >= self.body_at {
            self.body_at = NOWHERE;
            if let Some(scope) = self.scopes.last_mut() {
                scope.body = Some(self.tokens.mark());
            }
        }
        if kind.is(flag::NAMED) {
            let text = self.text.get(start as usize..end as usize).unwrap_or_default();
            if kind.is(flag::OPERATOR) {
                self.tokens.named_operator(text);
            } else {
                let hash = self.tokens.operand(text);
                if kind.is(flag::NAME) && self.text.get(end as usize) == Some(&b'(') {
                    self.call(hash, start);
                }
            }
        } else if kind.is(flag::CLOSES) {
            self.tokens.closing(self.syntax.hash(id));
        } else {
            self.tokens.operator(id, self.syntax.hash(id));
        }
        self.last = [Last { flags: kind.flags, start, end }, self.last[0], self.last[1]];
    }

    /// A name with an opening parenthesis behind it, in a body: a call, if it is of this file.
    fn call(&mut self, name: u64, start: u32) {
        let Some(scope) = self.scopes.last().filter(|scope| scope.body.is_some()) else { return };
        let Some(caller) = scope.at else { return };
        let [member, object, before] = self.last;
        let text = |last: Last| self.text.get(last.start as usize..last.end as usize).unwrap_or_default();
        let receiver = if member.flags & flag::MEMBER == 0 {
            if text(member) == b"new" {
                return;
            }
            Receiver::None
        } else if before.flags & flag::MEMBER != 0 {
            return;
        } else if object.flags & flag::SELF != 0
            || matches!(text(object), b"self" | b"cls" | b"this" | b"Self" | b"static")
        {
            Receiver::This
        } else {
            Receiver::Named(super::tokens::hash(text(object)))
        };
        self.calls.push(Call { caller, name, receiver, at: start });
    }

    fn finish(mut self) -> Outcome {
        let distinct = self.tokens.close();
        let scope = self.scopes.pop();
        let (inner, inner_cognitive, nested, deepest) = scope.map_or_else(Default::default, |scope| {
            (scope.inner, scope.inner_cognitive, scope.inner_functions, scope.deepest)
        });
        let own = self.counters.cognitive - inner.cognitive;
        let file = Function {
            cognitive_own: own,
            cognitive: own + inner_cognitive,
            decisions: self.counters.decisions,
            decisions_own: self.counters.decisions - inner.decisions,
            nested,
            nesting: deepest,
            exits: self.counters.exits - inner.exits,
            statements: self.counters.statements,
            totals: self.tokens.totals,
            distinct,
            identity: self.tokens.identity(Mark::default()),
            rows: 0..self.rows.marks.len(),
            ..Function::default()
        };
        Outcome {
            functions: self.functions,
            classes: self.classes,
            calls: self.calls,
            rows: self.rows,
            file,
            damages: self.damages,
            damaged_bytes: self.damaged_bytes,
        }
    }
}

pub(super) fn span(node: Node<'_>) -> (u32, u32) {
    (u32::try_from(node.start_byte()).unwrap_or(NOWHERE), u32::try_from(node.end_byte()).unwrap_or(NOWHERE))
}
