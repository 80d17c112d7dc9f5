//! Which orders a subscription wants, in SNS's words: keys are ANDed, the values of a key are ORed.
//!
//! Sources: AWS, Amazon SNS Developer Guide, "Subscription filter policies", "Filter policy constraints", "Filter policy
//! scope", "AND/OR logic", "Key matching", "String value matching" and "Numeric value matching". For people:
//! `docs/FILTERS.md`.

mod clause;
mod condition;
mod message;
mod mismatch;
mod read;
mod read_condition;
mod wanted_items;

use serde::Serialize;

use crate::Invalid;
use crate::order::Order;
use clause::Clause;
use message::Message;
pub use message::all_facts;
pub use mismatch::Mismatch;
use read::Reading;

/// The most keys of one policy (SNS's limit): those at its top, not those nested in them.
pub const MAX_KEYS: usize = 5;
/// The most combinations of one policy (SNS's limit): the product, over its keys, of the number of values times the depth
/// of the key, counting from 1. The alternatives of an `$or` are added up.
pub const MAX_COMBINATIONS: usize = 150;
/// The longest text of a policy, in bytes (SNS's limit: 256 KB).
pub const MAX_BYTES: usize = 262_144;
/// The largest number in a policy, above and below zero (SNS's limit).
pub const MAX_NUMBER: u32 = 1_000_000_000;
/// The most digits after the point of a number in a policy (SNS's limit).
pub const MAX_FRACTION_DIGITS: u32 = 5;

/// What a policy looks at; SNS's attribute `FilterPolicyScope`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum FilterPolicyScope {
    /// The message's attributes: an order's own fields and its `attributes`.
    #[default]
    MessageAttributes,
    /// The message's body: the structured notification, as webhooks get it.
    MessageBody,
}

impl FilterPolicyScope {
    /// Every scope there is.
    pub const ALL: [Self; 2] = [Self::MessageAttributes, Self::MessageBody];

    /// SNS's name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MessageAttributes => "MessageAttributes",
            Self::MessageBody => "MessageBody",
        }
    }

    /// The scope of that name.
    ///
    /// # Errors
    /// `invalid_filter_policy_scope` for any other name.
    pub fn parse(name: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|scope| scope.name() == name);
        found.ok_or_else(|| {
            let message = "filterPolicyScope must be MessageAttributes or MessageBody";
            Invalid::new("invalid_filter_policy_scope", "filterPolicyScope", message)
        })
    }
}

/// A checked policy with its scope. Its text is kept as it was given; two that want the same are equal.
#[derive(Debug, Clone)]
pub struct FilterPolicy {
    text: String,
    scope: FilterPolicyScope,
    clauses: Vec<Clause>,
}

impl PartialEq for FilterPolicy {
    fn eq(&self, other: &Self) -> bool {
        self.scope == other.scope && self.clauses == other.clauses
    }
}

impl FilterPolicy {
    /// Reads a policy of SNS's default scope, such as `{"currency":["EUR"],"total":[{"numeric":[">",100]}]}`.
    ///
    /// # Errors
    /// As [`FilterPolicy::parse_in`].
    pub fn parse(json: &str) -> Result<Self, Invalid> {
        Self::parse_in(FilterPolicyScope::default(), json)
    }

    /// Reads a policy of that scope. Only one of the scope `MessageBody` nests: `{"data":{"currency":["EUR"]}}`.
    ///
    /// # Errors
    /// `invalid_filter_policy`, or `unsupported_operator` for an operator that SNS does not have. Both name the member
    /// at fault, such as `filterPolicy.total.numeric`.
    pub fn parse_in(scope: FilterPolicyScope, json: &str) -> Result<Self, Invalid> {
        Self::read(Reading { scope, is_new: true }, json)
    }

    /// Reads what [`FilterPolicy::stored`] gave. No limit is asked about, since it may have been wider once: what was taken
    /// then is kept.
    ///
    /// # Errors
    /// `invalid_filter_policy` or `unsupported_operator`: nobody can say what this wants.
    pub fn from_stored(text: &str) -> Result<Self, Invalid> {
        let (scope, json) = match read::body_policy(text) {
            Some(json) => (FilterPolicyScope::MessageBody, json),
            None => (FilterPolicyScope::MessageAttributes, text),
        };
        Self::read(Reading { scope, is_new: false }, json)
    }

    fn read(reading: Reading, json: &str) -> Result<Self, Invalid> {
        let clauses = reading.policy(json)?;
        Ok(Self { text: json.to_owned(), scope: reading.scope, clauses })
    }

    /// Policy and scope as one text, for a store: an attribute policy as it was given, a body policy within
    /// `{"MessageBody":…}`. These cannot be confused: an attribute policy's members are arrays.
    #[must_use]
    pub fn stored(&self) -> String {
        match self.scope {
            FilterPolicyScope::MessageAttributes => self.text.clone(),
            FilterPolicyScope::MessageBody => format!("{{\"MessageBody\":{}}}", self.text),
        }
    }

    /// The policy as it was given, without its scope.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it asks for the same, wherever it looks.
    pub(crate) fn asks_as(&self, other: &Self) -> bool {
        self.clauses == other.clauses
    }

    /// What the policy looks at.
    #[must_use]
    pub fn scope(&self) -> FilterPolicyScope {
        self.scope
    }

    /// The names that it asks for, those within an `$or` included; a nested one as `data.currency`.
    #[must_use]
    pub fn keys(&self) -> Vec<&str> {
        clause::keys(&self.clauses)
    }

    /// Whether the policy wants `order`.
    ///
    /// # Errors
    /// What does not match.
    pub fn matches(&self, order: &Order) -> Result<(), Mismatch> {
        self.check(&Message::of_order(self.scope, order))
    }

    /// Whether the policy wants a message that is no order of ours: for the scope `MessageBody` its body; for
    /// `MessageAttributes` an object with a value, or an array of values, under each attribute's name.
    ///
    /// # Errors
    /// What does not match; a text that is no JSON object matches nothing.
    pub fn matches_message(&self, json: &str) -> Result<(), Mismatch> {
        match Message::of_json(self.scope, json) {
            Some(message) => self.check(&message),
            None => Err(Mismatch::of_no_object()),
        }
    }

    fn check(&self, message: &Message<'_>) -> Result<(), Mismatch> {
        let holds = clause::all_hold(&self.clauses, message);
        if holds { Ok(()) } else { Err(Mismatch::of(&self.clauses, message)) }
    }
}
