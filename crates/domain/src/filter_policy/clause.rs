//! A policy as a tree: what must hold under each key, and which alternatives there are.

use super::condition::Condition;
use super::message::{Elements, Message};

/// Something that must hold of a message.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Clause {
    /// A value under `path` meets one of the conditions.
    Key {
        /// The name of an attribute, or the way to a member of the body: `data.currency`.
        path: String,
        /// How deep it is nested in the policy, from 1.
        depth: usize,
        /// Any of these will do; where there is none, none does.
        wanted: Vec<Condition>,
    },
    /// One of the alternatives holds as a whole.
    Or {
        /// Where the `$or` stands, such as `data.$or`.
        path: String,
        /// Two or more.
        alternatives: Vec<Vec<Clause>>,
    },
}

impl Clause {
    /// What it is named by in a mismatch.
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Key { path, .. } | Self::Or { path, .. } => path,
        }
    }
}

/// How many combinations of values SNS counts: the values of each key times its depth, multiplied; the alternatives of an
/// `$or` added up. Source: AWS, "Filter policy constraints" and "AND/OR logic".
pub(super) fn combinations(clauses: &[Clause]) -> usize {
    let count = |clause: &Clause| match clause {
        Clause::Key { depth, wanted, .. } => wanted.len().saturating_mul(*depth),
        Clause::Or { alternatives, .. } => {
            alternatives.iter().map(|one| combinations(one)).fold(0, usize::saturating_add)
        }
    };
    clauses.iter().map(count).fold(1, usize::saturating_mul)
}

/// The paths of all keys.
pub(super) fn keys(clauses: &[Clause]) -> Vec<&str> {
    clauses.iter().flat_map(keys_of).collect()
}

fn keys_of(clause: &Clause) -> Vec<&str> {
    match clause {
        Clause::Key { path, .. } => vec![path],
        Clause::Or { alternatives, .. } => alternatives.iter().flat_map(|one| keys(one)).collect(),
    }
}

/// Whether all clauses hold, and together: members of an array of objects count together only if they are within one
/// element of it, so that `{"items":{"sku":["M"],"quantity":[5]}}` wants five of M. That a member is not there is asked of
/// an element as well. Of several values under a key one will do, for each operator, those that exclude included: AWS,
/// "String value matching" and "Numeric value matching".
pub(super) fn all_hold(clauses: &[Clause], message: &Message<'_>) -> bool {
    let all: Vec<_> = clauses.iter().collect();
    hold(&all, message, &Elements::default())
}

/// Whether this clause holds by itself.
pub(super) fn holds(clause: &Clause, message: &Message<'_>) -> bool {
    hold(&[clause], message, &Elements::default())
}

/// Whether the clauses hold for values that are within the elements given.
///
/// It tries one value after the other, then the elements that have none, and goes on with the elements that it is within.
/// Values within the same elements are tried once, so that it branches only over arrays of objects, of which a
/// notification has one.
fn hold(clauses: &[&Clause], message: &Message<'_>, within: &Elements) -> bool {
    let Some((first, others)) = clauses.split_first() else { return true };
    match first {
        Clause::Or { alternatives, .. } => alternatives.iter().any(|alternative| {
            let clauses: Vec<_> = alternative.iter().chain(others.iter().copied()).collect();
            hold(&clauses, message, within)
        }),
        Clause::Key { path, wanted, .. } => {
            let facts = message.facts(path);
            let may_lack = message.can_lack() && wanted.contains(&Condition::Exists(false));
            if facts.is_empty() {
                return may_lack && hold(others, message, within);
            }
            let taken = facts.iter().filter(|fact| wanted.iter().any(|one| one.takes(&fact.value)));
            let taken = taken.map(|fact| &fact.within);
            let lacking = if may_lack { message.lacking(path, &facts) } else { Vec::new() };
            let mut tried = Vec::new();
            for elements in taken.chain(lacking) {
                let Some(within) = within.with(elements).filter(|within| !tried.contains(within)) else {
                    continue;
                };
                if hold(others, message, &within) {
                    return true;
                }
                tried.push(within);
            }
            false
        }
    }
}
