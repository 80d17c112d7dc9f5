//! Orders as they are taken: what was answered is stored, once, as it was sent.

use std::fmt::Display;

use crate::{Promise, Violation};

/// An order that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored<Id> {
    /// Its id.
    pub id: Id,
    /// It holds what its client sent.
    pub as_sent: bool,
}

/// Holds what is stored under one key against the ids that its client was answered; of an order that nobody was answered of,
/// there may be one or none.
#[must_use]
pub fn judge<Id: Copy + PartialEq + Display>(answered: &[Id], stored: &[Stored<Id>]) -> Vec<Violation> {
    let mut found = Vec::new();
    match stored {
        [] => {
            let lost =
                |id: &Id| Promise::OrderStored.broken(format!("it was answered as {id}, and is not there"));
            found.extend(answered.first().map(lost));
        }
        [only] => {
            let other = answered.iter().find(|id| **id != only.id);
            found.extend(other.map(|other| {
                let wrong = format!("it was answered as {other}, and is stored as {}", only.id);
                Promise::OrderStored.broken(wrong)
            }));
        }
        [first, second, ..] => {
            let wrong = format!("it is stored as {} and as {}", first.id, second.id);
            found.push(Promise::StoredOnce.broken(wrong));
        }
    }
    let changed = stored.iter().find(|order| !order.as_sent);
    found.extend(changed.map(|order| {
        Promise::OrderStored.broken(format!("what is stored as {} is not what was sent", order.id))
    }));
    found
}

/// Orders stand in the log in the order in which they were stored.
#[must_use]
pub fn in_sequence(last: i64, next: i64) -> Option<Violation> {
    (next <= last).then(|| {
        Promise::OrderStored.broken(format!("it was given a place, {next}, that is not after {last}"))
    })
}

/// What was answered as not stored is not.
#[must_use]
pub fn refused(is_stored: bool) -> Option<Violation> {
    is_stored.then(|| Promise::OrderStored.broken("it was refused, and is stored"))
}

/// Whoever is told that a key was used for another order has used it so.
#[must_use]
pub fn key_reused(was_used: bool) -> Option<Violation> {
    (!was_used).then(|| Promise::StoredOnce.broken("its key is said to be another order's, and is nobody's"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promises(answered: &[u8], stored: &[(u8, bool)]) -> Vec<Promise> {
        let stored: Vec<_> =
            stored.iter().map(|(id, as_sent)| Stored { id: *id, as_sent: *as_sent }).collect();
        judge(answered, &stored).into_iter().map(|violation| violation.promise).collect()
    }

    #[test]
    fn what_was_answered_is_stored_once_as_it_was_sent_and_under_the_id_that_was_answered() {
        assert_eq!(promises(&[7], &[(7, true)]), []);
        assert_eq!(promises(&[7, 7], &[(7, true)]), [], "it was repeated");
        assert_eq!(promises(&[], &[]), [], "nobody was answered");
        assert_eq!(promises(&[], &[(7, true)]), [], "the answer was lost");
        assert_eq!(promises(&[7], &[]), [Promise::OrderStored], "lost");
        assert_eq!(promises(&[7, 8], &[(7, true)]), [Promise::OrderStored], "another id when repeated");
        assert_eq!(promises(&[7], &[(7, true), (8, true)]), [Promise::StoredOnce]);
        assert_eq!(promises(&[7], &[(7, false)]), [Promise::OrderStored], "something else");
        assert!(in_sequence(3, 4).is_none() && in_sequence(3, 3).is_some());
        assert!(refused(true).is_some() && refused(false).is_none());
        assert!(key_reused(false).is_some() && key_reused(true).is_none());
    }
}
