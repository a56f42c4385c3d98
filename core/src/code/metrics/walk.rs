//! The one pass over a tree that all metrics come from.

use tree_sitter::{Node, TreeCursor};

use super::chain::{Chain, Operator};
use super::lines::{Rows, row};
use super::names;
use super::recursion::{Call, Receiver};
use super::scopes::{Around, Class, Counters, Function, Scope};
use super::tokens::{Mark, Tokens, Totals};
use crate::base::cancel::CancelToken;
use crate::code::parse::Parsed;
use crate::code::syntax::{Kind, Role, Syntax, flag};
use crate::error::Result;

/// Nodes between two looks at the cancel token.
const NODES_PER_CHECK: u32 = 1 << 16;
const NOWHERE: u32 = u32::MAX;

/// A node that the pass is in and that cares for its children or its end.
pub(super) struct Frame {
    pub(super) depth: u32,
    pub(super) role: Role,
    /// Levels of nesting that end with it.
    pub(super) nest: u32,
    /// What was met so far.
    pub(super) state: State,
    pub(super) chain: Chain,
}

/// How far a structure has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
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
pub(super) struct Last {
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
    pub(super) syntax: &'static Syntax,
    pub(super) text: &'a [u8],
    pub(super) tokens: Tokens,
    pub(super) rows: Rows,
    pub(super) frames: Vec<Frame>,
    pub(super) bindings: Vec<Node<'a>>,
    /// Exits before each lambda that the pass is in and that is no function.
    pub(super) lambda_exits: Vec<u32>,
    pub(super) scopes: Vec<Scope>,
    pub(super) around: Vec<Around>,
    pub(super) functions: Vec<Function>,
    pub(super) classes: Vec<Class>,
    pub(super) calls: Vec<Call>,
    pub(super) counters: Counters,
    pub(super) nesting: u32,
    pub(super) control: u32,
    pub(super) path: String,
    /// Where the innermost function's body begins, until it does.
    pub(super) body_at: u32,
    /// Where the innermost class's body begins.
    pub(super) class_body: usize,
    /// The next `if` goes on with an `else`.
    pub(super) else_if: bool,
    pub(super) imports: u32,
    pub(super) damages: u64,
    pub(super) damaged_bytes: u64,
    pub(super) damaged_to: usize,
    pub(super) last: [Last; 3],
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
            lambda_exits: Vec::new(),
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
            if kind.is(flag::DECISION | flag::STATEMENT | flag::EXIT) && way != Way::Past {
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

    pub(super) fn push(&mut self, depth: u32, role: Role) {
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
            Role::Tokens => {
                if kind.is(flag::BRANCH) {
                    self.counters.decisions += 1;
                    self.structural();
                } else if kind.is(flag::AND | flag::OR) {
                    self.counters.decisions += 1;
                    // Behind an operand it joins; elsewhere it is a closure's empty list of parameters.
                    let before = self.last[0].flags;
                    if before & (flag::NAMED | flag::CLOSES) != 0 {
                        let operator = if kind.is(flag::AND) { Operator::And } else { Operator::Or };
                        frame.chain.operator(operator);
                    }
                }
            }
            Role::Arms | Role::Switch if kind.role == Role::Arm => {
                self.counters.decisions += u32::from(frame.state == State::Body);
                frame.state = State::Body;
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
            Role::Fields
                if !kind.is(flag::NAMED) && self.text.get(cursor.node().start_byte()) == Some(&b',') =>
            {
                self.field();
            }
            _ => {}
        }
    }

    fn field(&mut self) {
        if let Some(around) = self.around.last()
            && around.functions == self.scopes.len()
            && let Some(class) = self.classes.get_mut(around.at)
        {
            class.fields += 1;
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
            Role::Lambda
                if self.syntax.habits.expression_lambdas
                    && (self.scopes.len() > 1 || self.bound_to(depth).is_none()) =>
            {
                let nest = u32::from(self.scopes.len() > 1);
                self.nesting += nest;
                self.lambda_exits.push(self.counters.exits);
                let (role, state) = (Role::Lambda, State::Header);
                self.frames.push(Frame { depth, role, nest, state, chain: Chain::default() });
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
            Role::Binary | Role::Group | Role::Tokens | Role::Arms | Role::Jump | Role::Fields => {
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

    /// The end of the node at `depth`.
    fn leave(&mut self, depth: u32) {
        while let Some(frame) = self.frames.pop_if(|frame| frame.depth == depth) {
            self.nesting -= frame.nest;
            match frame.role {
                Role::Function => {
                    self.end_of_function();
                    continue;
                }
                Role::Lambda => {
                    // What ends a lambda does not end the function.
                    self.counters.exits = self.lambda_exits.pop().unwrap_or(self.counters.exits);
                    continue;
                }
                Role::Class => self.end_of_class(),
                Role::Binding | Role::LetElse => {
                    self.bindings.pop();
                }
                Role::Import => self.imports -= 1,
                Role::Layout => self.tokens.bound(2),
                Role::Binary | Role::Group | Role::Tokens if !frame.chain.is_empty() => {
                    let outer = self.frames.last_mut().filter(|outer| outer.depth + 1 == depth);
                    match outer {
                        Some(outer)
                            if matches!(outer.role, Role::Binary | Role::Group | Role::Tokens)
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
