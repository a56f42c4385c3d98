//! Sequences of like logical operators: each costs one, and parentheses alone do not end one.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    And,
    Or,
}

/// The logical operators of an expression, from left to right.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chain {
    first: Option<Operator>,
    last: Option<Operator>,
    /// Runs of like operators.
    pub(super) sequences: u32,
    /// The expression itself is a logical one, not only a part of it.
    pub(super) logical: bool,
}

impl Chain {
    pub(super) fn is_empty(self) -> bool {
        self.sequences == 0
    }

    /// The expression's own operator follows.
    pub(super) fn operator(&mut self, operator: Operator) {
        self.logical = true;
        if self.last != Some(operator) {
            self.sequences += 1;
        }
        self.first = self.first.or(Some(operator));
        self.last = Some(operator);
    }

    /// An operand of the expression follows, which has operators itself.
    pub(super) fn operand(&mut self, operand: Chain) {
        let joined = self.logical && self.last == operand.first;
        self.sequences += operand.sequences - u32::from(joined);
        self.first = self.first.or(operand.first);
        self.last = operand.last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Operator::{And, Or};

    fn chain(left: Option<Chain>, operator: Operator, right: Option<Chain>) -> Chain {
        let mut chain = Chain::default();
        if let Some(left) = left {
            chain.operand(left);
        }
        chain.operator(operator);
        if let Some(right) = right {
            chain.operand(right);
        }
        chain
    }

    #[test]
    fn a_sequence_ends_where_the_operator_changes() {
        let and = chain(None, And, None);
        assert_eq!(and.sequences, 1);
        assert_eq!(chain(Some(and), And, Some(and)).sequences, 1);
        assert_eq!(chain(Some(and), Or, None).sequences, 2);
        assert_eq!(chain(Some(and), Or, Some(and)).sequences, 3);
        assert_eq!(chain(None, And, Some(chain(None, Or, None))).sequences, 2);
    }
}
