//! Words beside a number, in the form that goes with it.

use super::{Language, numbers};

/// Words around a number, for one and for others: what stands before it, and what follows.
///
/// Two forms are enough: English, German, French and Spanish have `one` and `other`, and French and Spanish `many` of whole
/// millions in words (CLDR, "Language Plural Rules"), which say what `other` says where the number is in digits.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// Around what the language counts as one.
    pub one: (&'static str, &'static str),
    /// Around all others.
    pub other: (&'static str, &'static str),
}

impl Counted {
    /// The words around that number.
    #[must_use]
    pub fn of(&self, language: Language, number: usize) -> String {
        let (before, after) = if is_one(language, number) { self.one } else { self.other };
        format!("{before}{}{after}", numbers::whole(language, number as u64))
    }
}

/// Whether a number goes with the singular: in French nothing does, too.
fn is_one(language: Language, number: usize) -> bool {
    match language {
        Language::En | Language::De | Language::Es => number == 1,
        Language::Fr => number < 2,
    }
}
