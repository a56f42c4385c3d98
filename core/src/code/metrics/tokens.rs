//! Counting of tokens: Halstead's measures and identities, for all enclosing functions at once.
//!
//! No function keeps a set of its own. A token is new to a function if it last occurred before the
//! function began; since functions nest, it is new to the innermost ones up to some depth, and two
//! entries in an array of differences say so. The identity is a polynomial over the tokens' hashes:
//! that of a body is the difference of two prefixes.

/// The arithmetic of identities is modulo this Mersenne prime.
const PRIME: u64 = (1 << 61) - 1;
const BASE: u64 = 0x1b87_3593_cc9e_2d51 % PRIME;

/// Tokens, operators and operands up to some place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) tokens: u32,
    pub(super) operators: u32,
    pub(super) operands: u32,
}

/// A scope whose distinct tokens are counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Distinct {
    /// Tokens before it began.
    start: u32,
    operators: i64,
    operands: i64,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    hash: u64,
    /// The number of the token that it last was; 0 for an empty slot.
    last: u32,
}

pub(super) struct Tokens {
    pub(super) totals: Totals,
    prefix: u64,
    /// Pseudo-tokens count in the prefix, not among the tokens.
    terms: u32,
    operators: Vec<u32>,
    operands: Vec<Slot>,
    known: usize,
    scopes: Vec<Distinct>,
}

fn multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let folded = (product as u64 & PRIME) + (product >> 61) as u64;
    if folded >= PRIME { folded - PRIME } else { folded }
}

fn power(mut base: u64, mut exponent: u32) -> u64 {
    let mut result = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = multiply(result, base);
        }
        base = multiply(base, base);
        exponent >>= 1;
    }
    result
}

fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A hash of a token's text, the same on every platform and in every release.
pub fn hash(text: &[u8]) -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ text.len() as u64;
    let mut chunks = text.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        state = (state ^ u64::from_le_bytes(word)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        state ^= state >> 32;
    }
    let mut word = [0; 8];
    let rest = chunks.remainder();
    word[..rest.len()].copy_from_slice(rest);
    mix(state ^ u64::from_le_bytes(word))
}

/// Where a body began.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    prefix: u64,
    terms: u32,
}

impl Tokens {
    pub(super) fn new(kinds: usize, bytes: usize) -> Tokens {
        let slots = (bytes / 64).next_power_of_two().clamp(64, 1 << 14);
        Tokens {
            totals: Totals::default(),
            prefix: 0,
            terms: 0,
            operators: vec![0; kinds],
            operands: vec![Slot::default(); slots],
            known: 0,
            scopes: vec![Distinct::default()],
        }
    }

    pub(super) fn open(&mut self) {
        self.scopes.push(Distinct { start: self.totals.tokens, ..Distinct::default() });
    }

    /// Distinct operators and operands of the innermost scope, which ends here.
    pub(super) fn close(&mut self) -> (u64, u64) {
        let Some(scope) = self.scopes.pop() else { return (0, 0) };
        if let Some(outer) = self.scopes.last_mut() {
            outer.operators += scope.operators;
            outer.operands += scope.operands;
        }
        (u64::try_from(scope.operators).unwrap_or(0), u64::try_from(scope.operands).unwrap_or(0))
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { prefix: self.prefix, terms: self.terms }
    }

    /// What stands since the mark, as one number.
    pub(super) fn identity(&self, mark: Mark) -> u64 {
        let terms = self.terms - mark.terms;
        let before = multiply(mark.prefix, power(BASE, terms));
        mix(((self.prefix + PRIME - before) % PRIME) ^ u64::from(terms).rotate_right(16))
    }

    /// A bound of a block that is layout alone.
    pub(super) fn bound(&mut self, hash: u64) {
        self.term(mix(hash));
    }

    #[inline]
    fn term(&mut self, hash: u64) {
        let next = multiply(self.prefix, BASE) + (hash & PRIME);
        self.prefix = if next >= PRIME { next - PRIME } else { next };
        self.terms += 1;
    }

    /// A token that is neither operator nor operand.
    #[inline]
    pub(super) fn closing(&mut self, hash: u64) {
        self.totals.tokens += 1;
        self.term(hash);
    }

    /// An operator that its kind tells apart from others; `hash` is that of its text.
    #[inline]
    pub(super) fn operator(&mut self, kind: u16, hash: u64) {
        self.totals.tokens += 1;
        self.totals.operators += 1;
        self.term(hash);
        let Some(last) = self.operators.get_mut(usize::from(kind)) else { return };
        let before = std::mem::replace(last, self.totals.tokens);
        self.note(before, |scope| &mut scope.operators);
    }

    /// An operator that its text tells apart from others, such as the name of a built-in type.
    #[inline]
    pub(super) fn named_operator(&mut self, text: &[u8]) {
        self.totals.tokens += 1;
        self.totals.operators += 1;
        let hash = hash(text);
        self.term(hash);
        let before = self.seen(hash.rotate_left(32));
        self.note(before, |scope| &mut scope.operators);
    }

    /// Counts a token that was last seen as number `before` in every scope to which it is new.
    #[inline]
    fn note(&mut self, before: u32, counter: impl Fn(&mut Distinct) -> &mut i64) {
        let Some(innermost) = self.scopes.last_mut() else { return };
        if innermost.start < before {
            return;
        }
        *counter(innermost) += 1;
        let outermost = self.scopes.partition_point(|scope| scope.start < before);
        if let Some(scope) = outermost.checked_sub(1).and_then(|at| self.scopes.get_mut(at)) {
            *counter(scope) -= 1;
        }
    }

    /// The hash of an operand, for those who ask who is called.
    #[inline]
    pub(super) fn operand(&mut self, text: &[u8]) -> u64 {
        self.totals.tokens += 1;
        self.totals.operands += 1;
        let hash = hash(text);
        self.term(hash);
        let before = self.seen(hash);
        self.note(before, |scope| &mut scope.operands);
        hash
    }

    /// The number of the token that this operand last was.
    #[inline]
    fn seen(&mut self, hash: u64) -> u32 {
        let mask = self.operands.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = &mut self.operands[at];
            if slot.last == 0 {
                *slot = Slot { hash, last: self.totals.tokens };
                self.known += 1;
                if self.known * 2 > mask {
                    self.grow();
                }
                return 0;
            }
            if slot.hash == hash {
                return std::mem::replace(&mut slot.last, self.totals.tokens);
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let mut grown = vec![Slot::default(); self.operands.len() * 2];
        let mask = grown.len() - 1;
        for slot in self.operands.iter().filter(|slot| slot.last != 0) {
            let mut at = slot.hash as usize & mask;
            while grown[at].last != 0 {
                at = (at + 1) & mask;
            }
            grown[at] = *slot;
        }
        self.operands = grown;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_tokens_are_those_of_a_set_for_each_scope() {
        let mut tokens = Tokens::new(4, 0);
        tokens.operand(b"a");
        tokens.open();
        tokens.operand(b"a");
        tokens.operand(b"b");
        tokens.open();
        tokens.operand(b"b");
        tokens.operator(1, hash(b"+"));
        tokens.operand(b"c");
        assert_eq!(tokens.close(), (1, 2));
        tokens.operand(b"c");
        tokens.operator(1, hash(b"+"));
        assert_eq!(tokens.close(), (1, 3));
        tokens.operand(b"d");
        assert_eq!(tokens.close(), (1, 4));
    }

    #[test]
    fn many_operands_are_all_told_apart() {
        let mut tokens = Tokens::new(1, 0);
        for number in 0..5_000_u32 {
            tokens.operand(&(number % 1_000).to_le_bytes());
        }
        assert_eq!(tokens.close(), (0, 1_000));
    }

    #[test]
    fn an_identity_depends_on_what_stands_since_the_mark_alone() {
        let body = |before: &[&[u8]]| {
            let mut tokens = Tokens::new(1, 0);
            for text in before {
                tokens.operand(text);
            }
            let mark = tokens.mark();
            tokens.operand(b"x");
            tokens.operand(b"y");
            tokens.identity(mark)
        };
        assert_eq!(body(&[]), body(&[b"a", b"b"]));
        let mut other = Tokens::new(1, 0);
        let mark = other.mark();
        other.operand(b"y");
        other.operand(b"x");
        assert_ne!(other.identity(mark), body(&[]));
    }
}
