//! Why a message is not wanted.

use serde::Serialize;

use super::clause::Clause;
use super::clause::holds;
use super::condition::Condition;
use super::message::{Fact, Message};

/// How many conditions, values or alternatives a reason spells out.
const SPELLED_OUT: usize = 5;

/// Why an order does not match a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mismatch {
    /// The policy's key that failed, such as `currency`, `data.currency` or `$or`.
    pub key: String,
    /// What the order has under that key; empty when it has nothing.
    pub found: Vec<String>,
    /// What was wanted and what there is, for a person.
    pub reason: String,
}

impl Mismatch {
    /// Says why not all of `clauses` hold: for the first that does not, or for all of them together.
    pub(super) fn of(clauses: &[Clause], message: &Message<'_>) -> Self {
        match clauses.iter().find(|clause| !holds(clause, message)) {
            Some(clause) => Self::of_clause(clause, message),
            None => Self::together(clauses),
        }
    }

    fn of_clause(clause: &Clause, message: &Message<'_>) -> Self {
        let (found, reason) = match clause {
            Clause::Key { path, wanted, .. } => {
                let facts = message.facts(path);
                let found = facts.iter().map(|fact| fact.value.plain()).collect();
                (found, unmet(wanted, &facts))
            }
            Clause::Or { alternatives, .. } => (Vec::new(), no_alternative(alternatives, message)),
        };
        Self { key: clause.path().to_owned(), found, reason }
    }

    /// Says that each clause holds by itself, but not all of them for one element of an array.
    fn together(clauses: &[Clause]) -> Self {
        let keys: Vec<_> = clauses.iter().map(Clause::path).collect();
        let reason = format!("no single element of an array has all that is wanted of {}", keys.join(", "));
        Self { key: keys.first().copied().unwrap_or_default().to_owned(), found: Vec::new(), reason }
    }

    /// Says that there is nothing to look at.
    pub(super) fn of_no_object() -> Self {
        Self { key: String::new(), found: Vec::new(), reason: "the message is no JSON object".to_owned() }
    }
}

fn unmet(wanted: &[Condition], facts: &[Fact]) -> String {
    let wanted = listed(wanted.iter().map(Condition::to_string), " or ");
    let found = listed(facts.iter().map(|fact| fact.value.to_string()), ", ");
    format!("wanted {wanted}; found {}", if found.is_empty() { "nothing" } else { &found })
}

fn no_alternative(alternatives: &[Vec<Clause>], message: &Message<'_>) -> String {
    let why = |alternative: &Vec<Clause>| {
        let mismatch = Mismatch::of(alternative, message);
        format!("{}: {}", mismatch.key, mismatch.reason)
    };
    format!("no alternative matches ({})", listed(alternatives.iter().map(why), " | "))
}

/// The first few, and how many more there are.
fn listed(all: impl ExactSizeIterator<Item = String>, between: &str) -> String {
    let more = all.len().saturating_sub(SPELLED_OUT);
    let first: Vec<_> = all.take(SPELLED_OUT).collect();
    if more == 0 { first.join(between) } else { format!("{}{between}{more} more", first.join(between)) }
}
