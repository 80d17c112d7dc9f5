//! A policy as a tree: what must hold under each key, and which alternatives there are.

use super::condition::Condition;

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
