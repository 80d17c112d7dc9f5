//! What of an order was not taken as it came.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::Invalid;

/// The most warnings that one order has: with more, the last says how many there are.
pub const MAX_WARNINGS: usize = 20;
/// The longest path that a warning names, in characters: members' names are the client's.
const MAX_PATH: usize = 100;
/// The longest sentence of a warning, in characters: it may repeat such a path.
const MAX_DETAIL: usize = 300;

/// What follows the rule that a member breaks.
const KEPT: &str = "; it is kept in extra as it came";

/// The path of what lies below another, as far as a warning would name it: what is nested in a long name costs no more.
pub(super) fn below(path: &str, name: &str) -> String {
    if path.len() > MAX_PATH * 4 {
        return path.to_owned();
    }
    match (path.is_empty(), name.starts_with('[')) {
        (true, _) => cut(name, MAX_PATH),
        (false, true) => format!("{path}{}", cut(name, MAX_PATH)),
        (false, false) => format!("{path}.{}", cut(name, MAX_PATH)),
    }
}

/// Something that a client sent and that was not taken as it came. Nothing of it is lost, but for secrets, which
/// are masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Which member, as a path such as `items[2].unitPrice`.
    pub field: String,
    /// Stable and machine-readable: the rule's code, or `masked`.
    pub code: Cow<'static, str>,
    /// One sentence for a person.
    pub detail: String,
}

/// The warnings of one order while it is read.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    first: Vec<Warning>,
    more: usize,
    /// The first rule that was broken: strictly handled, the order is refused for it.
    broken: Option<Invalid>,
}

impl Warnings {
    /// A known member breaks a rule: it is kept beside the others.
    pub(super) fn broken(&mut self, rule: Invalid) {
        let room = MAX_DETAIL - KEPT.len() - 1;
        let detail = cut(&rule.message, room) + KEPT;
        self.add(&rule.field, rule.code, &detail);
        self.broken.get_or_insert(rule);
    }

    /// A member stands there twice, and no two can be kept.
    pub(super) fn repeated(&mut self, name: &str) {
        let detail = format!("{name} stands there twice: the last one counts");
        self.add(name, "repeated_member", &detail);
        let shown = cut(name, MAX_PATH);
        let rule = Invalid::new("repeated_member", shown.clone(), format!("{shown} must stand there once"));
        self.broken.get_or_insert(rule);
    }

    /// Something else that a person should know.
    pub(super) fn add(&mut self, field: &str, code: &'static str, detail: &str) {
        if self.first.len() == MAX_WARNINGS {
            self.more += 1;
            return;
        }
        let (field, detail) = (cut(field, MAX_PATH), cut(detail, MAX_DETAIL));
        self.first.push(Warning { field, code: Cow::Borrowed(code), detail });
    }

    /// A member is secret by its name: nothing of it is kept.
    pub(super) fn secret(&mut self, path: &str) {
        self.add(path, "masked", &format!("{path} looks like a secret: it is masked and not stored"));
    }

    /// A member holds a card number, of which only the end is kept.
    pub(super) fn card_number(&mut self, path: &str) {
        self.add(path, "masked", &format!("{path} holds a card number: it is masked"));
    }

    /// All of them, and the first rule that was broken.
    pub(super) fn told(mut self) -> (Vec<Warning>, Option<Invalid>) {
        if self.more > 0
            && let Some(last) = self.first.pop()
        {
            let detail = format!("{} more warnings like these", self.more + 1);
            self.first.push(Warning { code: Cow::Borrowed("more"), field: last.field, detail });
        }
        (self.first, self.broken)
    }
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
