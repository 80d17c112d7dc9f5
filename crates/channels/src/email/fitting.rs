//! An order of any size in a mail of a bounded one.
//!
//! Gmail shows no more of a mail than 102 KB. What does not fit is cut, and says how much of it is left: each part of an order
//! leaves to those after it what they need, up to half of the room, so that no long note hides an address.

use std::borrow::Cow;

use domain::language::Language;
use domain::notification::{Fact, ItemLine, Parts};

use super::words::Words;

/// What both forms of an order may take before they are encoded, in bytes. Base64 makes 1.37 times as much of it: with what
/// stands around it, a mail has less than 100,000 bytes.
const MAX_ORDER_BYTES: usize = 62_000;
/// What a row of the HTML takes besides its words, and their label's indentation in the text.
const ROW_BYTES: usize = 180;
/// What a further line of a fact takes besides its words: its indentation, its tags, and its end in both forms.
const LINE_BYTES: usize = 32;
/// A fact that is not cut while there is room for it.
const SMALL_FACT_BYTES: usize = 2_000;
/// The most that the text says on one line of all that was ordered, in bytes, where the order does not fit.
const MAX_PRODUCT_BYTES: usize = 1_000;
/// The most of a client's own name for a fact, in bytes, where the order does not fit.
const MAX_LABEL_BYTES: usize = 200;

/// As much of an order as fits into a mail, and whether that is all of it.
pub(super) fn fitted(parts: Parts<'_>) -> (Parts<'_>, bool) {
    if cost(&parts) <= MAX_ORDER_BYTES {
        return (parts, true);
    }
    let Parts { language, items, facts, other_facts, .. } = parts;
    let mut later: usize = facts.iter().chain(&other_facts).map(fact_cost).sum();
    later += items.iter().map(item_cost).sum::<usize>();
    let mut cut = Parts {
        customer: parts.customer.map(|words| cut_words(words, language, MAX_ORDER_BYTES / 2)),
        product: parts.product.map(|words| cut_words(words, language, MAX_PRODUCT_BYTES)),
        items: Vec::new(),
        facts: Vec::new(),
        other_facts: Vec::new(),
        ..parts
    };
    let mut left = MAX_ORDER_BYTES.saturating_sub(cost(&cut));
    for fact in facts {
        later -= fact_cost(&fact);
        let fact = cut_fact(fact, language, share(left, later));
        left = left.saturating_sub(fact_cost(&fact));
        cut.facts.push(fact);
    }
    later = other_facts.iter().map(fact_cost).sum();
    (cut.items, cut.more_items) = first_of(items, share(left, later), item_cost);
    let room = left.saturating_sub(cut.items.iter().map(item_cost).sum());
    left = room;
    let other_facts = other_facts.into_iter().map(|fact| {
        later -= fact_cost(&fact);
        let fact = Fact { label: cut_words(fact.label, language, MAX_LABEL_BYTES), ..fact };
        let fact = cut_fact(fact, language, share(left, later));
        left = left.saturating_sub(fact_cost(&fact));
        fact
    });
    (cut.other_facts, cut.more_facts) = first_of(other_facts.collect(), room, fact_cost);
    (cut, false)
}

/// What a part may take of the room that is left: all but what those after it need, and at least half.
fn share(left: usize, later: usize) -> usize {
    (left - later.min(left / 2)).max(left.min(SMALL_FACT_BYTES))
}

/// As many of a list as fit into `room`, and how many are left.
fn first_of<T>(mut list: Vec<T>, mut room: usize, cost: impl Fn(&T) -> usize) -> (Vec<T>, usize) {
    let does_not_fit = |one: &T| {
        let left = room.checked_sub(cost(one));
        room = left.unwrap_or_default();
        left.is_none()
    };
    let end = list.iter().position(does_not_fit).unwrap_or(list.len());
    let rest = list.split_off(end);
    (list, rest.len())
}

/// What the parts take in both forms.
fn cost(parts: &Parts<'_>) -> usize {
    let facts = parts.quantity.iter().chain(&parts.first_facts).chain(&parts.facts).chain(&parts.other_facts);
    let facts: usize = facts.map(fact_cost).sum();
    parts.customer.as_deref().map(words_cost).unwrap_or_default()
        + parts.product.as_deref().map(str::len).unwrap_or_default()
        + parts.items.iter().map(item_cost).sum::<usize>()
        + facts
}

fn item_cost(item: &ItemLine<'_>) -> usize {
    ROW_BYTES + words_cost(&item.told())
}

fn fact_cost(fact: &Fact<'_>) -> usize {
    let lines = fact.lines.iter().map(|line| LINE_BYTES + words_cost(line));
    ROW_BYTES + words_cost(&fact.label) + lines.sum::<usize>()
}

/// A fact in as many bytes as there are: its lines as far as they fit.
fn cut_fact(fact: Fact<'_>, language: Language, room: usize) -> Fact<'_> {
    if fact_cost(&fact) <= room {
        return fact;
    }
    let characters = fact.lines.iter().map(|line| 1 + line.chars().count()).sum();
    let around =
        ROW_BYTES + LINE_BYTES + words_cost(&fact.label) + words_cost(&remainder(language, characters));
    let mut left = room.saturating_sub(around);
    let mut kept = Vec::new();
    let mut lines = fact.lines.into_iter();
    while let Some(line) = lines.next() {
        if let Some(after) = left.checked_sub(LINE_BYTES + words_cost(&line)) {
            left = after;
            kept.push(line);
            continue;
        }
        let (beginning, rest) = line.split_at(fitting_bytes(&line, left.saturating_sub(LINE_BYTES)));
        let rest = rest.chars().count() + lines.map(|line| 1 + line.chars().count()).sum::<usize>();
        kept.push(format!("{beginning}{}", remainder(language, rest)).into());
        break;
    }
    Fact { lines: kept, ..fact }
}

/// Words in as many bytes as there are.
fn cut_words(words: Cow<'_, str>, language: Language, room: usize) -> Cow<'_, str> {
    if words_cost(&words) <= room {
        return words;
    }
    let room = room.saturating_sub(words_cost(&remainder(language, words.chars().count())));
    let (beginning, rest) = words.split_at(fitting_bytes(&words, room));
    format!("{beginning}{}", remainder(language, rest.chars().count())).into()
}

/// How many bytes of `words` fit into `room`.
fn fitting_bytes(words: &str, mut room: usize) -> usize {
    let does_not_fit = |c: char| {
        let left = room.checked_sub(character_cost(c));
        room = left.unwrap_or_default();
        left.is_none()
    };
    words.find(does_not_fit).unwrap_or(words.len())
}

/// What stands where `characters` were cut.
fn remainder(language: Language, characters: usize) -> String {
    Words::of(language).more_characters.of(language, characters)
}

/// What words take: as they are in the text, and escaped in the HTML.
fn words_cost(words: &str) -> usize {
    words.chars().map(character_cost).sum()
}

fn character_cost(c: char) -> usize {
    match c {
        '&' | '<' | '>' | '"' | '\'' => 1 + "&#38;".len(),
        c => 2 * c.len_utf8(),
    }
}
