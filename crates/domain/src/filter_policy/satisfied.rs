//! Whether a message satisfies a policy.

use super::clause::Clause;
use super::condition::Condition;
use super::message::{Elements, Fact, Message};
use super::mismatch::Mismatch;

/// Whether all clauses hold, and together: members of an array of objects count together only if they are within one
/// element of it, so that `{"items":{"sku":["M"],"quantity":[5]}}` wants five of M.
///
/// # Errors
/// The first that does not hold.
pub(super) fn check(clauses: &[Clause], message: &Message<'_>) -> Result<(), Mismatch> {
    let all: Vec<_> = clauses.iter().collect();
    if hold(&all, message, &Elements::default()) {
        return Ok(());
    }
    let apart = clauses.iter().find(|clause| !hold(&[clause], message, &Elements::default()));
    Err(match apart {
        Some(clause) => Mismatch::of(clause, message),
        None => Mismatch::together(clauses),
    })
}

/// Whether the clauses hold for values that are within the elements given.
///
/// It tries one value after the other, and goes on with the elements that it is within. Values within the same elements
/// are tried once, so that it branches only over arrays of objects, of which a notification has one.
fn hold(clauses: &[&Clause], message: &Message<'_>, within: &Elements) -> bool {
    let Some((first, others)) = clauses.split_first() else { return true };
    match first {
        Clause::Or { alternatives, .. } => alternatives.iter().any(|alternative| {
            let clauses: Vec<_> = alternative.iter().chain(others.iter().copied()).collect();
            hold(&clauses, message, within)
        }),
        Clause::Key { path, wanted, .. } => {
            let facts = message.facts(path);
            if facts.is_empty() {
                let may_lack = message.can_lack() && wanted.contains(&Condition::Exists(false));
                return may_lack && hold(others, message, within);
            }
            let mut tried = Vec::new();
            for fact in facts.iter().filter(|fact| wanted.iter().any(|one| takes(one, fact, &facts, message)))
            {
                let Some(within) = within.with(&fact.within).filter(|within| !tried.contains(within)) else {
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

/// Whether a condition takes one of the values under its key.
///
/// Where these are one attribute, an exclusion holds for all of them: AWS, "String value matching", of `String.Array`. In
/// a body any other value will do: AWS, "Numeric value matching".
fn takes(condition: &Condition, fact: &Fact, facts: &[Fact], message: &Message<'_>) -> bool {
    if condition.excludes() && message.has_attributes() {
        return facts.iter().all(|fact| condition.takes(&fact.value));
    }
    condition.takes(&fact.value)
}

/// Whether this clause holds by itself; for saying why an alternative failed.
pub(super) fn holds(clause: &Clause, message: &Message<'_>) -> bool {
    hold(&[clause], message, &Elements::default())
}
