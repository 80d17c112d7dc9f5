//! Whether a message satisfies a policy.

use super::clause::Clause;
use super::condition::Condition;
use super::message::{Elements, Message};

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
