//! Notices: what ends by itself is noted in the commit in which it does, and nothing that is noted is forgotten.

use crate::{Promise, Violation};

/// What happened in a commit that operators are to be told of is noted in it.
#[must_use]
pub fn noted(what: &str, is_noted: bool) -> Option<Violation> {
    (!is_noted).then(|| Promise::OperatorsTold.broken(format!("{what} is not noted")))
}

/// What was noted is settled by a notice to an operator, if there is one.
#[must_use]
pub fn settled(kind: &str, there_are_operators: bool, one_has_a_notice: bool) -> Option<Violation> {
    let forgotten = there_are_operators && !one_has_a_notice;
    forgotten.then(|| Promise::OperatorsTold.broken(format!("no operator is told of what is {kind}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_is_noted_and_what_is_noted_is_told_where_somebody_is_to_be_told() {
        assert!(noted("a suspension", false).is_some() && noted("a suspension", true).is_none());
        assert!(settled("dead", true, false).is_some() && settled("dead", true, true).is_none());
        assert_eq!(settled("dead", false, false), None);
    }
}
